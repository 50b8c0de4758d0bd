"""Statements: what stands in a function's body. None of them fails, and none of them runs without end.

In a loop, what it changes (its accumulators) is read by nothing but their own updates, so that values grow by what
each turn adds, never by a factor.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from producers.generate.constants import EMPTY, annotation, spread
from producers.generate.draft import Draft
from producers.generate.forms import HEADERS, UPDATES, WHOLE, Form
from producers.generate.kinds import IMPORTS, MOST_WEIGHT
from producers.generate.profile import Profile

Statement = Callable[[Draft, int], bool]
"""Writes lines; ``False``, and nothing written, where it does not apply."""

PLAIN: Final = "ifsb"
LOOP_GROWTH: Final = 4  # units of weight by which a text or container grows in a loop that adds one in each turn


def usable(table: tuple[Form, ...], profile: Profile) -> tuple[Form, ...]:
    """Return the templates that a profile allows, by a byte; empty where there are none."""
    found = [form for form in table if form.feature == "core" or profile.has(form.feature)]
    found = [form for form in found if form.level <= profile.height for _ in range(form.likely)]
    return spread(tuple(found)) if found else ()


@cache
def updates(code: str, profile: Profile) -> tuple[Form, ...]:
    """Return the ways to update an accumulator of a type."""
    return usable(tuple(form for form in UPDATES if form.code == code), profile)


@cache
def headers(profile: Profile) -> tuple[Form, ...]:
    """Return the ways to begin a loop."""
    return usable(HEADERS, profile)


@cache
def whole(profile: Profile) -> tuple[Form, ...]:
    """Return the statements that stand as templates."""
    return usable(WHOLE, profile)


def deep(draft: Draft, depth: int) -> int:
    """Return how deep an expression in a block of ``depth`` may be: 1 to 3."""
    return 1 + draft.byte() % max(1, min(depth, 3))


def take_fresh(draft: Draft, weight: int = 2) -> None:
    """Let what follows use the variables that a template made."""
    for code, name in draft.fresh:
        draft.admit(code, name, weight)
    draft.fresh.clear()


def assign(draft: Draft, depth: int) -> bool:
    """A new variable."""
    code = draft.profile.types[draft.byte()]
    text, weight = draft.value(code, deep(draft, depth))
    introduce(draft, code, text, max(1, weight))
    return True


def introduce(draft: Draft, code: str, text: str, weight: int) -> str:
    """Write the line that gives a new variable its value."""
    name = draft.name(code)
    plain = draft.unannotated and code not in IMPORTS and text != EMPTY.get(code)
    draft.emit(f"{name} = {text}" if plain else f"{name}: {annotated(draft, code)} = {text}")
    draft.admit(code, name, weight)
    if code in PLAIN or _is_new(code, text):
        draft.mutable.append((code, name))
    return name


def _is_new(code: str, text: str) -> bool:
    """Return whether nothing else holds the container that an expression makes: an update must not reach others."""
    if code == "G":
        return text == "{}"  # its lists are updated, too
    return code in EMPTY and (text[0] in "[{" or text.startswith(("sorted(", "list(", "set(", "dict(")))


def annotated(draft: Draft, code: str) -> str:
    """Return a type as it is written, and note what has to be imported for it."""
    if code in IMPORTS:
        draft.imports.add(IMPORTS[code])
    return annotation(code, draft.classes)


def reassign(draft: Draft, depth: int) -> bool:
    """A new value for a variable, or a change to what it holds."""
    choices = changeable(draft)
    if not choices:
        return False
    code, name = choices[draft.byte() % len(choices)]
    return update(draft, code, name, depth)


def changeable(draft: Draft) -> list[tuple[str, str]]:
    """Return what may change here: variables, and containers that nothing has read."""
    return [one for one in draft.mutable if one[1] not in draft.read]


def update(draft: Draft, code: str, name: str, depth: int) -> bool:
    """One of the updates that fit a variable's type."""
    table = updates(code, draft.profile)
    draft.weight = 0
    text = table[draft.byte()].fill(draft, deep(draft, depth) - 1, {"1": name}) if table else None
    if text is None or draft.weight > MOST_WEIGHT:
        if code not in PLAIN:
            return False
        text, draft.weight = f"{name} = {draft.leaf(code)}", MOST_WEIGHT
    draft.emit(text)
    turns = 1 if code in "ifb" else LOOP_GROWTH**draft.loops
    draft.weights[name] += max(1, draft.weight) * turns
    return True
