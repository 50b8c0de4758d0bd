"""Statements that hold others: branches and loops; and which statement comes next."""

from __future__ import annotations

from functools import cache
from typing import Final

from producers.generate.brackets import bare
from producers.generate.classes import use
from producers.generate.constants import EMPTY, ZERO, spread
from producers.generate.draft import INDENT, Draft
from producers.generate.kinds import MOST_WEIGHT
from producers.generate.profile import Profile
from producers.generate.statements import (
    PLAIN,
    Statement,
    assign,
    changeable,
    deep,
    headers,
    introduce,
    reassign,
    take_fresh,
    update,
    whole,
)
from producers.generate.template import BINDS

ACCUMULATING: Final = ("iiisIbf", "iisSIfbDM", "isSIDULNG", "isSIDULNG")  # by level
Entry = tuple[int, str, int, Statement]  # level, feature, how likely


def condition(draft: Draft, depth: int) -> str:
    """Return the text of a condition."""
    return bare(draft.expression("b", deep(draft, depth)))


def branch(draft: Draft, depth: int) -> bool:
    """``if``, and sometimes ``elif`` and ``else``, over further statements."""
    if depth <= 0:
        return False
    choice = draft.byte()
    draft.emit(f"if {condition(draft, depth)}:")
    indented(draft, depth - 1)
    if choice & 3 == 0:
        draft.emit(f"elif {condition(draft, depth)}:")
        indented(draft, depth - 1)
    if choice & 4:
        draft.emit("else:")
        indented(draft, depth - 1)
    return True


def choice_of_two(draft: Draft, depth: int) -> bool:
    """A new variable whose value a condition decides."""
    code = PLAIN[draft.byte() & 3]
    text, weight = draft.value(code, 1)
    draft.emit(f"if {condition(draft, depth)}:")
    draft.indent += INDENT
    name = introduce(draft, code, text, 2 + weight)
    draft.indent = draft.indent[: -len(INDENT)]
    draft.emit("else:")
    draft.variables[code].remove(name)
    text, other = draft.value(code, 1)
    draft.variables[code].append(name)
    draft.emit(f"{INDENT}{name} = {text}")
    draft.weights[name] = 2 + max(weight, other)
    return True


def early_return(draft: Draft, depth: int) -> bool:
    """``if …: return …``."""
    draft.emit(f"if {condition(draft, depth)}:")
    text, weight = draft.value(draft.result, deep(draft, depth))
    draft.result_weight = max(draft.result_weight, weight)
    draft.emit(f"{INDENT}return {text}")
    return True


def indented(draft: Draft, depth: int) -> None:
    """Write one or two statements that are indented; what they declare ends with them."""
    draft.indent += INDENT
    mark, mutable = len(draft.declared), len(draft.mutable)
    for _ in range(1 + (draft.byte() & 1)):
        statement(draft, depth)
    draft.release(mark)
    del draft.mutable[mutable:]
    draft.indent = draft.indent[: -len(INDENT)]


def for_loop(draft: Draft, depth: int) -> bool:
    """``for`` over a range or a container."""
    if depth <= 0 or not draft.repeat(BINDS):
        return False
    accumulators = _accumulators(draft)
    hidden = _hide(draft, accumulators)
    table = headers(draft.profile)
    draft.weight = 0
    header = table[draft.byte()].fill(draft, 1, {}) or f"for {_fresh(draft)} in range({draft.constant('n')}):"
    draft.emit(header)
    mark = len(draft.declared)
    take_fresh(draft, max(1, draft.weight))
    _body(draft, accumulators, depth - 1, leave=True)
    _leave(draft, hidden, mark)
    return True


def while_loop(draft: Draft, depth: int) -> bool:
    """``while`` with a counter of its own."""
    if depth <= 0 or not draft.repeat(BINDS):
        return False
    accumulators = _accumulators(draft)
    counter = draft.name("i")
    draft.emit(f"{counter}: int = 0")
    hidden = _hide(draft, accumulators)
    draft.emit(f"while {counter} < {draft.constant('n')}:")
    mark = len(draft.declared)
    draft.admit("i", counter, 1)
    _body(draft, accumulators, depth - 1, leave=False)
    draft.emit(f"{INDENT}{counter} = {counter} + 1")
    _leave(draft, hidden, mark)
    return True


def _fresh(draft: Draft) -> str:
    name = draft.name("i")
    draft.fresh.append(("i", name))
    return name


def _accumulators(draft: Draft) -> list[tuple[str, str]]:
    """Return what a loop will change: a variable that there is, a new one, or two."""
    choice, there = draft.byte(), changeable(draft)
    found = [there[choice % len(there)]] if there and choice & 1 else []
    if not found or choice & 6 == 0:
        codes = ACCUMULATING[draft.profile.height]
        code = codes[choice % len(codes)]
        code = code if code in draft.profile.allowed else "i"
        empty = EMPTY.get(code) or ZERO[code]
        name = introduce(draft, code, empty if choice & 8 or code in EMPTY else draft.value(code, 1)[0], 1)
        found.append((code, name))
    return found


def _hide(draft: Draft, names: list[tuple[str, str]]) -> tuple[list[tuple[str, str, int]], list[tuple[str, str]]]:
    """Take what a loop changes out of scope, and everything else out of what may change; return how it was."""
    places = []
    for code, name in names:
        places.append((code, name, draft.variables[code].index(name)))
        draft.variables[code].remove(name)
    mutable, draft.mutable = draft.mutable, []
    draft.accumulators.extend(names)
    draft.loops += 1
    return places, mutable


def _leave(draft: Draft, hidden: tuple[list[tuple[str, str, int]], list[tuple[str, str]]], mark: int) -> None:
    places, draft.mutable = hidden
    draft.release(mark)
    for code, name, place in reversed(places):
        draft.variables[code].insert(place, name)
    del draft.accumulators[len(draft.accumulators) - len(places) :]
    draft.loops -= 1
    draft.runs //= BINDS


def _body(draft: Draft, accumulators: list[tuple[str, str]], depth: int, *, leave: bool) -> None:
    """Write a loop's statements: some of any kind, and an update of each accumulator, which a condition may guard."""
    draft.indent += INDENT
    choice = draft.byte()
    if choice & 3 == 0:
        statement(draft, depth)
    if leave and choice & 0x1C == 0:
        draft.emit(f"if {condition(draft, depth)}:\n{INDENT}{'continue' if choice & 0x20 else 'break'}")
    for code, name in accumulators:
        if draft.byte() & 3 == 0:
            draft.emit(f"if {condition(draft, depth)}:")
            draft.indent += INDENT
            _update(draft, code, name, depth)
            draft.indent = draft.indent[: -len(INDENT)]
        else:
            _update(draft, code, name, depth)
    draft.indent = draft.indent[: -len(INDENT)]


def _update(draft: Draft, code: str, name: str, depth: int) -> None:
    if not update(draft, code, name, depth):
        draft.emit("pass")


def accumulate(draft: Draft, depth: int) -> bool:
    """An update of what a loop around changes."""
    if not draft.accumulators:
        return False
    code, name = draft.accumulators[draft.byte() % len(draft.accumulators)]
    return update(draft, code, name, depth)


def known_form(draft: Draft, _: int) -> bool:
    """One of the statements that stand as templates."""
    table = whole(draft.profile)
    if not table or not draft.repeat(BINDS):
        return False
    draft.weight = 0
    text = table[draft.byte()].fill(draft, 1, {})
    draft.runs //= BINDS
    if text is None or draft.weight > 2 * MOST_WEIGHT:
        draft.fresh.clear()
        return False
    draft.emit(text)
    take_fresh(draft, max(2, min(draft.weight, MOST_WEIGHT)))
    return True


_STATEMENTS: Final[tuple[Entry, ...]] = (
    (0, "core", 6, assign),
    (0, "core", 4, branch),
    (0, "core", 3, choice_of_two),
    (0, "core", 3, early_return),
    (0, "core", 3, reassign),
    (0, "loops", 7, for_loop),
    (0, "while", 2, while_loop),
    (0, "loops", 4, accumulate),
    (0, "core", 3, known_form),
    (2, "classes", 4, use),
)


@cache
def _table(profile: Profile) -> tuple[Statement, ...]:
    found = [one for one in _STATEMENTS if one[1] == "core" or profile.has(one[1], one[0])]
    return spread(tuple(what for _, _, likely, what in found for _ in range(likely)))


def statement(draft: Draft, depth: int) -> None:
    """Write one statement; a new variable where what was chosen does not apply."""
    chosen: Statement = _table(draft.profile)[draft.byte()]
    if not chosen(draft, depth):
        assign(draft, depth)
