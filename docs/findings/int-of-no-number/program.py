def f(s: str) -> int:
    return int(s)
