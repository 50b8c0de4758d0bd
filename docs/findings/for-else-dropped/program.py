def f(n: int) -> int:
    total = 0
    for i in range(n % 7):
        total += i
    else:
        total += 100
    return total
