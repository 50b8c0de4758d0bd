"""Templates: a function of a program, used by a new function of a known shape beside it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from random import Random

from producers.augment.edits import names_of, parse
from producers.augment.protocol import Scored

# ``{f}`` is the function, ``{new}`` the name of the new one, ``{a}`` its parameter's type and ``{r}`` its result's.
MAP = "def {new}(values: list[{a}]) -> list[{r}]:\n    return [{f}(value) for value in values]\n"
LOOP = (
    "def {new}(values: list[{a}]) -> list[{r}]:\n    results: list[{r}] = []\n    for value in values:\n"
    "        results.append({f}(value))\n    return results\n"
)
TABLE = (
    "def {new}(values: list[{a}]) -> dict[{a}, {r}]:\n    table: dict[{a}, {r}] = {{}}\n    for value in values:\n"
    "        table[value] = {f}(value)\n    return table\n"
)
TWICE = "def {new}(value: {a}) -> {r}:\n    return {f}({f}(value))\n"
TOTAL = (
    "def {new}(values: list[{a}]) -> {r}:\n    total: {r} = 0\n    for value in values:\n"
    "        total = total + {f}(value)\n    return total\n"
)
GUARD = "def {new}(value: {a}, wanted: bool, otherwise: {r}) -> {r}:\n    return {f}(value) if wanted else otherwise\n"
HASHABLE = frozenset({"int", "str", "bool"})


@dataclass(frozen=True)
class Template(Scored):
    """A function with one parameter gets a caller: mapped, looped over, tabulated, applied twice, summed or guarded."""

    name: str = "template"
    keeps_behaviour: bool = True  # of the functions that were there

    def generate(self, source: str, random: Random) -> str | None:
        """Return the program with a caller at its end; ``Augmenter.generate`` says more."""
        module = parse(source)
        choices = _choices(source) if module is not None else []
        if module is None or not choices:
            return None
        function, kind, result, shape = random.choice(choices)
        names, number = names_of(module), 1
        while f"{function}_all_{number}" in names:
            number += 1
        added = shape.format(f=function, new=f"{function}_all_{number}", a=kind, r=result)
        return f"{source.rstrip()}\n\n\n{added}"


def _choices(source: str) -> list[tuple[str, str, str, str]]:
    """Return function, types and template of every caller that fits."""
    found = []
    for node in ast.parse(source).body:
        if not isinstance(node, ast.FunctionDef) or node.returns is None or node.decorator_list:
            continue
        plain = node.args
        if len(plain.args) != 1 or plain.vararg or plain.kwarg or plain.kwonlyargs or plain.posonlyargs:
            continue
        if (annotation := plain.args[0].annotation) is None:
            continue
        kind, result = ast.unparse(annotation), ast.unparse(node.returns)
        if result != "None":
            found += [(node.name, kind, result, shape) for shape in _shapes(kind, result)]
    return found


def _shapes(kind: str, result: str) -> list[str]:
    shapes = [MAP, LOOP, GUARD]
    shapes += [TABLE] if kind in HASHABLE else []
    shapes += [TWICE] if kind == result else []
    return [*shapes, TOTAL] if result == "int" else shapes
