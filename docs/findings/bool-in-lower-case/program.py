def f(b: bool) -> str:
    return str(b)
