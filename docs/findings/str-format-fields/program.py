def f(s: str, n: int) -> str:
    return '{1} {0}'.format(s, n)
