def f(s: str) -> bool:
    return bool(s) and s.isupper()
