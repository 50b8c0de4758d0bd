"""Inputs for a function: boundary values of each kind and seeded random ones, the smallest first."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from producers.verify.driver import encode
from producers.verify.kinds import Kind

MAX_LENGTH = 6  # of a random list, dict or set
MAX_EXPONENT = 12
SPECIAL_INTS = (0, 1, -1, 2, -2, 3, 7, -7, 10, -13, 100, 255, 1000)
SPECIAL_FLOATS = (
    0.0,
    1.0,
    -1.0,
    0.5,
    -2.5,
    1.5,
    2.5,
    0.1,
    3.0,
    -0.0,
    1e-9,
    123456.789,
    1e16,
    1e308,
    math.inf,
    math.nan,
)
SPECIAL_TEXTS = (
    "", "a", "abc", "Hello World", "hello", "  two  words ", "a,b,c", "aAbB12", "racecar", "42", "-7", "3.5", "äöü",
    "日本語", "x😀y", "line\nbreak", "ß", "tab\there", "(a[b]{c})",
)  # fmt: skip
LETTERS = "abcxyzABZ019 _-,.!éß日"


def inputs(kinds: Sequence[Kind], count: int, seed: str) -> list[tuple[Any, ...]]:
    """Return up to ``count`` distinct tuples of arguments; equal kinds, count and seed give equal inputs."""
    if not kinds:
        return [()]
    rng = random.Random(seed)  # noqa: S311 - repeatable inputs, not a secret
    found: dict[str, tuple[Any, ...]] = {}
    special = [boundary(kind) for kind in kinds]
    for at in range(max(map(len, special))):  # every boundary value once, and the same ones beside each other
        one = tuple(values[at % len(values)] for values in special)
        found.setdefault(encode(one), one)
    for at, values in enumerate(special):
        for value in values:
            one = tuple(value if index == at else draw(kind, rng) for index, kind in enumerate(kinds))
            found.setdefault(encode(one), one)
    boundaries = list(found.values())
    rng.shuffle(boundaries)
    chosen = {encode(one): one for one in boundaries[: count * 2 // 3]}
    for _ in range(count * 4):
        if len(chosen) >= count:
            break
        one = tuple(draw(kind, rng) for kind in kinds)
        chosen.setdefault(encode(one), one)
    return sorted(chosen.values(), key=weight)


def weight(value: Any) -> tuple[int, str]:
    """Return how large a value is, for choosing the smallest: the length of its form, numbers by their size."""
    return _weight(value), encode(value)


def boundary(kind: Kind) -> list[Any]:
    """Return the boundary values of a kind."""
    if kind.name in _BOUNDARIES:
        return _BOUNDARIES[kind.name](kind)
    inner = [boundary(arg) for arg in kind.args]
    if kind.name == "union":
        return [value for values in inner for value in values[:8]]
    if kind.name == "tuple":
        longest = max(map(len, inner), default=0)
        return [tuple(values[at % len(values)] for values in inner) for at in range(longest)]
    if kind.name == "dict":
        keys, values = inner
        pairs = [(key, values[at % len(values)]) for at, key in enumerate(keys)]
        return [{}, dict(pairs[:1]), dict(pairs[:3]), dict(reversed(pairs[:4]))]
    values = inner[0]
    lists = [[], values[:1], values[1:2], values[:2], values[:3][::-1], [values[-1]] * 2, values[:5], values[-3:]]
    return [_sized(one, kind) for one in lists]


def draw(kind: Kind, rng: random.Random) -> Any:
    """Return a random value of a kind, mostly small."""
    if kind.name == "union":
        return draw(rng.choice(kind.args), rng)
    if kind.name == "any":
        return draw(rng.choice(_DYNAMIC), rng)
    if kind.name == "tuple":
        return tuple(draw(arg, rng) for arg in kind.args)
    if kind.name in ("list", "set"):
        return _sized([draw(kind.args[0], rng) for _ in range(rng.randint(0, MAX_LENGTH))], kind)
    if kind.name == "dict":
        key, value = kind.args
        return {_hashable(draw(key, rng)): draw(value, rng) for _ in range(rng.randint(0, MAX_LENGTH - 1))}
    return _DRAWN[kind.name](kind, rng)


def smaller(value: Any) -> Iterator[Any]:
    """Yield simpler values of the same kind, the simplest first; a failing input is shrunk by them."""
    if isinstance(value, bool) or value is None:
        yield from [False] if value else []
    elif isinstance(value, int):
        yield from dict.fromkeys(
            one for one in (0, 1, -1, value // 2, -(-value // 2), value - (value > 0)) if abs(one) < abs(value)
        )
    elif isinstance(value, float):
        whole = [0.0, 1.0, float(int(value)) if math.isfinite(value) else 0.0, value / 2]
        yield from (one for one in whole if len(encode(one)) and abs(one) < abs(value) and not math.isnan(one))
    elif isinstance(value, str):
        yield from dict.fromkeys(
            [value[: len(value) // 2], value[len(value) // 2 :], value[1:], value[:-1]] if value else []
        )
    elif isinstance(value, list | tuple):
        yield from _smaller_sequence(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield {other: one for other, one in value.items() if other != key}
            yield from (value | {key: one} for one in smaller(item))
    elif isinstance(value, set):
        yield from (value - {item} for item in sorted(value, key=encode))


def _smaller_sequence(value: Any) -> Iterator[Any]:
    kind = type(value)
    if kind is list:
        half = len(value) // 2
        yield from ([value[:half], value[half:]] if half else [])
        yield from (value[:at] + value[at + 1 :] for at in range(len(value)))
    for at, item in enumerate(value):
        yield from (kind((*value[:at], one, *value[at + 1 :])) for one in smaller(item))


def _weight(value: Any) -> int:
    if isinstance(value, int | None):
        return 1 + (value or 0).bit_length() + ((value or 0) < 0)
    if isinstance(value, float):
        simple = math.isfinite(value) and value == int(value)
        return 2 + (abs(int(value)).bit_length() if simple and abs(value) < 1 << 63 else 70) + (value < 0)
    if isinstance(value, str):
        return 2 + sum(1 if ord(c) < 128 else 3 for c in value)
    if isinstance(value, dict):
        return 3 + sum(_weight(key) + _weight(item) for key, item in value.items())
    return 3 + sum(map(_weight, value))


def _ints(kind: Kind) -> list[Any]:
    edges = (kind.high, kind.low, kind.high - 1, kind.low + 1, kind.high // 2 + 1)
    return [value for value in (*SPECIAL_INTS, *edges) if kind.low <= value <= kind.high]


def _int(kind: Kind, rng: random.Random) -> int:
    far = rng.choice((1, -1)) * rng.getrandbits(rng.randint(1, 63))
    value = far if rng.random() < 0.25 else rng.randint(-20, 20)
    return min(max(value, kind.low), kind.high) if kind.low < 0 else min(abs(value), kind.high)


def _float(_: Kind, rng: random.Random) -> float:
    if rng.random() < 0.2:
        return rng.choice(SPECIAL_FLOATS)
    value = rng.randint(-4000, 4000) / rng.choice((1, 2, 4, 10, 100))
    return value * 10.0 ** rng.randint(-MAX_EXPONENT, MAX_EXPONENT) if rng.random() < 0.1 else value


def _text(_: Kind, rng: random.Random) -> str:
    if rng.random() < 0.3:
        return rng.choice(SPECIAL_TEXTS)
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(0, 10)))


def _sized(values: list[Any], kind: Kind) -> Any:
    if kind.name == "set":
        return {_hashable(value) for value in values}
    if kind.size is None:
        return values
    filler = values or boundary(kind.args[0])
    return [filler[at % len(filler)] for at in range(kind.size)]


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


_DYNAMIC = (Kind("int", low=-1000, high=1000), Kind("str"), Kind("float"), Kind("bool"))
_BOUNDARIES: dict[str, Callable[[Kind], list[Any]]] = {
    "int": _ints,
    "float": lambda _: list(SPECIAL_FLOATS),
    "str": lambda _: list(SPECIAL_TEXTS),
    "char": lambda _: ["a", "Z", "0", " ", "é", "日"],
    "bool": lambda _: [False, True],
    "bytes": lambda _: [b"", b"a", b"abc", bytes(range(250, 256)), b"\0\n"],
    "none": lambda _: [None],
    "any": lambda _: [0, "a", 1.5, True, -3, ""],
}
_DRAWN: dict[str, Callable[[Kind, random.Random], Any]] = {
    "int": _int,
    "float": _float,
    "str": _text,
    "char": lambda _, rng: rng.choice(LETTERS),
    "bool": lambda _, rng: rng.random() < 0.5,
    "bytes": lambda _, rng: rng.randbytes(rng.randint(0, MAX_LENGTH)),
    "none": lambda *_: None,
}
