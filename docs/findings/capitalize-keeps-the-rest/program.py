def f(s: str) -> str:
    return s.capitalize()
