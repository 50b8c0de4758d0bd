def f(s: str) -> str:
    return s.casefold()
