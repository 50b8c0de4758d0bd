def f(n: int) -> int:
    try:
        return n
    finally:
        print('done')
