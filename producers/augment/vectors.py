"""Programs as vectors of counts, and MixUp: examples between them, for training only.

What lies between two programs is no program; it is an example that a learner may be shown.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Written down: the kinds that ``ast`` has differ between versions of Python, and vectors are kept.
KINDS: tuple[str, ...] = (
    *("FunctionDef", "ClassDef", "Return", "Delete", "Assign", "AugAssign", "AnnAssign", "For", "While"),
    *("If", "With", "Raise", "Try", "Assert", "Import", "ImportFrom", "Global", "Nonlocal", "Expr", "Pass"),
    *("Break", "Continue", "Match", "BoolOp", "NamedExpr", "BinOp", "UnaryOp", "Lambda", "IfExp", "Dict"),
    *("Set", "ListComp", "SetComp", "DictComp", "GeneratorExp", "Yield", "Compare", "Call", "JoinedStr"),
    *("Constant", "Attribute", "Subscript", "Starred", "Name", "List", "Tuple", "Slice", "Add", "Sub"),
    *("Mult", "Div", "FloorDiv", "Mod", "Pow", "LShift", "RShift", "BitOr", "BitXor", "BitAnd", "And", "Or"),
    *("Not", "Invert", "USub", "Eq", "NotEq", "Lt", "LtE", "Gt", "GtE", "Is", "IsNot", "In", "NotIn", "arg"),
    *("ExceptHandler"),
)
DEPTHS = 8  # of statements within each other that are told apart
ALPHA = 0.2  # of MixUp's Beta distribution: Zhang et al. use .1 to .4

Vectors = NDArray[np.float64]


def vector(source: str) -> Vectors:
    """Return the counts of each kind of node, of statements by depth, and the logarithm of the size: shape (features,).

    Raises ``SyntaxError`` for what does not parse.
    """
    tree = ast.parse(source)
    place = {name: number for number, name in enumerate(KINDS)}
    counts = np.zeros(len(KINDS) + DEPTHS + 1)
    for node in ast.walk(tree):
        if (at := place.get(type(node).__name__)) is not None:
            counts[at] += 1
    for depth, count in _statements(tree.body, 0):
        counts[len(KINDS) + min(depth, DEPTHS - 1)] += count
    counts[-1] = np.log1p(counts[: len(KINDS)].sum())
    return counts


def _statements(body: Sequence[ast.stmt], depth: int) -> list[tuple[int, int]]:
    found = [(depth, len(body))]
    for statement in body:
        for name in ("body", "orelse", "finalbody"):
            if inner := getattr(statement, name, []):
                found += _statements(inner, depth + 1)
    return found


def mixup(examples: Vectors, labels: Vectors, count: int, seed: int, alpha: float = ALPHA) -> tuple[Vectors, Vectors]:
    """Return ``count`` examples between two that are drawn, with labels mixed alike.

    ``examples`` has shape (n, features), ``labels`` (n, classes) with rows that sum to 1; so do the results. Zhang,
    Cisse, Dauphin and Lopez-Paz, "mixup: Beyond Empirical Risk Minimization" (ICLR 2018).
    """
    if len(examples) != len(labels) or not len(examples):
        raise ValueError(f"{len(examples)} examples and {len(labels)} labels: as many of each, one at least")
    random = np.random.default_rng(seed)
    one, other = random.integers(0, len(examples), (2, count))
    share = random.beta(alpha, alpha, (count, 1))
    return (
        share * examples[one] + (1.0 - share) * examples[other],
        share * labels[one] + (1.0 - share) * labels[other],
    )
