def f(a: list[int]) -> list[int]:
    a.insert(100, 9)
    return a
