import re

def f(s: str) -> str:
    return re.escape(s)
