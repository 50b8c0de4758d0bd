def f(a: list[int], i: int) -> int:
    try:
        return a[i]
    except IndexError:
        return -1
