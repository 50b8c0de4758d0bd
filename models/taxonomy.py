"""The defect taxonomy: labels, their parents, and what a compiler's code, lint or message says about the defect.

Three tables under ``models/data`` hold the judgement, one row each with its reason; this module only reads them.
``docs/taxonomy.md`` shows them to people, ``python -m models.taxonomy_docs`` writes that page anew.

Trap: a label's place in ``LABELS`` is part of every saved model. Append; never reorder, rename or remove.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType

from models.tables import Row, read_table

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
# compared: E0433 and E0425 under StdlibMapping, E0599 under ASTTransform. Lifetimes are borrows; style has no home
# among the 18 and is nearest to LogicErrors.
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

_RULE = ("label", "confidence", "weight", "phase", "reason")  # the columns that every table has

# The codes behind the seven labels that the corpora of real failures carry; benchmarks on them are comparable only
# when they score the same rows.
MAIN_CODES: frozenset[str] = frozenset(
    {"E0308", "E0277", "E0425", "E0433", "E0432", "E0599"}
    | {"E0382", "E0499", "E0502", "E0503", "E0505", "E0506", "E0507", "E0597", "E0716"}
    | {"E0106", "E0261", "E0310", "E0373", "E0621"}
)

# In compiler order: of several errors in one build, the one of the earliest phase is the likelier cause.
PHASES: tuple[str, ...] = ("parse", "expand", "resolve", "typeck", "borrowck", "lint", "codegen", "link", "other")

MAX_MESSAGE_CHARS = 2_000  # read by the message rules; what rustc says in the first line is far shorter


@dataclass(frozen=True, slots=True)
class Rule:
    """What one code, lint or message says: ``confidence`` in it (0 to 1), OIP's static ``weight`` (above 0)."""

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


@lru_cache(maxsize=1024)
def _message_rule(message: str) -> Rule | None:
    return next((rule for pattern, rule in message_rules() if pattern.search(message)), None)


@cache
def code_rules() -> Mapping[str, Rule]:
    """Return the rule of every error code (``E0308``)."""
    return MappingProxyType({row.text("code"): _rule(row) for row in read_table("rustc_codes.tsv", ("code", *_RULE))})


@cache
def lint_rules() -> Mapping[str, Rule]:
    """Return the rule of every lint and lint group by name; a lint without a label has the rule of its group."""
    rules: dict[str, Rule] = {}
    for row in read_table("lints.tsv", ("name", "group", *_RULE)):
        inherits = not row.cells["label"]
        rules[row.text("name")] = rules[row.one_of("group", rules)] if inherits else _rule(row)
    return MappingProxyType(rules)


@cache
def message_rules() -> tuple[tuple[re.Pattern[str], Rule], ...]:
    """Return the rules for messages without a code, in order: the first whose pattern is found wins."""
    return tuple((row.pattern("pattern"), _rule(row)) for row in read_table("message_rules.tsv", ("pattern", *_RULE)))


def _rule(row: Row) -> Rule:
    return Rule(
        label=row.one_of("label", LABELS),
        confidence=row.number("confidence", most=1.0),
        weight=row.number("weight", most=10.0),
        phase=row.one_of("phase", PHASES),
        reason=row.text("reason"),
    )
