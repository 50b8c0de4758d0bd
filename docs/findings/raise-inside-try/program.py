def f(n: int) -> int:
    x = 0
    try:
        x = 1
        if n > 3:
            raise ValueError('big')
    except ValueError:
        x += 10
    return x
