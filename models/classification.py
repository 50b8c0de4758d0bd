"""The answer for one diagnostic, as a prediction carries it: label, runners-up, reason, and whether its kind is new."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from models.diagnostics import Count, Part, Probability, Short, Text


class Ranked(Part):
    """A category, and the finer name where there is one, with its probability."""

    category: Short
    subcategory: Short | None = None
    probability: Probability


class Novelty(Part):
    """Whether this kind of message is new: its template, in how many builds it was met before, and when first."""

    template: Short
    seen: Count
    first: AwareDatetime


class LikelyFix(Part):
    """What has worked best for this kind of error: a pattern of `jidoka fix`, how often, and of how many outcomes."""

    pattern: Short
    success_rate: Probability
    outcomes: Count


class Classification(Part):
    """The answer for one diagnostic.

    ``category`` is one of the 18, ``subcategory`` the finer name where there is one; ``source`` says who decided;
    ``words`` are the features that weighed most and ``explanation`` says them as a person would; ``reason`` says why
    this source decided.
    """

    index: Count
    code: Short | None = None
    message: Text
    category: Short
    subcategory: Short | None = None
    confidence: Probability
    top: Annotated[tuple[Ranked, ...], Field(max_length=3)]
    source: Literal["rule", "model", "feedback"]
    words: Annotated[tuple[Short, ...], Field(max_length=8)] = ()
    explanation: Text | None = None
    reason: Text
    novelty: Novelty | None = None
    fix: LikelyFix | None = None
