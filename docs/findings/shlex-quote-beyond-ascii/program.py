import shlex

def f(s: str) -> str:
    return shlex.quote(s)
