def f(x: float) -> int:
    return int(x)
