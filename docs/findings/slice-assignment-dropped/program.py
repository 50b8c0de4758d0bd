def f(a: list[int]) -> list[int]:
    a[1:2] = [7, 8]
    return a
