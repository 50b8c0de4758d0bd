"""Local variables get other names, throughout their function."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import libcst as cst

from producers.augment.edits import Edits, as_ast

SEES_NAMES = frozenset({"locals", "vars", "eval", "exec", "globals", "dir"})
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Rename(Edits):
    """A place is a local variable of a function without functions in it; parameters, which callers may name, stay."""

    def leave_FunctionDef(  # noqa: N802 - libcst's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        """Rename in a function."""
        chosen = [name for name in locals_of(as_ast(original_node)) if self.act()]
        changed = updated_node
        for name in chosen:
            renamed = changed.visit(_Renamer(name, self.fresh(name.strip("_") or "it")))
            changed = renamed if isinstance(renamed, cst.FunctionDef) else changed
        return changed


class _Renamer(cst.CSTTransformer):
    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self._old, self._new = old, new

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:  # noqa: N802
        return updated_node.with_changes(value=self._new) if original_node.value == self._old else updated_node

    def leave_Attribute(  # noqa: N802
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:  # noqa: N802
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Annotation(  # noqa: N802
        self,
        original_node: cst.Annotation,
        updated_node: cst.Annotation,  # noqa: ARG002
    ) -> cst.Annotation:
        return original_node  # a type of the same name is not the variable


def locals_of(function: ast.stmt) -> list[str]:
    """Return the variables of a function that may be renamed: bound in it, and seen from nowhere else."""
    inner = [node for node in ast.walk(function) if isinstance(node, SCOPES) and node is not function]
    if inner or any(isinstance(node, ast.Name) and node.id in SEES_NAMES for node in ast.walk(function)):
        return []
    bound = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return sorted(bound - set(_fixed(function)))


def _fixed(function: ast.stmt) -> Iterator[str]:
    """Yield the names that stay: parameters, shared ones, those of comprehensions and of handlers."""
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, COMPREHENSIONS):
            yield from (
                one.id
                for generator in node.generators
                for one in ast.walk(generator.target)
                if isinstance(one, ast.Name)
            )
