def f(d: dict[str, int]) -> list[str]:
    return list(d.keys())
