def f(n: int) -> int:
    x = 0
    try:
        x = 1
    except ValueError:
        x = 10
    else:
        x = 20
    return x
