def f(s: str) -> str:
    return s.replace('a', 'b')
