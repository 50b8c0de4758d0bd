def f(s: str) -> list[str]:
    return s.rsplit(',', 1)
