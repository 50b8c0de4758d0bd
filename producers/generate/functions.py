"""Functions of a program: those that are called from outside (entry points), and those inside them."""

from __future__ import annotations

from typing import Final, NamedTuple

from producers.generate.blocks import condition, statement
from producers.generate.constants import spread
from producers.generate.draft import INDENT, Callee, Draft
from producers.generate.kinds import MOST_WEIGHT
from producers.generate.statements import annotated, deep, introduce
from producers.generate.template import BINDS

RAISES: Final = spread(("ValueError", "ValueError", "KeyError", "TypeError", "IndexError", "RuntimeError"))
SIMPLE: Final = "isfbI"


class Entry(NamedTuple):
    """A function that can be called from outside: names and codes of its parameters, its result, what it may raise."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    result: str
    raises: tuple[str, ...]


def entry_function(draft: Draft, depth: int) -> Entry:
    """Write a function for the types that the choices name, and let later ones call it if it raises nothing."""
    draft.start_function()
    profile, choice = draft.profile, draft.byte()
    name = draft.name("function")
    codes = tuple(profile.types[draft.byte()] for _ in range(1 + choice % 3))
    result = draft.result = profile.types[draft.byte()]
    parameters = tuple((draft.declare(code, 1), code) for code in codes)
    raises = (RAISES[draft.byte()],) if profile.has("exceptions", 2) and choice & 0xE0 == 0 else ()
    written = [f"{one}: {annotated(draft, code)}" for one, code in parameters]
    if profile.has("defaults", 1) and choice & 0x0C == 0:
        written[-1] += f" = {draft.literals[codes[-1]][draft.byte()]}" if codes[-1] in "ifsbOQ" else ""
    draft.emit(f"def {name}({', '.join(written)}) -> {annotated(draft, result)}:")
    draft.indent = INDENT
    if raises:
        draft.emit(f'"""Raises {raises[0]}."""\nif {condition(draft, depth)}:\n{INDENT}raise {raises[0]}("no")')
    _nested(draft, depth)
    for _ in range(1 + draft.byte() % (depth + 1)):
        statement(draft, depth - 1)
    give_back(draft, depth)
    draft.indent = ""
    if not raises:
        callee = Callee(f"{name}(", codes, ")", draft.result_weight, draft.most_runs)
        offer(draft, result, callee)
    return Entry(name, parameters, result, raises)


def offer(draft: Draft, code: str, callee: Callee) -> None:
    """Let what follows call a function that returns this type."""
    if draft.profile.has("calls"):
        draft.callees.setdefault(code, []).append(callee)


def give_back(draft: Draft, depth: int) -> None:
    """Write the last ``return``: what was accumulated, or an expression."""
    choice = draft.byte()
    same = [name for code, name in draft.mutable if code == draft.result]
    if same and choice & 3:
        name = same[(choice >> 2) % len(same)]
        draft.result_weight = max(draft.result_weight, draft.weights[name])
        draft.emit(f"return {name}")
        return
    text, weight = draft.value(draft.result, deep(draft, depth))
    draft.result_weight = max(draft.result_weight, weight)
    draft.emit(f"return {text}")


def _nested(draft: Draft, depth: int) -> None:
    """Write a function inside the function, or a lambda with a name, where the features and choices say so."""
    if not draft.profile.has("closures", 2):
        return
    choice = draft.byte()
    if choice & 7 == 0:
        _closure(draft, depth)
    elif choice & 7 == 1 and draft.profile.has("closures", 3):
        _counter(draft)
    elif choice & 7 == 2 and draft.profile.has("lambdas", 2):
        parameter, name = draft.name("i"), draft.name("function")
        mark = len(draft.declared)
        draft.admit("i", parameter, 1)
        text, weight = draft.value("i", 1)
        draft.release(mark)
        draft.emit(f"{name} = lambda {parameter}: {text}")
        _use(draft, "i", Callee(f"{name}(", ("i",), ")", max(weight, 1), 1))


def _closure(draft: Draft, depth: int) -> None:
    code = SIMPLE[draft.byte() % len(SIMPLE)]
    name, parameter = draft.name("function"), draft.name(code)
    mark = len(draft.declared)
    draft.admit(code, parameter, 1)
    text, weight = draft.value(code, deep(draft, depth))
    draft.release(mark)
    kind = annotated(draft, code)
    draft.emit(f"def {name}({parameter}: {kind}) -> {kind}:\n{INDENT}return {text}\n")
    _use(draft, code, Callee(f"{name}(", (code,), ")", max(weight, 1), BINDS))


def _counter(draft: Draft) -> None:
    """Write a function that changes a variable of the one around it, and calls of it."""
    total, name, step = draft.name("i"), draft.name("function"), draft.name("i")
    draft.emit(f"{total} = {draft.constant('c')}\n")
    draft.emit(f"def {name}({step}: int) -> None:\n{INDENT}nonlocal {total}\n{INDENT}{total} = {total} + {step}\n")
    for _ in range(2):
        draft.emit(f"{name}({draft.value('i', 1)[0]})")
    draft.admit("i", total, MOST_WEIGHT)


def _use(draft: Draft, code: str, callee: Callee) -> None:
    draft.weight = 0
    introduce(draft, code, draft.call(callee), max(1, min(draft.weight, MOST_WEIGHT)))
