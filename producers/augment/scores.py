"""How good and how different programs are, told from their syntax trees.

A program is compared as the bag of its tree's fragments: each node with its parent and place, names left out. The
similarity of two bags is the cosine of their counts, their distance 1 minus the Jaccard index of what they contain.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from math import sqrt

MAX_PAIRS = 2_000  # compared for a diversity: neighbours at growing distance
PARTS = 4  # of a quality


@lru_cache(maxsize=4_096)
def fragments(source: str) -> Counter[str] | None:
    """Return the fragments of a program's tree with their counts; nothing if it does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        kind = type(node).__name__
        found[kind] += 1
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    found[f"{kind}.{name}:{type(child).__name__}"] += 1
                elif name == "value" and child is not None:
                    found[f"{kind}.{name}={child!r:.40}"] += 1
    return found


def similarity(one: str, other: str) -> float:
    """Return the cosine of two programs' fragments, 0 to 1; 0 where one does not parse."""
    a, b = fragments(one), fragments(other)
    if not a or not b:
        return 0.0
    shared = sum(count * b[name] for name, count in a.items())
    return shared / sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values()))


def distance(one: str, other: str) -> float:
    """Return 1 minus the share of fragments (with multiplicity) that two programs have in common."""
    a, b = fragments(one), fragments(other)
    if not a or not b:
        return 1.0
    common = (a & b).total()
    return 1.0 - common / (a.total() + b.total() - common)


def diversity(programs: Sequence[str]) -> float:
    """Return the mean distance of pairs of programs, at most ``MAX_PAIRS`` of them; 0 for less than two programs."""
    count = len(programs)
    pairs = ((place, place + step) for step in range(1, count) for place in range(count - step))
    found = [distance(programs[a], programs[b]) for a, b in islice(pairs, MAX_PAIRS)]
    return sum(found) / len(found) if found else 0.0


def quality(source: str, variant: str) -> float:
    """Return how good a variant is, 0 to 1: it parses, differs, keeps its functions' signatures and its size.

    Each counts a quarter; a variant that does not parse is worth nothing. Size counts by how far the number of nodes
    is from the original's, as a share.
    """
    before, after = fragments(source), fragments(variant)
    if not after or not before:
        return 0.0
    size = min(before.total(), after.total()) / max(before.total(), after.total())
    kept = _signatures(source) == _signatures(variant)
    return (1.0 + (variant != source) + kept + size) / PARTS


def _signatures(source: str) -> list[tuple[str, str, str]]:
    """Return the public functions of a program: name, parameters with types, type of the result."""
    return [
        (node.name, ast.unparse(node.args), ast.unparse(node.returns) if node.returns else "")
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
