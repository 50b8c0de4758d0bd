def f(d: dict[str, int], e: dict[str, int]) -> dict[str, int]:
    return {**d, **e}
