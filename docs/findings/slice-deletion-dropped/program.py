def f(a: list[int]) -> list[int]:
    del a[0:1]
    return a
