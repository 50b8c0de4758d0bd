import json

def f(a: list[str]) -> str:
    return json.dumps(a)
