"""Diagnostic → named features: masked message, notes and labels, the code under the span, a few counts.

Never a feature: the error code, file names and paths, the compiler's ``rendered`` text and explanation, expectation
comments, and anything from after the prediction; they would name the answer instead of describing the failure.

A feature is a readable name (``message:mismatched types``) with a value; classifiers hash the names, explanations
print them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from models.diagnostics import Diagnostic, Span
from models.masking import CODE, EXPECTATION, MAX_MASKED, mask, words

MAX_NOTES = 4  # of a diagnostic; later ones repeat themselves
MAX_LINE = 240  # characters of a source line around the span
MAX_CODE_TOKENS = 48
MAX_WORDS = 160  # of one text; few compilers' messages have more, and each may cost three features

_TOKEN = re.compile(
    r"'\w+\b(?!')|\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])'|[A-Za-z_]\w*!?|\d[\w.]*|::|->|=>|\.\.=?|&&|\|\||[<>=!+*/%^|&-]=|[^\s\w]"
)
_COMMENT = re.compile(r"//.*")
COUNTED = ("spans:", "notes:", "suggestions:", "position:", "errors in build:", "message length:", "bias")
_BUCKETS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55)

Features = dict[str, float]


def extract(diagnostic: Diagnostic, position: int = 0, total: int = 1) -> Features:
    """Return the features of ``diagnostic``, the ``position``-th of ``total`` of its build.

    Some hundred for what compilers say, below 5,000 for anything.
    """
    names = {"bias": 1.0}
    names.update(_text("message", diagnostic.message))
    for note in diagnostic.notes[:MAX_NOTES]:
        names.update(_text(note.level if note.level == "help" else "note", note.message))
    for suggestion in diagnostic.suggestions[:MAX_NOTES]:
        names.update(_text("help", suggestion.message))
    for span in diagnostic.spans[:MAX_NOTES]:
        if span.label:
            names.update(_text("label" if span.is_primary else "context", span.label))
    primary = diagnostic.primary
    if primary is not None:
        names.update(_code(primary))
    names.update(_counts(diagnostic, position, total))
    return names


def _text(where: str, text: str) -> Features:
    return _words(where, mask(text))


@lru_cache(maxsize=4_096)
def _words(where: str, masked: str) -> Features:
    """Return the words and neighbouring pairs of a masked text, named by where it stood."""
    found = words(masked)[:MAX_WORDS]
    names = [f"{where}:{word}" for word in found]
    names += [f"{where}:{first} {second}" for first, second in pairwise(found)]
    if where == "message":
        names += [f"{where}:{a} {b} {c}" for a, b, c in zip(found, found[1:], found[2:], strict=False)]
    return dict.fromkeys(names, 1.0)


def _code(span: Span) -> Features:
    """Return the tokens of the marked code (``marked``), those beside it on its line (``line``), and marked pairs."""
    if not span.text:
        return {}
    line = EXPECTATION.sub("", span.text[0])
    start, end = max(span.column_start - 1, 0), span.column_end - 1
    if span.line_end != span.line_start or end <= start:
        end = len(line)
    inside, right = _tokens(line[start:end])[:MAX_CODE_TOKENS], _tokens(line[end:])[:MAX_CODE_TOKENS]
    left = _tokens(line[:start][-MAX_LINE:])[-MAX_CODE_TOKENS:]
    names = [f"marked:{token}" for token in inside]
    names += [f"marked:{first} {second}" for first, second in pairwise(inside)]
    names += [f"line:{token}" for token in left + right]
    names += [f"before:{token}" for token in left[-1:]] + [f"after:{token}" for token in right[:1]]
    return dict.fromkeys(names, 1.0)


def _tokens(code: str) -> list[str]:
    return [_token(token) for token in _TOKEN.findall(_COMMENT.sub("", code[:MAX_LINE]))]


def _token(token: str) -> str:
    """Return a token of Rust with literals masked; names are kept, methods such as ``.unwrap`` say much."""
    if token[0] == '"':
        return "<string>"
    if token[0] == "'":
        return "<char>" if token.endswith("'") else "<lifetime>"
    return "<number>" if token[0].isdigit() else CODE.sub("<code>", token)[:40]


def _counts(diagnostic: Diagnostic, position: int, total: int) -> Features:
    return {
        f"spans:{_bucket(len(diagnostic.spans))}": 1.0,
        f"notes:{_bucket(len(diagnostic.notes))}": 1.0,
        f"suggestions:{_bucket(len(diagnostic.suggestions))}": 1.0,
        f"position:{_bucket(position)}": 1.0,
        f"errors in build:{_bucket(total)}": 1.0,
        f"message length:{_bucket(min(len(diagnostic.message), MAX_MASKED) // 8)}": 1.0,
    }


def _bucket(count: int) -> int:
    """Return the largest of a few fixed bounds that is not above ``count``."""
    return max(bound for bound in _BUCKETS if bound <= count)
