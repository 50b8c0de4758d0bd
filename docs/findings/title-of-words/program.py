def f(s: str) -> str:
    return s.title()
