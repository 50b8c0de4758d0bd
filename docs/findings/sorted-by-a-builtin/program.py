def f(a: list[str]) -> list[str]:
    return sorted(a, key=len)
