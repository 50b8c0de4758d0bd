"""Is a commit a fix, and of which category? Rules by whole words on its message, and a model where they are unsure."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import Any, Literal, NamedTuple

from river import naive_bayes

from models.tables import read_table
from models.taxonomy import CATEGORIES, UNKNOWN

MIN_CONFIDENCE = 0.7
BOOST, MOST = 0.05, 0.95  # a second rule word of the same category makes it a little surer
MAX_MESSAGE = 20_000  # characters that are looked at

_FIX = re.compile(
    r"\b(?:fix(?:e[sd]|ing)?|bug(?:s|fix(?:es)?)?|hotfix|repair(?:s|ed)?|resolve[sd]?|regressions?|correct(?:s|ed)?)\b"
    r"|\bE0\d{3}\b",
    re.IGNORECASE,
)
_NOT_FIX = re.compile(
    r"^\W*(?:docs?|tests?|style|chore|ci|build|release|merge|refactor|quality|coverage)\b", re.IGNORECASE
)
_TYPE = re.compile(r"^\W*([a-z]+)(?:\([^)]{0,80}\))?!?:", re.IGNORECASE)
_WORD = re.compile(r"[a-z][a-z_]{2,}")


class Answer(NamedTuple):
    """A category, how sure, and who says so."""

    category: str
    confidence: float
    source: Literal["rule", "model", "none"]


class _Rule(NamedTuple):
    category: str
    confidence: float
    pattern: re.Pattern[str]


@cache
def rules() -> tuple[_Rule, ...]:
    """Return the rules of ``models/data/commit_rules.tsv``."""
    rows = read_table("commit_rules.tsv", ("pattern", "label", "confidence", "reason"))
    return tuple(
        _Rule(
            row.one_of("label", CATEGORIES),
            row.number("confidence", 1.0),
            re.compile(rf"(?<!\w)(?:{row.pattern('pattern').pattern})(?!\w)", re.IGNORECASE),
        )
        for row in rows
    )


def is_fix(subject: str) -> bool:
    """Return whether a commit's first line says that it mends something."""
    return bool(_FIX.search(subject)) and not _NOT_FIX.search(subject)


def commit_type(subject: str) -> str:
    """Return the type of a conventional commit (``feat``, ``fix``, …), ``""`` without one."""
    found = _TYPE.match(subject[:200])
    return found[1].lower() if found else ""


def by_rules(message: str) -> Answer:
    """Return the category of the surest rule; ties go to the earlier row."""
    best = Answer(UNKNOWN, 0.0, "none")
    for rule in rules():
        hits = {hit.lower() for hit in rule.pattern.findall(message[:MAX_MESSAGE])}
        if hits:
            sure = min(rule.confidence + BOOST * (len(hits) - 1), MOST)
            best = max(best, Answer(rule.category, sure, "rule"), key=lambda one: one.confidence)
    return best


def masked_words(message: str) -> dict[str, int]:
    """Return the words of a message without those by which the rules decide."""
    text = message[:MAX_MESSAGE]
    for rule in rules():
        text = rule.pattern.sub(" ", text)
    return dict(Counter(_WORD.findall(text.lower())))


class CategoryHybrid:
    """The rule where it is sure enough, else the model where it is, else ``Unknown``.

    The model (complement naive Bayes; Rennie et al., ICML 2003) learns from messages that a rule or a person labelled,
    with the rules' words masked: it must find other words than theirs.
    """

    def __init__(self, min_confidence: float = MIN_CONFIDENCE) -> None:
        self.min_confidence = min_confidence
        self._model: Any = naive_bayes.ComplementNB()  # type: ignore[no-untyped-call]
        self._seen = 0

    def predict(self, message: str) -> Answer:
        """Return the category of a fix from its message."""
        rule = by_rules(message)
        if rule.confidence >= self.min_confidence or not self._seen:
            return rule if rule.confidence >= self.min_confidence else Answer(UNKNOWN, rule.confidence, "none")
        shares = self._model.predict_proba_one(masked_words(message))
        category, share = max(shares.items(), key=lambda one: one[1], default=(UNKNOWN, 0.0))
        if share >= self.min_confidence:
            return Answer(str(category), float(share), "model")
        return Answer(UNKNOWN, float(share), "none")

    def learn(self, message: str, category: str) -> None:
        """Learn a message whose category is known."""
        self._model.learn_one(masked_words(message), category)
        self._seen += 1
