def f(s: str) -> bool:
    return s.isdigit()
