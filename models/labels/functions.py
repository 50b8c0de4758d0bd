"""Labelling functions: each looks at one thing about a diagnostic and votes for a label, or abstains.

Those that look for phrases in a text are rows of ``models/data/labelling_phrases.tsv``; the others stand here. A
function that is often wrong does no harm: ``models.labels.model`` learns what its vote is worth. None looks at a file's
name, at the compiler's explanation or at anything from after the prediction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from models.tables import read_table
from models.taxonomy import LABELS, lint_rules

# What a function reads. Functions that read the same thing are right and wrong together: one block of evidence.
CODE, MESSAGE, ADVICE, LABEL, LINE, BUILD, PEOPLE, VERIFIER = SOURCES = (
    *("code", "message", "advice", "label", "line", "build", "people", "verifier"),
)


class LabellingFunction(NamedTuple):
    """What the label model has to know: the name (kept in checkpoints), what it reads, what it may vote for.

    ``prior`` is the share of its votes that is expected to be right, ``prior_votes`` how many votes that expectation
    is worth against votes seen.
    """

    name: str
    reads: str
    labels: tuple[str, ...]
    prior: float
    relies_on: str
    prior_votes: float = 100.0


class Phrase(NamedTuple):
    """A pattern that votes for one label where it is found in a masked text."""

    function: LabellingFunction
    pattern: re.Pattern[str]


CODE_TABLE = LabellingFunction("code_table", CODE, LABELS, 0.9, "the table's label of the error code or lint", 200.0)
MESSAGE_TABLE = LabellingFunction("message_table", CODE, LABELS, 0.85, "the table's rule for a message without code")
LINT_GROUP = LabellingFunction("lint_group", CODE, LABELS, 0.5, "the group that a clippy lint belongs to")
AFTER_IMPORT = LabellingFunction("after_import", BUILD, ("ImportErrors",), 0.2, "an import failed before in the build")
AFTER_SYNTAX = LabellingFunction("after_syntax", BUILD, ("ASTTransform",), 0.3, "the parser failed before in the build")
SAME_LINE = LabellingFunction("same_line", BUILD, LABELS, 0.5, "the label of an earlier error on this line")
SIMILAR_FEEDBACK = LabellingFunction("similar_feedback", PEOPLE, LABELS, 0.8, "what people said of the nearest message")
CODE_FEEDBACK = LabellingFunction("code_feedback", PEOPLE, LABELS, 0.7, "what people said most often of this code")
VERIFIED = LabellingFunction("verified", VERIFIER, LABELS, 0.9, "what a verifier said of this kind of message")


@cache
def phrases() -> tuple[Phrase, ...]:
    """Return the functions that look for phrases, in the table's order."""
    columns = ("name", "reads", "label", "prior", "pattern", "relies_on")
    return tuple(
        Phrase(
            LabellingFunction(
                row.text("name"),
                row.one_of("reads", (MESSAGE, ADVICE, LABEL)),
                (row.one_of("label", LABELS),),
                row.number("prior", most=1.0),
                row.text("relies_on"),
            ),
            row.pattern("pattern"),
        )
        for row in read_table("labelling_phrases.tsv", columns)
    )


@cache
def lint_groups() -> Mapping[str, str]:
    """Return the label of each clippy lint's group by the lint's name; groups themselves have none."""
    rows = read_table("lints.tsv", ("name", "group", "label", "confidence", "weight", "phase", "reason"))
    groups = {row.cells["name"]: row.cells["group"] for row in rows}
    labels = {name: lint_rules()[group].label for name, group in groups.items() if group.startswith("clippy::")}
    return MappingProxyType(labels)
