"""Programs around calls of the standard library, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from producers.generate.fingerprint import fingerprint
from producers.generate.kinds import TYPES, Level
from producers.generate.program import Generated
from producers.generate.stdlib.stubs import Signature
from producers.generate.stdlib.values import Value, written
from producers.programs_corpus import EntryPoint, Parameter

_NAMES: Final = {
    "i": "number",
    "f": "value",
    "s": "text",
    "b": "flag",
    "I": "items",
    "F": "values",
    "S": "words",
    "B": "data",
}
_DEFAULTS: Final = {"i": "-1", "f": "-1.0", "s": '"?"', "b": "False", "I": "[]", "S": "[]", "F": "[]", "T": "(-1, -1)"}
ANNOTATIONS: Final = {**TYPES, "B": "str", "": "str"}


class Wrapped(NamedTuple):
    """A function of a program that calls one of the standard library, or two."""

    entry: EntryPoint
    lines: tuple[str, ...]
    modules: frozenset[str]


def annotation(code: str) -> str:
    """Return how a type is written; what has none is given as text."""
    return ANNOTATIONS[code]


def parameters_of(signature: Signature) -> tuple[Parameter, ...]:
    """Return parameters for a function around this one, with names of their own."""
    codes = [code for _, code in signature.parameters]
    return tuple(Parameter(f"{_NAMES[code]}{place or ''}", annotation(code)) for place, code in enumerate(codes))


def call_of(signature: Signature, arguments: Sequence[str]) -> str:
    """Return the call, as text where the result's type has no name here."""
    call = signature.squeezed(list(arguments))
    return call if signature.returns else f"str({call})"


def plain(name: str, signature: Signature, raises: Sequence[str]) -> Wrapped:
    """Return a function that hands its parameters on, and raises what the other raises."""
    parameters = parameters_of(signature)
    said = [f'    """Raises {", ".join(raises)}."""'] if raises else []
    body = [f"    return {call_of(signature, [one.name for one in parameters])}"]
    return _wrapped(EntryPoint(name, parameters, annotation(signature.returns), tuple(raises)), said + body, signature)


def guarded(name: str, signature: Signature, raises: Sequence[str]) -> Wrapped:
    """Return a function that gives a value of the result's type instead of raising."""
    parameters = parameters_of(signature)
    call = call_of(signature, [one.name for one in parameters])
    default = _DEFAULTS.get(signature.returns, '"?"')
    body = _tried([f"return {call}"], raises, [f"return {default}"])
    return _wrapped(EntryPoint(name, parameters, annotation(signature.returns)), body, signature)


def constant(name: str, signature: Signature, arguments: Sequence[Value]) -> Wrapped:
    """Return a function without parameters that makes one call."""
    body = [f"    return {call_of(signature, [written(one) for one in arguments])}"]
    return _wrapped(EntryPoint(name, (), annotation(signature.returns)), body, signature)


def inducing(name: str, signature: Signature, arguments: Sequence[Value], raised: str) -> Wrapped:
    """Return a function whose call raises: it tells what was caught."""
    call = call_of(signature, [written(one) for one in arguments])
    body = [
        f"    try:\n        result = {call}\n    except {raised}:\n        return {raised!r}\n    return str(result)"
    ]
    return _wrapped(EntryPoint(name, (), "str"), body, signature)


def composed(name: str, inner: Signature, outer: Signature, place: int, raises: Sequence[str]) -> Wrapped:
    """Return a function that gives one's result to the other as its parameter number ``place``; it never raises."""
    first = parameters_of(inner)
    others = [code for at, (_, code) in enumerate(outer.parameters) if at != place]
    second = tuple(Parameter(f"other{at or ''}", annotation(code)) for at, code in enumerate(others))
    rest = iter(one.name for one in second)
    call = call_of(outer, ["middle" if at == place else next(rest) for at in range(len(outer.parameters))])
    steps = [f"middle = {call_of(inner, [one.name for one in first])}", f"return {call}"]
    body = _tried(steps, raises, [f"return {_DEFAULTS.get(outer.returns, chr(34) + '?' + chr(34))}"])
    made = _wrapped(EntryPoint(name, first + second, annotation(outer.returns)), body, outer)
    return made._replace(modules=made.modules | {inner.module})


def _tried(steps: list[str], raises: Sequence[str], instead: list[str]) -> list[str]:
    if not raises:
        return [f"    {step}" for step in steps]
    caught = raises[0] if len(raises) == 1 else f"({', '.join(raises)})"
    inside = [f"        {step}" for step in steps]
    return ["    try:", *inside, f"    except {caught}:", *(f"        {step}" for step in instead)]


def _wrapped(entry: EntryPoint, body: list[str], signature: Signature) -> Wrapped:
    head = (
        f"def {entry.function}({', '.join(f'{one.name}: {one.type}' for one in entry.parameters)}) -> {entry.returns}:"
    )
    return Wrapped(entry, (head, *body), frozenset({signature.module} - {"builtins"}))


def program(
    level: Level, wrapped: Sequence[Wrapped], calls: Sequence[tuple[str, Sequence[Value], str | None]]
) -> Generated:
    """Return the program of some functions and a ``main`` that prints calls: name, arguments, what has to be caught."""
    modules = sorted(frozenset[str]().union(*(one.modules for one in wrapped)))
    parts = ["\n".join(f"import {module}" for module in modules)] if modules else []
    parts += ["\n".join(one.lines) for one in wrapped]
    lines = ["def main() -> None:"]
    for name, arguments, raised in calls:
        shown = f"print({name}({', '.join(map(written, arguments))}))"
        caught = [f"    try:\n        {shown}\n    except {raised}:\n        print({raised!r})"]
        lines += caught if raised else [f"    {shown}"]
    parts += ["\n".join(lines), 'if __name__ == "__main__":\n    main()']
    source = "\n\n\n".join(parts) + "\n"
    return Generated(source, fingerprint(source), level, tuple(one.entry for one in wrapped))
