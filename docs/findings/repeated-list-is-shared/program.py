def f(n: int) -> list[list[int]]:
    rows = [[0] * 2] * 2
    rows[0][0] = n
    return rows
