"""How a diagnostic becomes the features of a batch task: one description for training, distilling and serving.

``category`` is what the stream's classifier sees (``models.features.parts``: masked message, notes, labels, marked
code). ``source`` is code alone: up to five lines and the mark, as the stream's source task sees them, and what the
lines around say beyond that (``models.window_features``); not a word of the compiler's. Codes, names of files and paths
enter neither.
"""

from __future__ import annotations

from collections.abc import Callable

from models.code_features import source_parts
from models.diagnostics import Diagnostic
from models.features import parts
from models.hashing import Named
from models.window_features import window_parts

VERSION = 1  # of all descriptions together; a model of another version is refused

Describe = Callable[[Diagnostic, int, int], list[Named]]


def _source(diagnostic: Diagnostic, _position: int, _total: int) -> list[Named]:
    return [*source_parts(diagnostic), *window_parts(diagnostic)]


DESCRIPTIONS: dict[str, Describe] = {"category": parts, "source": _source}


def describe(task: str, diagnostic: Diagnostic, position: int = 0, total: int = 1) -> list[Named]:
    """Return the features of ``diagnostic``, the ``position``-th of ``total`` of its build, for ``task``.

    Raises ``ValueError`` that lists the known tasks.
    """
    if task not in DESCRIPTIONS:
        raise ValueError(f"task {task!r}: allowed are {', '.join(DESCRIPTIONS)}")
    return DESCRIPTIONS[task](diagnostic, position, total)
