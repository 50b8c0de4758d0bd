def f(a: list[int]) -> list[int]:
    return a[5:1:-1]
