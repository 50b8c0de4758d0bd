"""A whole program out of choices: imports, constants, classes, functions, and what runs when it is started."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from producers.generate.choices import choices_of
from producers.generate.classes import define
from producers.generate.constants import annotation
from producers.generate.draft import INDENT, Draft
from producers.generate.fingerprint import FIRST_NAME, key_of, split, with_names
from producers.generate.functions import Entry, entry_function
from producers.generate.helpers import helper
from producers.generate.kinds import Level
from producers.generate.names import named
from producers.generate.profile import Profile
from producers.programs_corpus import EntryPoint, Parameter

PRINTED: Final = frozenset("ifsb")
"""Types whose values are printed as they are at any level; others only where a level knows what printing takes."""


class Generated(NamedTuple):
    """A program, the key that its near-duplicates share (``fingerprint``), and its entry points."""

    source: str
    key: int
    level: Level
    entries: tuple[EntryPoint, ...]


def program(profile: Profile, seed: int, depth: int) -> Generated:
    """Return the program that a seed stands for."""
    return decode(Draft(profile, choices_of(seed)), depth)


def decode(draft: Draft, depth: int) -> Generated:
    """Return the program that a draft's choices stand for; ``depth`` (1 and more) bounds how deep blocks nest."""
    profile, choice = draft.profile, draft.byte()
    draft.unannotated = choice & 3 == 0 and profile.has("unannotated")
    if profile.has("constants", 1) and choice & 0x0C == 0:
        name = draft.name("constant")
        draft.emit(f"{name}: int = {draft.constant('c')}")
        draft.shared.append(("i", name))
    if profile.has("classes", 2) and choice & 0x30:
        _apart(draft, lambda: define(draft, depth))
    if choice & 0x40 and profile.height >= 2:
        _apart(draft, lambda: helper(draft))
    entries: list[Entry] = []
    for _ in range(1 + (draft.byte() & 1)):
        _apart(draft, lambda: entries.append(entry_function(draft, depth)))
    if profile.has("main") and choice & 0x80:
        _apart(draft, lambda: _main(draft, entries))
    return finished(draft, entries)


def _apart(draft: Draft, write: Callable[[], None]) -> None:
    """Write something at the top level, two empty lines after what stands above."""
    if draft.lines:
        draft.emit("\n")
    write()


def _main(draft: Draft, entries: list[Entry]) -> None:
    """Write ``main``, which prints what each entry point makes of literals, and call it."""
    draft.start_function()
    knows_printing = draft.profile.height >= 2
    body = []
    for entry in entries:
        arguments = ", ".join(draft.literal(code) for _, code in entry.parameters)
        call = f"{entry.name}({arguments})"
        if entry.result not in PRINTED and not knows_printing:
            continue
        shown = f"print(sorted({call}))" if entry.result == "U" else f"print({call})"
        if entry.raises:
            shown = f"try:\n    {shown}\nexcept {entry.raises[0]}:\n    print('{entry.raises[0]}')"
        body.append(shown)
    draft.emit("def main() -> None:")
    draft.indent = INDENT
    for line in body or ["pass"]:
        draft.emit(line)
    draft.indent = ""
    draft.emit('\n\nif __name__ == "__main__":\n    main()')


def finished(draft: Draft, entries: list[Entry]) -> Generated:
    """Return the program that a draft's lines are, with names for what has none yet."""
    head = "\n".join(sorted(draft.imports))
    text = "\n".join([head, "", "", *draft.lines, ""] if head else [*draft.lines, ""])
    names = named(draft.kinds, draft.byte(), rust=draft.profile.has("rust-words", 1))
    pieces = split(text)
    source = with_names(pieces, {chr(FIRST_NAME + place): name for place, name in enumerate(names)})
    points = tuple(_entry_point(draft, entry, names) for entry in entries)
    return Generated(source, key_of(pieces), draft.profile.level, points)


def _entry_point(draft: Draft, entry: Entry, names: list[str]) -> EntryPoint:
    parameters = tuple(
        Parameter(names[ord(one) - FIRST_NAME], annotation(code, draft.classes)) for one, code in entry.parameters
    )
    function = names[ord(entry.name) - FIRST_NAME]
    return EntryPoint(function, parameters, annotation(entry.result, draft.classes), entry.raises)
