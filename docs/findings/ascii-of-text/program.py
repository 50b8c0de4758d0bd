def f(s: str) -> str:
    return ascii(s)
