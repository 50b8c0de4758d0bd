def f(a: int) -> str:
    return bin(a)
