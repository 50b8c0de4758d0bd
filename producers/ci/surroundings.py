"""The lines of code around each span, where the source that was compiled is at hand."""

from __future__ import annotations

from collections.abc import Sequence

from models.diagnostics import SURROUNDING_LINES, Diagnostic, Span
from producers.ci.bounds import cut, well_formed
from producers.ci.rustc_json import MAX_LINE_CHARS

MAX_SPANS = 4  # of a diagnostic that get their surroundings; later ones say little


def with_surroundings(diagnostic: Diagnostic, file: str | None, source: Sequence[str]) -> Diagnostic:
    """Return the diagnostic with the lines of ``source`` before and after its first spans in ``file``.

    ``source`` is the file's text in lines; ``file`` is its name in the spans (``None``: all spans lie in it). A span
    whose text is not what the source has there is left as it is: it comes from a macro or from another file.
    """
    spans = [_surrounded(span, file, source) for span in diagnostic.spans[:MAX_SPANS]]
    return diagnostic.model_copy(update={"spans": (*spans, *diagnostic.spans[MAX_SPANS:])})


def _surrounded(span: Span, file: str | None, source: Sequence[str]) -> Span:
    first, last = span.line_start - 1, max(span.line_end, span.line_start)
    inside = first >= 0 and last <= len(source) and file in (None, span.file)
    if not inside or not span.text or _plain(span.text[0]) not in source[first]:
        return span
    before, after = source[max(first - SURROUNDING_LINES, 0) : first], source[last : last + SURROUNDING_LINES]
    return span.model_copy(update={"before": _lines(before), "after": _lines(after)})


def _plain(text: str) -> str:
    return text.strip("…")


def _lines(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple([cut(well_formed(line), MAX_LINE_CHARS) for line in lines])
