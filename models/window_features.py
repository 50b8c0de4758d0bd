"""What the lines around a mark say beyond their tokens: where the marked names came before, how the lines are built.

For batch models alone: the stream's classifier sees ``models.code_features``, a third of the cost. Names begin with
``window``; like those they hold no word of the compiler's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from models.caching import BoundedCache
from models.code_features import (
    Place,
    class_of,
    lines_around,
    pieces_of,
    place_of,
    sides_of,
    tokens_of,
    without_expectations,
)
from models.diagnostics import Diagnostic, Span
from models.hashing import STRING_BYTES, Named, named
from models.masking import CODE

EDGE, END = "^", "$"  # before the first token, after the last
MANY = 3  # and more: counts are not told apart
FAR = 8  # tokens, columns
NEAR = 12  # characters on each side of the mark
MAX_NEAR, MAX_MARKED = 60, 40  # characters
PREFIX = "window"

_LINES: BoundedCache[tuple[str, str], Named] = BoundedCache(8 << 20)  # where, line


def window_parts(diagnostic: Diagnostic) -> list[Named]:
    """Return the features of the window around the primary span; empty where a diagnostic has no code."""
    span = diagnostic.primary
    if span is None or not span.text:
        return []
    around = lines_around(span)
    return [_of_marked(span, around), *[_of_line(where, line) for where, line in around]]


def _of_line(where: str, line: str) -> Named:
    known = _LINES.get((where, line))
    if known is not None:
        return known
    found = named(f"{PREFIX} {name}" for name in _line_names(where, tokens_of(without_expectations(line))))
    size = sum(map(len, found.names)) + STRING_BYTES * (len(found.names) + 4) + 4 * len(line)
    return _LINES.keep((where, line), found, size)


def _line_names(where: str, tokens: list[str]) -> list[str]:
    names = [f"pair:{first} {second}" for first, second in pairwise(tokens)]
    names += [f"at {where}:{token}" for token in tokens]
    names += [f"piece:{piece}" for token in tokens if token[0].isalpha() for piece in pieces_of(token)]
    return [*names, f"classes {where}:{' '.join(map(class_of, tokens[:5]))}", f"end {where}:{' '.join(tokens[-2:])}"]


def _of_marked(span: Span, around: Sequence[tuple[str, str]]) -> Named:
    left, inside, right = sides_of(place_of(span))
    lines = [(where, tokens_of(without_expectations(line))) for where, line in around]
    before = [token for where, tokens in reversed(lines) if where[0] == "-" for token in [*tokens, "\n"]] + left
    after = [*right, "\n"] + [token for where, tokens in lines if where[0] == "+" for token in tokens]
    identifiers = [token for token in inside if token[0].isalpha() or token[0] == "_"]
    names = []
    for which, name in zip(("first", "last"), (identifiers[:1] + identifiers[-1:]), strict=False):
        names += _met(f"{which} earlier", name, before) + _met(f"{which} later", name, after)
        names.append(f"{which} seen:{_few(before.count(name))} {_few(after.count(name))}")
        names.append(f"{which} class:{class_of(name)} {(left or [EDGE])[-1]} {(right or [END])[0]}")
    names.append(f"lengths:{min(len(inside), 12)} {min(len(left), FAR)} {min(len(right), FAR)}")
    classes = [*map(class_of, left[-4:]), "«", *map(class_of, inside[:4]), "»", *map(class_of, right[:4])]
    names += [f"classes:{a} {b} {c}" for a, b, c in zip(classes, classes[1:], classes[2:], strict=False)]
    whole = [*left, *inside, *right]
    names += [f"line:{a} {b} {c}" for a, b, c in zip(whole, whole[1:], whole[2:], strict=False)]
    names += [f"has:{token}" for token in {*before, *inside, *after}]
    return named(
        sorted({f"{PREFIX} {name}" for name in [*names, *_characters(place_of(span)), *_layout(span, around)]})
    )


def _met(which: str, name: str, tokens: list[str]) -> list[str]:
    """Return what stood around ``name`` where it was met: a ``let``, a ``&``, a dot."""
    found = []
    for place, token in enumerate(tokens):
        if token == name:
            ahead, behind = tokens[place - 1] if place else EDGE, (tokens[place + 1 : place + 2] or [END])[0]
            found += [f"{which}:{ahead}", f"{which} next:{behind}", f"{which}:{ahead} {behind}"]
    return found


def _characters(place: Place) -> list[str]:
    """Return runs of characters in the mark and near it: spelling that tokens do not show, such as ``&'a mut``."""
    line = CODE.sub("", without_expectations(place.line))
    near = line[max(place.start - NEAR, 0) : place.end + NEAR][:MAX_NEAR]
    inside = line[place.start : place.end][:MAX_MARKED]
    names = [f"characters:{near[at : at + 3]}" for at in range(len(near) - 2)]
    return names + [f"marked characters:{inside[at : at + 4]}" for at in range(len(inside) - 3)]


def _layout(span: Span, around: Sequence[tuple[str, str]]) -> list[str]:
    line = span.text[0]
    own = len(line) - len(line.lstrip())
    names = [f"lines:{min(span.line_end - span.line_start, MANY)}", f"indent:{min(own, 24)}"]
    for where, other in around:
        names.append(f"indent {where}:{max(min(len(other) - len(other.lstrip()) - own, FAR), -FAR)}")
    return names


def _few(count: int) -> str:
    return str(count) if count < MANY else f"{MANY}+"
