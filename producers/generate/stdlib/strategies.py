"""Five ways to make programs of the standard library's functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Final, NamedTuple, TypeVar

from producers.generate.kinds import Level
from producers.generate.program import Generated
from producers.generate.stdlib import written
from producers.generate.stdlib.docstrings import constants, examples
from producers.generate.stdlib.observed import Behaviour, behaviour, outcome
from producers.generate.stdlib.stubs import Signature, signatures
from producers.generate.stdlib.values import EDGES, PLAIN, Value

CALLS: Final = 4  # in main, at most
TRIES: Final = 8

T = TypeVar("T")
Make = Callable[[Level, Random], Generated]


class Strategy(NamedTuple):
    """A way to make programs, by name."""

    name: str
    make: Make


def docstring_mining(level: Level, rng: Random) -> Generated:
    """A call with arguments from the documentation's examples, or with constants that it names."""
    signature = _any(signatures(), rng)
    mined = [one for one in examples(signature) if outcome(signature, one) is None]
    mined += [one for one in (_mixed(signature, rng) for _ in range(TRIES)) if outcome(signature, one) is None]
    if not mined:
        return type_enumeration(level, rng)
    known = behaviour(signature)
    chosen = [_any(mined, rng) for _ in range(1 + rng.randrange(CALLS))]
    functions = [written.constant("example", signature, chosen[0]), written.plain("apply", signature, known.raises)]
    return written.program(level, functions, [("example", (), None), *(("apply", one, None) for one in chosen)])


def _mixed(signature: Signature, rng: Random) -> tuple[Value, ...]:
    """Return arguments, with what the documentation names where it fits."""
    named = constants(signature)
    return tuple(_any((*named.get(code, ()), *PLAIN[code]), rng) for _, code in signature.parameters)


def type_enumeration(level: Level, rng: Random) -> Generated:
    """A function of the same types, called with combinations of plain values."""
    signature = _any(signatures(), rng)
    known = behaviour(signature)
    function = written.plain("apply", signature, known.raises)
    return written.program(level, [function], _calls("apply", known, rng, edges=False))


def edge_cases(level: Level, rng: Random) -> Generated:
    """A function that catches what the other raises, called with values at the edges of its types."""
    signature = _any(signatures(), rng)
    known = behaviour(signature)
    catches = rng.random() < 0.5
    function = (written.guarded if catches else written.plain)("probe", signature, known.raises)
    calls = _calls("probe", known, rng, edges=True)
    return written.program(level, [function], [(name, given, None if catches else bad) for name, given, bad in calls])


def error_induction(level: Level, rng: Random) -> Generated:
    """Calls that raise, and tell what."""
    among = [one for one in signatures() if behaviour(one).bad]
    signature = _any(among, rng)
    known = behaviour(signature)
    pairs = [_any(known.bad, rng) for _ in range(1 + rng.randrange(2))]
    functions = [
        written.inducing(f"induce{place or ''}", signature, arguments, raised)
        for place, (arguments, raised) in enumerate(pairs)
    ]
    functions.append(written.plain("apply", signature, known.raises))
    return written.program(level, functions, [(one.entry.function, (), None) for one in functions[:-1]])


def composition(level: Level, rng: Random) -> Generated:
    """One function's result given to another that takes its type."""
    inner, outer, place = _any(pairs(), rng)
    raises = sorted({*behaviour(inner).raises, *behaviour(outer).raises, *_ALWAYS.get(inner.returns, ())})
    function = written.composed("chain", inner, outer, place, raises)
    codes = [code for _, code in inner.parameters] + [
        code for at, (_, code) in enumerate(outer.parameters) if at != place
    ]
    values = [tuple(_any((*PLAIN[code], *EDGES[code]), rng) for code in codes) for _ in range(CALLS)]
    return written.program(level, [function], [("chain", one, None) for one in values])


@cache
def pairs() -> tuple[tuple[Signature, Signature, int], ...]:
    """Return which function's result fits which parameter of which function."""
    return tuple(
        (inner, outer, place)
        for inner in signatures()
        for outer in signatures()
        for place, (_, code) in enumerate(outer.parameters)
        if inner.returns == code
    )


_ALWAYS: Final = {
    "i": ("OverflowError", "ValueError", "TypeError"),
    "f": ("OverflowError", "ValueError"),
    "s": ("TypeError", "ValueError"),
    "I": ("TypeError", "ValueError"),
    "S": ("TypeError", "ValueError"),
}
"""What a function may raise with values that another made, beyond what was seen of it: caught, by their types."""


def _calls(name: str, known: Behaviour, rng: Random, *, edges: bool) -> list[tuple[str, Sequence[Value], str | None]]:
    """Return calls with what is known to pass, and for edges with what raises."""
    there: list[tuple[tuple[Value, ...], str | None]] = [(one, None) for one in known.good]
    if edges:
        there += known.bad
    return [(name, *_any(there, rng)) for _ in range(1 + rng.randrange(CALLS))]


def _any(among: Sequence[T], rng: Random) -> T:
    return among[rng.randrange(len(among))]


MINING: Final = Strategy("docstring-mining", docstring_mining)
ENUMERATION: Final = Strategy("type-enumeration", type_enumeration)
EDGE_CASES: Final = Strategy("edge-cases", edge_cases)
ERRORS: Final = Strategy("error-induction", error_induction)
COMPOSITION: Final = Strategy("composition", composition)
EVERY: Final = (MINING, ENUMERATION, EDGE_CASES, ERRORS, COMPOSITION)
"""The names of the same in the literature on test generation: DocstringMining, TypeEnumeration, EdgeCases, …"""
