def f(x: int) -> str:
    match x:
        case 0:
            return 'zero'
        case _:
            return 'other'
