def f(s: str) -> str:
    return f'{s!r}'
