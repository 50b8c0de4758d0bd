"""What is in a corpus of programs: levels, types, constructs, diversity; and which categories of defects it reached."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pyarrow as pa

from models.programs.constructs import of_node
from models.taxonomy import CATEGORIES, MAIN_LABELS, PARENTS
from producers.programs_corpus import ProgramRow

EVERY: Final = 256  # programs, of which one is looked into: to do so costs ten times as much as to make one
FIRST: Final = 64  # programs that are looked into all the same
FREQUENT: Final = 40

FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "branches": ("conditional expression", "match"),
    "loops": ("for", "while", "break", "continue", "loop else"),
    "comprehensions": ("list comprehension", "set comprehension", "dict comprehension", "generator expression"),
    "texts": ("f-string", "format specification", "format conversion"),
    "slices": ("slice", "negative slice", "slice with step", "negative index"),
    "arithmetic": ("floor division", "power", "bit operation", "big integer"),
    "containers": ("dict literal", "set literal", "unpacking", "for with unpacking", "starred expression"),
    "functions": ("lambda", "nonlocal", "default argument", "*args", "keyword-only parameter", "yield"),
    "classes": ("class", "class with bases", "decorator dataclass"),
    "exceptions": ("except", "raise", "finally", "try else"),
    "imports": ("import math", "import typing", "import dataclasses"),
    "assignment": ("walrus", "chained assignment", "del"),
}
"""Families of constructs; one is reached when any of its constructs is there."""


class Statistics:
    """Counts over the programs of a corpus; constructs and diversity are of the ``FIRST`` and one in ``EVERY``."""

    def __init__(self) -> None:
        self.programs = 0
        self._levels: Counter[str] = Counter()
        self._strategies: Counter[str] = Counter()
        self._types: Counter[str] = Counter()
        self._constructs: Counter[str] = Counter()
        self._looked_into = 0
        self._before: frozenset[object] = frozenset()
        self._distance = 0.0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in a batch as a corpus has it."""
        for counts, name in ((self._levels, "level"), (self._strategies, "strategy")):
            counts.update({one["values"]: one["counts"] for one in batch.column(name).value_counts().to_pylist()})
        entries = batch.column("entry_points").flatten()
        kinds = entries.field("parameters").flatten().field("type")
        self._types.update({one["values"]: one["counts"] for one in kinds.value_counts().to_pylist()})
        sources = batch.column("source")
        for place in range(batch.num_rows):
            if self._is_sampled(self.programs + place):
                self._look_into(sources[place].as_py())
        self.programs += batch.num_rows

    def add_row(self, row: ProgramRow) -> None:
        """Take in one program."""
        self._levels[row.level] += 1
        self._strategies[row.strategy] += 1
        self._types.update(each.type for one in row.entry_points for each in one.parameters)
        if self._is_sampled(self.programs):
            self._look_into(row.source)
        self.programs += 1

    @staticmethod
    def _is_sampled(number: int) -> bool:
        return number < FIRST or number % EVERY == 0

    def _look_into(self, source: str) -> None:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self._constructs["not Python"] += 1
            return
        self._constructs.update(set(_constructs(tree)))
        chains = frozenset(_chains(tree))
        if self._looked_into:
            union = len(chains | self._before)
            self._distance += 1.0 - len(chains & self._before) / union if union else 0.0
        self._before = chains
        self._looked_into += 1

    def document(self) -> dict[str, Any]:
        """Return the statistics as JSON-able data.

        ``diversity`` is the mean Jaccard distance, 0 to 1, of the pairs of AST nodes (parent, child) of two programs.
        """
        reached = [name for name, members in FAMILIES.items() if any(one in self._constructs for one in members)]
        return {
            "programs": self.programs,
            "levels": dict(self._levels.most_common()),
            "strategies": dict(self._strategies.most_common()),
            "types": dict(self._types.most_common()),
            "looked_into": self._looked_into,
            "constructs": len(self._constructs),
            "frequent": dict(self._constructs.most_common(FREQUENT)),
            "families": len(FAMILIES),
            "families_reached": len(reached),
            "diversity": self._distance / (self._looked_into - 1) if self._looked_into > 1 else 0.0,
        }


def _constructs(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        yield from of_node(node)


def _chains(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            yield type(node).__name__, type(child).__name__


def category_coverage(categories: Iterable[str]) -> dict[str, Any]:
    """Return how many of the taxonomy's categories the failures of programs reached; a finer one reaches its parent."""
    met = set(categories)
    met |= {PARENTS[one] for one in met if one in PARENTS}
    return {
        "main": len(met & set(MAIN_LABELS)),
        "of_main": len(MAIN_LABELS),
        "all": len(met & set(CATEGORIES)),
        "of_all": len(CATEGORIES),
        "missing": sorted(set(CATEGORIES) - met),
    }
