"""Generators and lazy pipelines."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator


def fibonacci(limit: int) -> Iterator[int]:
    a, b = 0, 1
    while a < limit:
        yield a
        a, b = b, a + b


def naturals():
    n = 0
    while True:
        yield n
        n += 1


def chunks(items: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def sliding(items: Iterable[int], width: int) -> Iterator[tuple[int, ...]]:
    window: deque[int] = deque(maxlen=width)
    for item in items:
        window.append(item)
        if len(window) == width:
            yield tuple(window)


def flatten(nested):
    for item in nested:
        if isinstance(item, list):
            yield from flatten(item)
        else:
            yield item


def take_while_positive(numbers: list[int]) -> list[int]:
    return list(itertools.takewhile(lambda n: n > 0, numbers))


def pairs(items: list[str]) -> list[tuple[str, str]]:
    return list(itertools.combinations(items, 2))


def grouped(words: list[str]) -> dict[str, list[str]]:
    ordered = sorted(words, key=len)
    return {str(k): list(g) for k, g in itertools.groupby(ordered, key=len)}


def running_total(values: list[float]) -> list[float]:
    return list(itertools.accumulate(values))


def interleave(a: list[int], b: list[int]) -> list[int]:
    return [x for pair in itertools.zip_longest(a, b, fillvalue=0) for x in pair]


def round_robin(*queues):
    pending = deque(iter(q) for q in queues)
    while pending:
        current = pending.popleft()
        try:
            yield next(current)
        except StopIteration:
            continue
        pending.append(current)


def first(predicate, items, default=None):
    return next((item for item in items if predicate(item)), default)


def averager():
    total, count, average = 0.0, 0, None
    while True:
        value = yield average
        total += value
        count += 1
        average = total / count


def evens_squared(limit: int) -> int:
    return sum(map(lambda n: n * n, filter(lambda n: n % 2 == 0, range(limit))))


def product_table(n: int) -> dict[tuple[int, int], int]:
    return {(a, b): a * b for a, b in itertools.product(range(n), repeat=2) if a <= b}


class Countdown:
    def __init__(self, start: int) -> None:
        self.current = start

    def __iter__(self) -> "Countdown":
        return self

    def __next__(self) -> int:
        if self.current <= 0:
            raise StopIteration
        self.current -= 1
        return self.current + 1


def countdown_list(n: int) -> list[int]:
    return [value * 2 for value in Countdown(n)]


def zipped(names: list[str], ages: list[int]) -> list[str]:
    return [f"{i}. {name} ({age})" for i, (name, age) in enumerate(zip(names, ages, strict=True), start=1)]
