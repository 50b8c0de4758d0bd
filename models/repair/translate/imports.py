"""What names a Python program imports."""

from __future__ import annotations

import ast


def imported(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """Return the local names that an import makes, and what they stand for (``math``, ``math.sqrt``)."""
    if isinstance(node, ast.Import):
        return {one.asname or one.name.partition(".")[0]: one.name for one in node.names}
    return {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}


def all_imported(module: ast.Module) -> dict[str, str]:
    """Return the names imported at the top level."""
    found: dict[str, str] = {}
    for node in module.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= imported(node)
    return found
