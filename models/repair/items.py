"""The items of a Rust text with their places: functions, types, implementations, constants, and methods inside.

Read from the text by brackets; no macro is expanded. What cannot be read is left out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_PIECE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\bb?r(\#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?'(?:\\[^']+|[^\\'\n])'"""
    r"""|(?P<open>[{(\[])|(?P<close>[})\]])|(?P<end>;)"""
    r"""|\b(?P<what>fn|struct|enum|trait|impl|const|static|mod|use|type|union|macro_rules!)\b""",
    re.DOTALL | re.VERBOSE,
)
_NAME = re.compile(r"\s+(?:ref\s+|mut\s+)?(\w+)")
_IMPL = re.compile(r"(?:.*\bfor\s+)?&?\s*(?:mut\s+)?(?:\w+\s*::\s*)*(\w+)", re.DOTALL)


@dataclass(frozen=True)
class Item:
    """An item: ``text[start:end]`` is all of it, attributes too; ``body`` begins behind its brace (0: none).

    ``name`` of an implementation is the type's; ``head`` is the place of its keyword.
    """

    what: str
    name: str
    start: int
    head: int
    body: int
    end: int

    def holds(self, place: int) -> bool:
        """Return whether ``place`` lies in the item."""
        return self.start <= place < self.end


def items(text: str, start: int = 0, end: int | None = None) -> list[Item]:
    """Return the items of ``text[start:end]`` that stand outside every bracket, in order."""
    return list(_items(text, start, len(text) if end is None else end))


def methods(text: str, item: Item) -> list[Item]:
    """Return the functions inside an implementation or trait."""
    return [one for one in items(text, item.body, item.end - 1) if one.what == "fn"] if item.body else []


def _items(text: str, start: int, limit: int) -> Iterator[Item]:
    begin, body = start, 0
    opened: list[str] = []
    head: re.Match[str] | None = None
    for piece in _PIECE.finditer(text, start, limit):
        if piece["what"] and not opened:
            head = head if head is not None and head["what"] != "const" else piece
        elif piece["open"]:
            body = piece.end() if not opened and piece["open"] == "{" else body
            opened.append(piece["open"])
        elif piece["close"]:
            _close(opened, piece["close"])
        if opened or head is None or not (piece["end"] or piece["close"] == "}"):
            continue
        if piece["end"] or head["what"] not in ("const", "static", "use", "type"):
            yield _item(text, head, begin, body if body > head.end() else 0, piece.end())
            head, begin, body = None, piece.end(), 0


def _close(opened: list[str], sign: str) -> None:
    """Close a bracket; one that closes nothing is passed over, a brace closes what was left open inside it."""
    wanted = {")": "(", "]": "[", "}": "{"}[sign]
    if sign == "}":
        while wanted in opened and opened.pop() != wanted:
            pass
    elif opened and opened[-1] == wanted:
        opened.pop()


def _item(text: str, head: re.Match[str], begin: int, body: int, end: int) -> Item:
    skipped = re.compile(r"\s*(?:#!\[[^\]]*\]\s*)*").match(text, begin)
    start = skipped.end() if skipped else begin
    return Item(head["what"], _name(text, head, body or end), min(start, head.start()), head.start(), body, end)


def _name(text: str, head: re.Match[str], limit: int) -> str:
    if head["what"] == "impl":
        said = _without_generics(text[head.end() : limit].removesuffix("{"))
        found = _IMPL.match(said.partition(" where ")[0].strip())
        return found[1] if found else ""
    name = _NAME.match(text, head.end())
    return name[1] if name else ""


def _without_generics(text: str) -> str:
    """Return ``<T: Clone> Add<i32> for Vec<T>`` as ``Add for Vec``."""
    kept, depth = [], 0
    for at, sign in enumerate(text):
        if sign == "<":
            depth += 1
        elif sign == ">" and text[at - 1] != "-":
            depth -= 1
        elif not depth:
            kept.append(sign)
    return " ".join("".join(kept).split())


class Places:
    """Finds the item, and the method in it, at a place."""

    def __init__(self, text: str) -> None:
        self.text, self.items = text, items(text)
        self._starts = [one.start for one in self.items]
        self._inside: dict[Item, list[Item]] = {}

    def at(self, place: int) -> Item | None:
        """Return the item at the top level that holds ``place``."""
        found = self.items[bisect_right(self._starts, place) - 1] if self.items else None
        return found if found is not None and found.holds(place) else None

    def path(self, place: int) -> tuple[str, str]:
        """Return the names of the item and of the method in it at ``place``, ``""`` for none."""
        item = self.at(place)
        if item is None:
            return "", ""
        inner = next((one for one in self.methods(item) if one.holds(place)), None)
        return item.name, inner.name if inner else ""

    def methods(self, item: Item) -> Sequence[Item]:
        """Return the functions of an implementation, read once."""
        if item.what not in ("impl", "trait"):
            return ()
        if item not in self._inside:
            self._inside[item] = methods(self.text, item)
        return self._inside[item]
