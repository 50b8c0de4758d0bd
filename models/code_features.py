"""A span of Rust → named features: the marked code, its line, its neighbours, and the classes of its tokens.

Names are kept, because methods such as ``.unwrap`` say much; literals are masked, and comments and expectation marks
are dropped. The structure of a place is told by the classes of its tokens (keyword, name, type, macro, literal), which
hold for code that a parser would give up on; fragments of five lines mostly are such code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from models.caching import BoundedCache
from models.diagnostics import Diagnostic, Span
from models.hashing import NAME_BYTES, STRING_BYTES, Named, named
from models.masking import CODE, EXPECTATION

MAX_LINE = 240  # characters of a source line around the span
MAX_TOKENS = 48  # of each side of a mark, and of the mark
OFTEN = 400  # characters: longer lines of code are not remembered
PIECES = 6  # names whose pieces are looked at: the first marked ones, and the last before the mark

_TOKEN = re.compile(  # names first: they are most of what there is
    r"[A-Za-z_]\w*!?|'\w+\b(?!')|\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])'|\d[\w.]*"
    r"|::|->|=>|\.\.=?|&&|\|\||[<>=!+*/%^|&-]=|[^\s\w]"
)
_COMMENT = re.compile(r"//.*")
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")  # of a name: snake_case, CamelCase
_KEYWORDS = frozenset(
    word
    for line in (
        "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod",
        "move mut pub ref return self Self static struct super trait true type union unsafe use where while yield",
    )
    for word in line.split()
)

_LINES: BoundedCache[tuple[str, str, int, int], Named] = BoundedCache(16 << 20)  # which part, line, marked from, to
_TOKENS: BoundedCache[str, str] = BoundedCache(2 << 20)  # token -> token with literals masked


class Place(NamedTuple):
    """A line of code, and what is marked in it, as 0-based columns; the end is exclusive."""

    line: str
    start: int
    end: int


def place_of(span: Span) -> Place:
    """Return the first line of a span that has a text, and what the span marks in it."""
    line = span.text[0]
    start, end = max(span.column_start - 1, 0), span.column_end - 1
    if span.line_end != span.line_start or end <= start:
        end = len(line)
    return Place(line, start, end)


def marked(place: Place) -> Named:
    """Return the tokens of the marked code (``marked``), those beside it on its line (``line``), and marked pairs."""
    key = ("marked", *place)
    return _LINES.get(key) or _kept(key, _marked_names(*sides_of(place)))


def source_parts(diagnostic: Diagnostic, *, mark: bool = True) -> list[Named]:
    """Return what the code around the primary span says, and nothing that the compiler says about it.

    Up to five lines: the marked one and two on each side. ``mark=False`` leaves out even which part of the line the
    compiler marked. Empty where a diagnostic has no code.
    """
    span = diagnostic.primary
    if span is None or not span.text:
        return []
    place = place_of(span) if mark else Place(span.text[0], 0, len(span.text[0]))
    return [marked(place), _structure(place), *[_neighbour(where, line) for where, line in lines_around(span)]]


def _structure(place: Place) -> Named:
    key = ("structure", *place)
    return _LINES.get(key) or _kept(key, _structure_names(*sides_of(place)))


def _neighbour(where: str, line: str) -> Named:
    key = (where, line, 0, 0)
    return _LINES.get(key) or _kept(key, _neighbour_names(where, tokens_of(without_expectations(line))))


def lines_around(span: Span) -> list[tuple[str, str]]:
    """Return the lines around the span, each with where it stands: ``-2`` to ``+2``."""
    before = [(f"-{distance}", line) for distance, line in enumerate(reversed(span.before or ()), 1)]
    return before + [(f"+{distance}", line) for distance, line in enumerate(span.after or (), 1)]


def _kept(key: tuple[str, str, int, int], names: list[str]) -> Named:
    found, length = named(names), len(key[1])
    if length > OFTEN:
        return found
    size = 4 * length + sum(map(len, found.names)) + STRING_BYTES * (len(found.names) + 4)
    return _LINES.keep(key, found, size)


def sides_of(place: Place) -> tuple[list[str], list[str], list[str]]:
    """Return the tokens before the mark, in it, and after it."""
    line = without_expectations(place.line)
    left = tokens_of(line[: place.start][-MAX_LINE:])[-MAX_TOKENS:]
    return left, tokens_of(line[place.start : place.end])[:MAX_TOKENS], tokens_of(line[place.end :])[:MAX_TOKENS]


def without_expectations(line: str) -> str:
    """Return a line without the comments in which rustc's own tests name the answer."""
    return EXPECTATION.sub("", line) if "//" in line else line


def _marked_names(left: list[str], inside: list[str], right: list[str]) -> list[str]:
    names = [f"marked:{token}" for token in inside]
    names += [f"marked:{first} {second}" for first, second in pairwise(inside)]
    names += [f"line:{token}" for token in left + right]
    return names + [f"before:{token}" for token in left[-1:]] + [f"after:{token}" for token in right[:1]]


def _structure_names(left: list[str], inside: list[str], right: list[str]) -> list[str]:
    """Return how the mark sits in its line: longer neighbourhoods, classes of tokens, pieces of names."""
    names = [f"before:{' '.join(left[-n:])}" for n in (2, 3)] + [f"after:{' '.join(right[:n])}" for n in (2, 3)]
    names.append(f"between:{' '.join(left[-1:])} … {' '.join(right[:1])}")
    names += [f"line:{first} {second}" for first, second in pairwise([*left, "…", *right])]
    names.append(f"all marked:{' '.join(inside)[:80]}")
    names += _class_names([[class_of(token) for token in tokens] for tokens in (left, inside, right)])
    for token in inside[:PIECES]:
        if token[0].isalpha():
            names += [f"piece:{piece}" for piece in pieces_of(token)] + [f"starts:{token[:3]}", f"ends:{token[-3:]}"]
    for token in left[-4:]:
        if token[0].isalpha():
            names += [f"piece before:{piece}" for piece in pieces_of(token)]
    return names


def _class_names(classes: Sequence[list[str]]) -> list[str]:
    left, inside, right = classes
    names = [f"classes:{' '.join(inside[:8])}"]
    names += [f"classes:{a} {b} {c}" for a, b, c in zip(inside, inside[1:], inside[2:], strict=False)]
    names.append(f"around:{' '.join(left[-2:])} [{' '.join(inside[:3])}] {' '.join(right[:2])}")
    names.append(
        f"edges:{' '.join(left[-1:])} [{inside[0]} … {inside[-1]}] {' '.join(right[:1])}" if inside else "edges:"
    )
    names.append(f"leads to {len(inside)}:{' '.join(left[-3:])}")
    names.append(f"follows {len(inside)}:{' '.join(right[:3])}")
    return [*names, f"line starts:{' '.join([*left, *inside, *right][:3])}"]


def _neighbour_names(where: str, tokens: list[str]) -> list[str]:
    return [f"near:{token}" for token in tokens[:MAX_TOKENS]] + [f"line {where}:{' '.join(tokens[:2])}"]


def pieces_of(name: str) -> list[str]:
    """Return the words that a name is put together from, in lower case."""
    return [piece.lower() for piece in _PIECE.findall(name)]


def class_of(token: str) -> str:
    """Return what kind of token this is; keywords and marks stand for themselves."""
    if token in _KEYWORDS or not (token[0].isalpha() or token[0] == "_"):
        return token
    if token.endswith("!"):
        return "macro!"
    if token.isupper():
        return "CONSTANT" if len(token) > 1 else "T"
    return "Type" if token[0].isupper() else "name"


def tokens_of(code: str) -> list[str]:
    """Return the tokens of a line, literals by their kind, comments left out."""
    code = code[:MAX_LINE]
    known = _TOKENS
    return [
        known.get(token) or _token(token) for token in _TOKEN.findall(_COMMENT.sub("", code) if "//" in code else code)
    ]


def _token(token: str) -> str:
    return _TOKENS.keep(token, _masked_token(token), 4 * len(token) + NAME_BYTES)


def _masked_token(token: str) -> str:
    if token[0] == '"':
        return "<string>"
    if token[0] == "'":
        return "<char>" if token.endswith("'") else "<lifetime>"
    if token[0].isdigit():
        return "<fraction>" if "." in token else "<number>"
    return CODE.sub("<code>", token)[:40]
