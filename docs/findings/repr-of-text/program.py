def f(s: str) -> str:
    return repr(s)
