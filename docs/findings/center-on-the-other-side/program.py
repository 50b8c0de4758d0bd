def f(n: int) -> str:
    return 'ab'.center(n % 6, '*')
