"""Functions as values: closures, lambdas, decorators, partials."""

import functools
import operator
from collections.abc import Callable


def make_counter() -> Callable[[], int]:
    count = 0

    def increment() -> int:
        nonlocal count
        count += 1
        return count

    return increment


def make_adders(n: int) -> list[Callable[[int], int]]:
    return [lambda x, k=k: x + k for k in range(n)]


def compose(*functions):
    def composed(value):
        for function in reversed(functions):
            value = function(value)
        return value

    return composed


def apply_twice(function: Callable[[int], int], value: int) -> int:
    return function(function(value))


def retry(times: int):
    def decorator(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            for attempt in range(times):
                try:
                    return function(*args, **kwargs)
                except OSError:
                    if attempt == times - 1:
                        raise
            return None

        return wrapper

    return decorator


@functools.lru_cache(maxsize=None)
def fib_cached(n: int) -> int:
    return n if n < 2 else fib_cached(n - 1) + fib_cached(n - 2)


def product(values: list[int]) -> int:
    return functools.reduce(operator.mul, values, 1)


def dispatch(name: str, a: float, b: float) -> float:
    table = {"+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": operator.mul, "/": operator.truediv}
    if name not in table:
        raise KeyError(name)
    return table[name](a, b)


def memoize(function):
    cache = {}

    def wrapper(key):
        if key not in cache:
            cache[key] = function(key)
        return cache[key]

    return wrapper


def pipeline(text: str, steps: list[Callable[[str], str]]) -> str:
    for step in steps:
        text = step(text)
    return text


def clean(text: str) -> str:
    return pipeline(text, [str.strip, str.lower, lambda s: s.replace("-", "_")])


def sort_records(records: list[dict[str, int]], field: str) -> list[dict[str, int]]:
    return sorted(records, key=operator.itemgetter(field), reverse=True)


def power_of(exponent: int) -> Callable[[float], float]:
    return functools.partial(lambda e, base: base**e, exponent)


def accumulate_into(target=[]):
    target.append(len(target))
    return target


def filter_map(items, predicate=None, transform=None):
    kept = [i for i in items if predicate is None or predicate(i)]
    return list(map(transform, kept)) if transform else kept


def curry(f):
    return lambda a: lambda b: f(a, b)


class Event:
    def __init__(self) -> None:
        self.handlers: list[Callable[[str], None]] = []

    def subscribe(self, handler: Callable[[str], None]) -> None:
        self.handlers.append(handler)

    def emit(self, message: str) -> int:
        for handler in self.handlers:
            handler(message)
        return len(self.handlers)


def record_events(messages: list[str]) -> list[str]:
    seen: list[str] = []
    event = Event()
    event.subscribe(lambda m: seen.append(m))
    event.subscribe(seen.append)
    for message in messages:
        event.emit(message)
    return seen
