import re

def f(s: str) -> list[str]:
    return re.findall(r'[a-z]+', s)
