def f(s: str, n: int) -> str:
    return s.rjust(n, '0')
