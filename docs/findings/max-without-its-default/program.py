def f(a: list[int]) -> int:
    return max(a, default=-1)
