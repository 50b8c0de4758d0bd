"""Backtesting: a prequential run over recorded failures, through the same step as the stream."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from river import base

from models.diagnostics import Diagnostic
from models.evaluation import Prequential
from models.features import Features, extract
from models.records import CompilerErrors, content_id
from models.snapshot import mark_saved
from models.state import LineState
from models.step import answer
from models.taxonomy import rule_for

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # the step's clock in a replay: predictions are dropped
Progress = Callable[[int], None]


def keep_codes(records: Iterable[CompilerErrors], codes: frozenset[str] | None) -> Iterator[CompilerErrors]:
    """Yield the records with only those diagnostics that have one of ``codes`` (``None``: any that has a label)."""
    for record in records:
        kept = tuple(one for one in record.diagnostics if _wanted(one, codes))
        if kept:
            yield record.model_copy(update={"diagnostics": kept})


def _wanted(diagnostic: Diagnostic, codes: frozenset[str] | None) -> bool:
    if codes is not None:
        return diagnostic.code in codes
    return rule_for(diagnostic.code, diagnostic.message) is not None


def shuffled(records: Iterable[CompilerErrors], seed: int) -> list[CompilerErrors]:
    """Return every diagnostic as a record of its own, in an order drawn with ``seed``: no cascades, no bursts."""
    singles = [
        record.model_copy(update={"id": content_id(record.id, index), "diagnostics": (diagnostic,)})
        for record in records
        for index, diagnostic in enumerate(record.diagnostics)
    ]
    random.Random(seed).shuffle(singles)  # noqa: S311 - an order, not a secret
    return singles


def without_repeats(records: Iterable[CompilerErrors]) -> Iterator[CompilerErrors]:
    """Yield the records without the diagnostics whose message and marked code were seen before."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for record in records:
        kept = []
        for diagnostic in record.diagnostics:
            key = (diagnostic.message, diagnostic.primary.text if diagnostic.primary else ())
            if key not in seen:
                seen.add(key)
                kept.append(diagnostic)
        if kept:
            yield record.model_copy(update={"diagnostics": tuple(kept)})


def replay(records: Iterable[CompilerErrors], state: LineState, progress: Progress) -> Prequential:
    """Step through ``records`` in their order and return the scores of the model, which never sees a code."""
    for record in records:
        answer(state, record, EPOCH)
        mark_saved(state)  # no checkpoint follows: what is kept for one would grow with the stream
        progress(len(record.diagnostics))
    return state.scores


def replay_rival(records: Iterable[CompilerErrors], rival: base.Classifier, progress: Progress) -> Prequential:
    """Do the same with a classifier of river: same features and labels, every build predicted before it is learned."""
    scores, known = Prequential(), set[tuple[str, str]]()
    for record in records:
        if (record.project, record.id) in known:  # the step does not learn a failure twice either
            continue
        known.add((record.project, record.id))
        total = len(record.diagnostics)
        seen = [
            (one, extract(one, index, total), rule_for(one.code, one.message))
            for index, one in enumerate(record.diagnostics)
        ]
        guesses = [rival.predict_one(_named(features)) for _, features, _ in seen]
        for (diagnostic, features, rule), guess in zip(seen, guesses, strict=True):
            if rule is not None:
                scores.update(rule.label, None if guess is None else str(guess), diagnostic.code)
                rival.learn_one(_named(features), rule.label)
        progress(total)
    return scores


def _named(features: Features) -> dict[Hashable, Any]:
    """Return a copy: river's learners may keep what they are given."""
    return dict(features.items())
