"""Examples as text, for an encoder: the masked message and the marked code, or the code alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.batch.dataset import label_of
from models.diagnostics import Diagnostic
from models.evaluation.splits import Entry
from models.masking import CODE, EXPECTATION, mask
from models.records import CompilerErrors

MAX_CHARS = 2_000


def texts(
    entries: Sequence[Entry[CompilerErrors]],
    task: str,
    labels: str = "main",
    said: Mapping[tuple[str, int], str] | None = None,
) -> list[str]:
    """Return one text for each example of ``collect`` with the same arguments, in its order."""
    return [
        text_of(task, one)
        for entry in entries
        for place, one in enumerate(entry.item.diagnostics)
        if label_of(entry.item, place, labels, said or {}) is not None
    ]


def text_of(task: str, diagnostic: Diagnostic) -> str:
    """Return a diagnostic as an encoder reads it; no code of the compiler's, no path."""
    span = diagnostic.primary
    lines = [*(span.before or ()), *span.text[:1], *(span.after or ())] if span is not None else []
    code = "\n".join(CODE.sub("", EXPECTATION.sub("", line)) for line in lines)
    said = "" if task == "source" else mask(diagnostic.message)
    return f"{said}\n{code}".strip()[:MAX_CHARS]
