"""Diagnostic → named features: masked message, notes and labels, the code under the span, a few counts.

Never a feature: the error code, file names and paths, the compiler's ``rendered`` text and explanation, expectation
comments, and anything from after the prediction; they would name the answer instead of describing the failure.

A feature is a readable name (``message:mismatched types``) with a value; classifiers hash the names, explanations
print them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import pairwise

from models.caching import BoundedCache
from models.diagnostics import Diagnostic, Span
from models.hashing import NAME_BYTES, Named, named
from models.masking import CODE, EXPECTATION, MAX_MASKED, mask, words

MAX_NOTES = 4  # of a diagnostic; later ones repeat themselves
MAX_LINE = 240  # characters of a source line around the span
MAX_CODE_TOKENS = 48
MAX_WORDS = 160  # of one text; few compilers' messages have more, and each may cost three features

_TOKEN = re.compile(  # names first: they are most of what there is
    r"[A-Za-z_]\w*!?|'\w+\b(?!')|\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])'|\d[\w.]*"
    r"|::|->|=>|\.\.=?|&&|\|\||[<>=!+*/%^|&-]=|[^\s\w]"
)
_COMMENT = re.compile(r"//.*")
COUNTED = ("spans:", "notes:", "suggestions:", "position:", "errors in build:", "message length:", "bias")
_BUCKETS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55)  # a count is named by the largest of these that is not above it
MAX_COUNT = MAX_MASKED >> 3  # the largest of all counts: a message's length in eights
_BUCKET_OF = tuple(_BUCKETS[bisect_right(_BUCKETS, count) - 1] for count in range(MAX_COUNT + 1))

_OFTEN = 400  # characters: longer lines of code are not remembered

Features = dict[str, float]

STRING_BYTES = 60  # of a string and its place in a tuple, beside its characters
_TEXTS: BoundedCache[tuple[str, tuple[str, ...]], Named] = BoundedCache(24 << 20)  # where, masked texts
_LINES: BoundedCache[tuple[str, int, int], Named] = BoundedCache(8 << 20)  # line of code, marked from, marked to
_TOKENS: BoundedCache[str, str] = BoundedCache(2 << 20)  # token -> token with literals masked
_COUNTS: BoundedCache[tuple[int, ...], Named] = BoundedCache(1 << 20)


def extract(diagnostic: Diagnostic, position: int = 0, total: int = 1) -> Features:
    """Return the features of ``diagnostic``, the ``position``-th of ``total`` of its build.

    Some hundred for what compilers say, below 5,000 for anything.
    """
    return {name: 1.0 for part in parts(diagnostic, position, total) for name in part.names}


def parts(diagnostic: Diagnostic, position: int = 0, total: int = 1) -> list[Named]:
    """Return the same features by where they come from, with their hashes; no name stands in two parts.

    The first part holds the counts (``COUNTED``). Texts that were met before cost a look-up.
    """
    found = [_counts(diagnostic, position, total), _words("message", (mask(diagnostic.message),))]
    if diagnostic.notes or diagnostic.suggestions:
        notes = diagnostic.notes[:MAX_NOTES]
        advice = [note.message for note in notes if note.level == "help"]
        advice += [suggestion.message for suggestion in diagnostic.suggestions[:MAX_NOTES]]
        found += _texts("note", [note.message for note in notes if note.level != "help"])
        found += _texts("help", advice)
    if diagnostic.spans:
        spans = diagnostic.spans[:MAX_NOTES]
        found += _texts("label", [span.label for span in spans if span.label and span.is_primary])
        found += _texts("context", [span.label for span in spans if span.label and not span.is_primary])
        primary = diagnostic.primary
        if primary is not None and primary.text:
            found.append(_code(primary))
    return found


def _texts(where: str, texts: list[str]) -> list[Named]:
    return [_words(where, tuple([mask(text) for text in texts]))] if texts else []


def _words(where: str, masked: tuple[str, ...]) -> Named:
    """Return the words and neighbouring pairs of masked texts, named by where they stood."""
    known = _TEXTS.get((where, masked))
    if known is not None:
        return known
    names = _names(where, masked[0]) if len(masked) == 1 else _names_of_all(where, masked)
    found = named(names)
    size = sum(map(len, found.names)) + STRING_BYTES * (len(found.names) + 4) + sum(map(len, masked))
    return _TEXTS.keep((where, masked), found, size)


def _names_of_all(where: str, masked: tuple[str, ...]) -> list[str]:
    return [name for text in masked for name in _words(where, (text,)).names]


def _names(where: str, masked: str) -> list[str]:
    found = words(masked)[:MAX_WORDS]
    names = [f"{where}:{word}" for word in found]
    names += [f"{where}:{first} {second}" for first, second in pairwise(found)]
    if where == "message":
        names += [f"{where}:{a} {b} {c}" for a, b, c in zip(found, found[1:], found[2:], strict=False)]
    return names


def _code(span: Span) -> Named:
    """Return the tokens of the marked code (``marked``), those beside it on its line (``line``), and marked pairs."""
    text = span.text[0]
    start, end = max(span.column_start - 1, 0), span.column_end - 1
    if span.line_end != span.line_start or end <= start:
        end = len(text)
    known = _LINES.get((text, start, end))
    if known is not None:
        return known
    found = named(_code_names(EXPECTATION.sub("", text) if "//" in text else text, start, end))
    if len(text) > _OFTEN:
        return found
    size = 4 * len(text) + 2 * STRING_BYTES * (len(found.names) + 2)  # a token has 40 characters at most
    return _LINES.keep((text, start, end), found, size)


def _code_names(line: str, start: int, end: int) -> list[str]:
    inside, right = _tokens(line[start:end])[:MAX_CODE_TOKENS], _tokens(line[end:])[:MAX_CODE_TOKENS]
    left = _tokens(line[:start][-MAX_LINE:])[-MAX_CODE_TOKENS:]
    names = [f"marked:{token}" for token in inside]
    names += [f"marked:{first} {second}" for first, second in pairwise(inside)]
    names += [f"line:{token}" for token in left + right]
    return names + [f"before:{token}" for token in left[-1:]] + [f"after:{token}" for token in right[:1]]


def _tokens(code: str) -> list[str]:
    code = code[:MAX_LINE]
    known = _TOKENS
    return [
        known.get(token) or _token(token) for token in _TOKEN.findall(_COMMENT.sub("", code) if "//" in code else code)
    ]


def _token(token: str) -> str:
    """Return a token of Rust with literals masked; names are kept, methods such as ``.unwrap`` say much."""
    return _TOKENS.keep(token, _masked_token(token), 4 * len(token) + NAME_BYTES)


def _masked_token(token: str) -> str:
    if token[0] == '"':
        return "<string>"
    if token[0] == "'":
        return "<char>" if token.endswith("'") else "<lifetime>"
    return "<number>" if token[0].isdigit() else CODE.sub("<code>", token)[:40]


def _counts(diagnostic: Diagnostic, position: int, total: int) -> Named:
    table = _BUCKET_OF
    counts = (
        table[len(diagnostic.spans)],
        table[len(diagnostic.notes)],
        table[len(diagnostic.suggestions)],
        table[min(position, MAX_COUNT)],
        table[min(total, MAX_COUNT)],
        table[min(len(diagnostic.message), MAX_MASKED) >> 3],
    )
    known = _COUNTS.get(counts)
    if known is not None:
        return known
    found = named(["bias", *(f"{what}{count}" for what, count in zip(COUNTED, counts, strict=False))])
    return _COUNTS.keep(counts, found, 8 * NAME_BYTES)
