def f(a: list[int]) -> list[int]:
    a.reverse()
    return a
