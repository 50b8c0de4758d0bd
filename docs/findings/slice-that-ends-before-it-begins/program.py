def f(a: list[int], i: int, j: int) -> list[int]:
    return a[i:j]
