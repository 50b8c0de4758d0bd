"""Cuts small Python programs out of the topic files in ``programs/``: one to three functions or classes each.

A program is made of whole top-level definitions, everything in their file that they need, and the imports those
use. The draw is seeded: the same topic files give the same programs, under the same ids, on every machine.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

SEED = 20260401
MIXED_PROGRAMS = 330  # on top of one program per definition

Choice = tuple[tuple[str, str], ...]  # (topic, definition) pairs


@dataclass(frozen=True)
class Program:
    """A program to be transpiled; ``index`` counts from 0 and gives the id."""

    index: int
    source: str

    @property
    def id(self) -> str:
        """Return the program's id, also the stem of its files: ``p0000``."""
        return f"p{self.index:04d}"


class Topic:
    """One topic file: its top-level definitions and assignments by name, and its imports."""

    def __init__(self, source: str) -> None:
        self._lines = source.splitlines()
        body = ast.parse(source).body
        self._imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
        self._nodes = {name: node for node in body for name in _defined(node)}
        self._uses = {name: _used(node) for name, node in self._nodes.items()}

    @property
    def definitions(self) -> list[str]:
        """Return the names of the functions and classes, in file order."""
        return [name for name, node in self._nodes.items() if not isinstance(node, (ast.Assign, ast.AnnAssign))]

    def closure(self, wanted: set[str]) -> list[str]:
        """Return ``wanted`` and every name of this file they need, in file order."""
        found: set[str] = set()
        pending = set(wanted)
        while pending:
            found |= pending
            pending = {name for known in pending for name in self._uses[known]} & self._nodes.keys() - found
        return [name for name in self._nodes if name in found]

    def imports(self, names: list[str]) -> list[str]:
        """Return the import lines that the definitions ``names`` use, and no others."""
        used = {word for name in names for word in self._uses[name]}
        return [line for node in self._imports if (line := _import_line(node, used))]

    def text(self, name: str) -> str:
        """Return the source text of one definition, decorators and all."""
        node = self._nodes[name]
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
        return "\n".join(self._lines[first - 1 : node.end_lineno])


def topics() -> dict[str, Topic]:
    """Return the bundled topic files by name, in alphabetical order."""
    folder = files(__package__) / "programs"
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".py")), key=lambda entry: entry.name)
    return {entry.name.removesuffix(".py"): Topic(entry.read_text(encoding="utf-8")) for entry in found}


def programs() -> list[Program]:
    """Return every program: each definition alone, then seeded mixtures; distinct, in shuffled order."""
    known = topics()
    rng = random.Random(SEED)  # noqa: S311 - a repeatable draw, not a secret
    sources = dict.fromkeys(_source(known, choice) for choice in _choices(known, rng))
    ordered = [source for source in sources if source]
    rng.shuffle(ordered)
    return [Program(index, source) for index, source in enumerate(ordered)]


def _choices(known: Mapping[str, Topic], rng: random.Random) -> Iterator[Choice]:
    alone = [(topic, name) for topic in known for name in known[topic].definitions]
    yield from ((one,) for one in alone)
    for _ in range(MIXED_PROGRAMS):
        first, second = rng.choice(alone), rng.choice(alone)
        neighbours = [(first[0], name) for name in known[first[0]].definitions if name != first[1]]
        yield (first, rng.choice(neighbours)) if rng.random() < 0.5 else (first, second, rng.choice(neighbours))


def _source(known: Mapping[str, Topic], choice: Choice) -> str:
    """Return the program's text, or nothing when two topics define the same name."""
    wanted: dict[str, set[str]] = {}
    for topic, name in choice:
        wanted.setdefault(topic, set()).add(name)
    names = {topic: known[topic].closure(some) for topic, some in sorted(wanted.items())}
    if len({name for some in names.values() for name in some}) < sum(map(len, names.values())):
        return ""
    imports = {line for topic, some in names.items() for line in known[topic].imports(some)}
    blocks = [known[topic].text(name) for topic, some in names.items() for name in some]
    return "\n\n\n".join(["\n".join(sorted(imports)), *blocks] if imports else blocks) + "\n"


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _used(node: ast.stmt) -> set[str]:
    """Return the names used in ``node``; quoted annotations count as well."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    quoted = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return names | {text for text in quoted if text.isidentifier()}


def _import_line(node: ast.Import | ast.ImportFrom, used: set[str]) -> str:
    kept = [alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) in used]
    if not kept:
        return ""
    if isinstance(node, ast.Import):
        return ast.unparse(ast.Import(names=kept))
    return ast.unparse(ast.ImportFrom(module=node.module, names=kept, level=node.level))
