"""What a function of the standard library does with values: called here, as it is known to be pure and quick."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any, Final, NamedTuple

from producers.generate.stdlib.chosen import LIMITS
from producers.generate.stdlib.stubs import Signature
from producers.generate.stdlib.values import EDGES, PLAIN, Value

MOST_CALLS: Final = 1_500  # of one function, to learn what it raises
MAY: Final = {"F": ("OverflowError", "ValueError")}
"""What any function of a type may raise, seen or not: infinities and extremes meet in more ways than are tried."""


class Behaviour(NamedTuple):
    """What was seen of a function: exceptions by name, arguments that it takes, and those that make it raise."""

    raises: tuple[str, ...]
    good: tuple[tuple[Value, ...], ...]
    bad: tuple[tuple[tuple[Value, ...], str], ...]


@cache
def behaviour(signature: Signature) -> Behaviour:
    """Return what a function does with plain and edge values of its types."""
    grids = [(*PLAIN[code], *EDGES[code]) for _, code in signature.parameters]
    good, bad = [], []
    for arguments in _some(list(product(*grids))):
        raised = outcome(signature, arguments)
        if raised is None:
            good.append(arguments)
        else:
            bad.append((arguments, raised))
    raises = {name for _, name in bad}.union(*(MAY.get(code, ()) for _, code in signature.parameters))
    return Behaviour(tuple(sorted(raises)), tuple(good), tuple(bad))


def _some(everything: list[tuple[Value, ...]]) -> list[tuple[Value, ...]]:
    step = 1 + len(everything) // MOST_CALLS
    return everything[::step]


def outcome(signature: Signature, arguments: tuple[Value, ...]) -> str | None:
    """Return the name of the builtin exception that these arguments lead to, ``None`` where there is none."""
    try:
        function(signature)(*squeezed(signature, arguments))
    except Exception as error:  # noqa: BLE001 - which one it is is what is asked
        return caught(error)
    return None


def caught(error: Exception) -> str:
    """Return the nearest builtin exception: a program can name it without an import."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")


def function(signature: Signature) -> Callable[..., Any]:
    """Return the function itself."""
    found: Callable[..., Any] = getattr(importlib.import_module(signature.module), signature.name)
    return found


def squeezed(signature: Signature, arguments: tuple[Value, ...]) -> list[Any]:
    """Return the arguments as ``Signature.squeezed`` writes them."""
    limits = LIMITS.get(signature.path, (0,) * len(arguments))
    given = [abs(one) % limit if limit else one for one, limit in zip(arguments, limits, strict=True)]
    codes = [code for _, code in signature.parameters]
    return [one.encode() if code == "B" else one for one, code in zip(given, codes, strict=True)]
