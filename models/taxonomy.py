"""The defect taxonomy: labels, their parents, and what a compiler's code, lint or message says about the defect.

Three tables under ``models/data`` hold the judgement, one row each with its reason; this module only reads them.
``python -m models.taxonomy`` prints ``docs/taxonomy.md``.

Trap: a label's place in ``LABELS`` is part of every saved model. Append; never reorder, rename or remove.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType

UNKNOWN = "Unknown"

CATEGORIES: tuple[str, ...] = (
    "ASTTransform",
    "OwnershipBorrow",
    "StdlibMapping",
    "SecurityVulnerabilities",
    "MemorySafety",
    "ComprehensionBugs",
    "TypeAnnotationGaps",
    "ConcurrencyBugs",
    "TraitBounds",
    "IteratorChain",
    "TypeErrors",
    "OperatorPrecedence",
    "ConfigurationErrors",
    "IntegrationFailures",
    "PerformanceIssues",
    "ApiMisuse",
    "ResourceLeaks",
    "LogicErrors",
)

# The parents follow the code table of paiml/organizational-intelligence-plugin, so that its numbers and ours can be
# compared: it files E0433 and E0425 under StdlibMapping, E0599 under ASTTransform, lifetimes under OwnershipBorrow.
# Style has no home among the 18; LogicErrors is where that table puts the lints nobody sorted further.
PARENTS: Mapping[str, str] = MappingProxyType(
    {
        "LifetimeErrors": "OwnershipBorrow",
        "ImportErrors": "StdlibMapping",
        "UndefinedVariable": "StdlibMapping",
        "MethodNotFound": "ASTTransform",
        "StyleViolations": "LogicErrors",
    }
)

LABELS: tuple[str, ...] = (*CATEGORIES, *PARENTS)

MAIN_LABELS: tuple[str, ...] = (
    "TypeErrors",
    "TraitBounds",
    "OwnershipBorrow",
    "UndefinedVariable",
    "ImportErrors",
    "MethodNotFound",
    "LifetimeErrors",
)

# In compiler order: of several errors in one build, the one of the earliest phase is the likelier cause.
PHASES: tuple[str, ...] = ("parse", "expand", "resolve", "typeck", "borrowck", "lint", "codegen", "link", "other")

MAX_MESSAGE_CHARS = 2_000  # read by the message rules; what rustc says in the first line is far shorter


class TaxonomyError(ValueError):
    """A table that breaks its rules; the message names file, line, what is wrong and what is allowed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one code, lint or message says: ``confidence`` in the label (0–1], ``weight`` (OIP's static weight, > 0)."""

    label: str
    confidence: float
    weight: float
    phase: str
    reason: str


def category_of(label: str) -> str:
    """Return the one of the 18 categories that ``label`` belongs to (itself, or its parent; ``Unknown`` stays)."""
    return PARENTS.get(label, label)


def subcategory_of(label: str) -> str | None:
    """Return ``label`` when it is one of the finer names, else nothing."""
    return label if label in PARENTS else None


def parse_label(text: str) -> str:
    """Return the label that a person typed, whatever its case.

    Raises ``ValueError`` that names the nearest label and all allowed ones.
    """
    names = {label.lower(): label for label in LABELS}
    wanted = text.strip().lower()
    if wanted in names:
        return names[wanted]
    near = difflib.get_close_matches(wanted[:64], names, n=1, cutoff=0.5)
    hint = f"did you mean {names[near[0]]}? " if near else ""
    raise ValueError(f"{text.strip()[:64]!r} is not a category; {hint}Allowed: {', '.join(LABELS)}")


def rule_for(code: str | None, message: str) -> Rule | None:
    """Return what is known about a diagnostic from its code, or from its message when it has none.

    A code is an error code (``E0308``) or a lint's name, with or without ``clippy::``. A code that no table knows
    falls through to the message. ``None`` means Unknown, said explicitly. Never raises, whatever the text.
    """
    by_code = _code_rule(code.strip()) if code else None
    return by_code or _message_rule(message[:MAX_MESSAGE_CHARS])


def _code_rule(code: str) -> Rule | None:
    rule = code_rules().get(code)
    if rule:
        return rule
    name, lints = code.replace("-", "_"), lint_rules()
    # An unlisted clippy lint is newer than the table: it gets what clippy as a whole gets.
    return lints.get(name) or lints.get(f"clippy::{name}") or (lints["clippy::all"] if name[:8] == "clippy::" else None)


@lru_cache(maxsize=4096)
def _message_rule(message: str) -> Rule | None:
    return next((rule for pattern, rule in message_rules() if pattern.search(message)), None)


@cache
def code_rules() -> Mapping[str, Rule]:
    """Return the rule of every error code (``E0308``)."""
    columns = ("code", "label", "confidence", "weight", "phase", "reason")
    return MappingProxyType({row.fields["code"]: row.rule() for row in _rows("rustc_codes.tsv", columns)})


@cache
def lint_rules() -> Mapping[str, Rule]:
    """Return the rule of every lint and clippy group; a lint without a label of its own has its group's rule."""
    columns = ("name", "group", "label", "confidence", "weight", "phase", "reason")
    rules: dict[str, Rule] = {}
    for row in _rows("lints.tsv", columns):
        group = rules.get(row.fields["group"])
        if not row.fields["label"] and group is None:
            raise row.error("group", "one of the groups above it, because the row has no label of its own")
        rules[row.fields["name"]] = row.rule() if row.fields["label"] or group is None else group
    return MappingProxyType(rules)


@cache
def message_rules() -> tuple[tuple[re.Pattern[str], Rule], ...]:
    """Return the rules for messages without a code, in order: the first whose pattern is found wins."""
    columns = ("pattern", "label", "confidence", "weight", "phase", "reason")
    return tuple((row.pattern(), row.rule()) for row in _rows("message_rules.tsv", columns))


@dataclass(frozen=True, slots=True)
class _Row:
    file: str
    line: int
    fields: Mapping[str, str]

    def error(self, column: str, allowed: str) -> TaxonomyError:
        value = self.fields.get(column, "")
        return TaxonomyError(f"models/data/{self.file}, line {self.line}: {column} is {value!r}, must be {allowed}")

    def rule(self) -> Rule:
        return Rule(
            label=self._one_of("label", LABELS),
            confidence=self._number("confidence", 1.0),
            weight=self._number("weight", 10.0),
            phase=self._one_of("phase", PHASES),
            reason=self.fields["reason"],
        )

    def pattern(self) -> re.Pattern[str]:
        try:
            return re.compile(self.fields["pattern"])
        except re.error as error:
            raise self.error("pattern", f"a regular expression ({error})") from None

    def _one_of(self, column: str, allowed: tuple[str, ...]) -> str:
        value = self.fields[column]
        if value not in allowed:
            raise self.error(column, f"one of {', '.join(allowed)}")
        return value

    def _number(self, column: str, most: float) -> float:
        try:
            value = float(self.fields[column])
        except ValueError:
            value = 0.0
        if not 0.0 < value <= most:
            raise self.error(column, f"a number above 0 and at most {most:g}")
        return value


def _rows(file: str, columns: tuple[str, ...]) -> Iterator[_Row]:
    """Yield the rows of a tab-separated table; ``#`` lines are comments, the first other line names the columns."""
    text = resources.files("models").joinpath("data", file).read_text(encoding="utf-8")
    return _parse(file, text.splitlines(), columns)


def _parse(file: str, lines: Iterable[str], columns: tuple[str, ...]) -> Iterator[_Row]:
    header, seen = False, set[str]()
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        cells = tuple(line.split("\t"))
        row = _Row(file, number, dict(zip(columns, cells, strict=False)))
        if len(cells) != len(columns) or (not header and cells != columns):
            raise row.error(columns[0], f"a row of the {len(columns)} tab-separated columns {', '.join(columns)}")
        if header and cells[0] in seen:
            raise row.error(columns[0], "named once")
        if header:
            yield row
        header = True
        seen.add(cells[0])
