def f(s: str, i: int) -> str:
    return s[i]
