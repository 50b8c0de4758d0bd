"""A diagnostic's numbers, as a network takes them: small, finite, of about one size. Nothing names the answer.

``source`` is shown what the code gives; ``category`` what the message gives, too.
"""

from __future__ import annotations

from math import log1p

from models.diagnostics import Diagnostic, Span

TABULAR = 14  # numbers; those of the message come last
CODE_NUMBERS = 8
INDENT = 4  # columns, as rustfmt has it
LARGEST = 8.0


def numbers(task: str, diagnostic: Diagnostic, position: int, total: int) -> list[float]:
    """Return the ``TABULAR`` numbers of the ``position``-th of ``total`` diagnostics; zeros where ``task`` has none."""
    code = _of_code(diagnostic.primary)
    if task == "source":
        return code + [0.0] * (TABULAR - CODE_NUMBERS)
    counts = (
        len(diagnostic.spans),
        len(diagnostic.notes),
        len(diagnostic.suggestions),
        len(diagnostic.message),
        position,
        total,
    )
    return code + [log1p(count) for count in counts]


def _of_code(span: Span | None) -> list[float]:
    if span is None or not span.text:
        return [0.0] * CODE_NUMBERS
    line = span.text[0]
    around = [*(span.before or ()), *(span.after or ())]
    found = [
        1.0,
        log1p(len(line)),
        log1p(max(span.column_start - 1, 0)),
        log1p(max(span.column_end - span.column_start, 0)),
        log1p(max(span.line_end - span.line_start, 0)),
        _indent(line) / INDENT,
        (_indent(line) - min(map(_indent, filter(str.strip, around)), default=_indent(line))) / INDENT,
        float(len(around)),
    ]
    return [min(max(one, -LARGEST), LARGEST) for one in found]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
