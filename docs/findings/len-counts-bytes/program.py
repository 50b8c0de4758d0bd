def f(s: str) -> int:
    return len(s)
