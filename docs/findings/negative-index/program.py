def f(a: list[int], i: int) -> int:
    return a[i]
