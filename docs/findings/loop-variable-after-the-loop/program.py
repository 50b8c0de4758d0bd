def f(n: int) -> int:
    x = 10
    for x in range(n % 5):
        pass
    return x
