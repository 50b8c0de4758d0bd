def f(s: str, t: str) -> int:
    return s.rfind(t)
