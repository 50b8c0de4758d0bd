import textwrap

def f(s: str) -> str:
    return textwrap.shorten(s, 10)
