def f(a: int) -> int:
    return pow(3, abs(a) % 10, 7)
