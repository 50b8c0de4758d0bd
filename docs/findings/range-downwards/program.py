def f(n: int) -> list[int]:
    return list(range(n, 0, -2))
