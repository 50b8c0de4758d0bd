"""Backtesting: recorded failures in a chosen order, learned and scored as the stream would, fold by fold."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from models.diagnostics import Diagnostic
from models.evaluation.prequential import BASELINES, Baselines, Prequential
from models.evaluation.scorecard import Opinion, Scorecard
from models.evaluation.splits import Entry, Fold
from models.evaluation.tasks import EPOCH
from models.records import CompilerErrors, content_id
from models.snapshots.snapshot import mark_saved
from models.state import LineState
from models.step import answer
from models.taxonomy import rule_for

T = TypeVar("T")
Item_contra = TypeVar("Item_contra", contravariant=True)
Progress = Callable[[int], None]
Clock = Callable[[], int]  # nanoseconds from anywhere, never backwards
Failures = Iterable[Entry[CompilerErrors]]


class Learner(Protocol[Item_contra]):
    """What a replay asks its questions and gives its labels; ``labels`` only ever grows at its end."""

    @property
    def labels(self) -> Sequence[str]:
        """Return the labels that it knows, in the order of ``Opinion.shares``."""

    def take(self, item: Item_contra, *, learn: bool) -> list[Opinion]:
        """Predict all examples of ``item``, then learn them if asked to; return what was thought before."""


def keep_codes(entries: Failures, codes: frozenset[str] | None) -> Iterator[Entry[CompilerErrors]]:
    """Yield the builds with only those diagnostics that have one of ``codes`` (``None``: any that has a label)."""
    for entry in entries:
        yield from _kept(entry, [one for one in entry.item.diagnostics if _wanted(one, codes)])


def _wanted(diagnostic: Diagnostic, codes: frozenset[str] | None) -> bool:
    if codes is not None:
        return diagnostic.code in codes
    return rule_for(diagnostic.code, diagnostic.message) is not None


def _kept(entry: Entry[CompilerErrors], diagnostics: list[Diagnostic]) -> Iterator[Entry[CompilerErrors]]:
    if diagnostics:
        record = entry.item.model_copy(update={"diagnostics": tuple(diagnostics)})
        yield Entry(record, len(diagnostics), entry.group)


def without_repeats(entries: Failures) -> Iterator[Entry[CompilerErrors]]:
    """Yield the builds without the diagnostics whose message and marked code were seen before."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for entry in entries:
        kept = []
        for diagnostic in entry.item.diagnostics:
            key = (diagnostic.message, diagnostic.primary.text if diagnostic.primary else ())
            if key not in seen:
                seen.add(key)
                kept.append(diagnostic)
        yield from _kept(entry, kept)


def shuffled(entries: Iterable[Entry[T]], seed: int) -> list[Entry[T]]:
    """Return the entries in an order drawn with ``seed``, which stays the same for ever: numbers are compared by it."""
    drawn = list(entries)
    random.Random(seed).shuffle(drawn)  # noqa: S311 - an order, not a secret
    return drawn


def singles(entries: Failures) -> Iterator[Entry[CompilerErrors]]:
    """Yield every diagnostic as a build of its own, under an id of its own: no cascades, no bursts."""
    for entry in entries:
        for index, diagnostic in enumerate(entry.item.diagnostics):
            update = {"id": content_id(entry.item.id, index), "diagnostics": (diagnostic,)}
            yield Entry(entry.item.model_copy(update=update), 1, entry.group)


def replay(records: Iterable[CompilerErrors], state: LineState, progress: Progress) -> Prequential:
    """Step through ``records`` in their order and return the scores of the model, which never sees a code."""
    for record in records:
        answer(state, record, EPOCH)
        mark_saved(state)  # no checkpoint follows: what is kept for one would grow with the stream
        progress(len(record.diagnostics))
    return state.scores


def run(
    entries: Iterable[Entry[T]],
    learner: Learner[T],
    rivals: Baselines,
    card: Scorecard,
    *,
    learn: bool,
    rivals_learn: bool,
    clock: Clock,
    progress: Progress,
) -> None:
    """Ask ``learner`` and ``rivals`` about each entry and write on ``card`` what they said.

    Rivals that do not learn still know the label before: repeating it needs no learning, and it is hard to beat.
    """
    for item, size, group in entries:
        started = clock()
        opinions = learner.take(item, learn=learn)
        taken = clock() - started
        guesses = []
        for one in opinions:
            guesses.append(rivals.guess(one.code))
            if rivals_learn:
                rivals.learn(one.truth, one.code)
            rivals.last = one.truth
        card.add(opinions, tuple(learner.labels), guesses, taken, group.source)
        progress(size)


def backtest(
    folds: Sequence[Fold[T]],
    make: Callable[[], Learner[T]],
    *,
    clock: Clock,
    progress: Progress,
    baselines: Sequence[str] = BASELINES,
    after: Callable[[Fold[T], Learner[T]], None] = lambda _fold, _learner: None,
) -> dict[str, Any]:
    """Learn and score each fold with a learner of its own; return the scores of all folds' test parts together.

    In a frozen fold neither the learner nor the baselines learn from what they are scored on, unless there was nothing
    to learn from before: then the baselines learn on the way. ``after`` is shown each fold with its learner. Keys of
    the result: those of ``Scorecard.document``, ``switch`` and ``folds``.
    """
    whole, parts = Scorecard(baselines), []
    for fold in folds:
        name, train, test, frozen = fold
        learner, rivals = make(), Baselines()
        learned, scored = Scorecard(baselines), Scorecard(baselines)
        run(train, learner, rivals, learned, learn=True, rivals_learn=True, clock=clock, progress=progress)
        on_the_way = not (frozen and train)
        run(test, learner, rivals, scored, learn=not frozen, rivals_learn=on_the_way, clock=clock, progress=progress)
        after(fold, learner)
        whole.extend(scored)
        parts.append(_part(name, learned, scored, frozen=frozen))
    one_run = [fold.frozen for fold in folds] == [False]
    return whole.document() | {"switch": whole.switches() if one_run else [], "folds": parts}


def _part(name: str, learned: Scorecard, scored: Scorecard, *, frozen: bool) -> dict[str, Any]:
    shown = ("n", "accuracy", "macro_f1", "auc", "auc_pr", "log_loss", "ece")
    return {
        "name": name,
        "frozen": frozen,
        "learned": len(learned),
        "learned_accuracy": learned.accuracy if len(learned) else None,
        **{key: value for key, value in scored.summary().items() if key in shown},
        "baselines": {name: found["accuracy"] for name, found in scored.baselines().items()},
    }
