"""A partition's state as a snapshot and back: a whole ``base``, or a ``delta`` of what changed since the last one.

``frame.py`` has the bytes. Every index is checked before the state is touched; what does not fit raises
``SnapshotError``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.andon.watchman import Watchman
from models.calibration import Calibrator
from models.challenge import Challenge
from models.classifiers import HashedLogistic
from models.drift import CategoryDivergence
from models.ensemble import Ensemble
from models.evaluation.prequential import Prequential
from models.feedback import FeedbackMemory
from models.labels.model import LabelModel, Votes
from models.memory import Example, Recent
from models.snapshots import students
from models.snapshots.frame import Arrays, SnapshotError, pack, unpack
from models.snapshots.header import Classifier, Header
from models.sparse import Hashed, Rows
from models.state import LineState, Outcome
from models.weighting import LongTailWeights

_COUNTERS = ("failures", "repeats", "unmatched_feedback", "expired_feedback", "dead_letters", "origin")


def base(state: LineState) -> bytes:
    """Return the whole state."""
    rows, challenger = _learned_rows(state.classifier), state.challenge
    theirs = _learned_rows(challenger.classifier) if challenger else np.zeros(0, np.uint32)
    recents, ids = state.recent.contents()
    return _packed(state, (rows, theirs), recents, ids, state.templates.dump(), whole=True)


def delta(state: LineState) -> bytes:
    """Return what changed since the last ``base`` or ``delta``, and take note that it is saved."""
    added, ids = state.recent.added, state.recent.added_ids
    packed = _packed(state, state.take_changed_rows(), added, ids, state.templates.dump_changed(), whole=False)
    mark_saved(state)
    return packed


def mark_saved(state: LineState) -> None:
    """Take note that a base carries everything so far, so that the next delta starts from here."""
    state.changed_rows, state.challenge_rows, state.replaced = [], [], False
    state.recent.mark_saved()
    state.templates.mark_saved()


def apply(state: LineState, packed: bytes, *, followed: bool = False) -> None:
    """Put a base into an empty state, or a delta on top of the state it was taken from.

    A delta that is ``followed`` by another one need not bring what that one says anew: most of the time that it takes.

    Raises ``SnapshotError`` before anything is changed when the bytes are not whole or do not fit the state.
    """
    try:
        _install(state, _checked(state, *unpack(packed), followed=followed))
    except SnapshotError:
        raise
    except (ValueError, TypeError, IndexError, OverflowError, struct.error) as error:
        raise SnapshotError(f"the snapshot's parts do not fit together: {error}") from error


def _learned_rows(classifier: HashedLogistic) -> Rows:
    return np.flatnonzero(classifier.squares).astype(np.uint32)


def _packed(
    state: LineState,
    rows: tuple[Rows, Rows],
    recents: list[Recent],
    ids: list[int],
    templates: dict[str, Any],
    *,
    whole: bool,
) -> bytes:
    challenge = state.challenge
    examples = [example for recent in recents for example in recent.examples]
    arrays: Arrays = {
        **_table(state.classifier, rows[0]),
        "seen": np.array(ids, np.uint64),
        "example_rows": _joined([example.hashed.rows for example in examples], np.uint32),
        "example_values": _joined([example.hashed.values for example in examples], np.float32),
    }
    if challenge is not None:
        arrays |= {f"challenger_{name}": array for name, array in _table(challenge.classifier, rows[1]).items()}
    served, of_students = students.dump(state.students, whole=whole)
    header = {
        "classifier": _size(state.classifier),
        "students": served,
        "fixes": state.fixes.dump(),
        "labels": state.labels.dump(),
        "feedback": state.feedback.dump(),
        "scores": state.scores.dump(),
        "weights": state.weights.dump(),
        "calibration": state.calibrator.dump(),
        "templates": templates,
        "drift": state.drift.dump(),
        "watch": state.watch.dump(),
        "challenge": challenge and {"classifier": _size(challenge.classifier), **challenge.dump()},
        "outcomes": [list(one) for one in state.outcomes],
        "counters": {name: getattr(state, name) for name in _COUNTERS},
        "recent": [_recent_header(recent) for recent in recents],
    }
    return pack(header, arrays | of_students)


def _table(classifier: HashedLogistic, rows: Rows) -> Arrays:
    weights = classifier.weights[rows, : len(classifier.labels)]
    return {"rows": rows, "weights": weights, "squares": classifier.squares[rows]}


def _size(classifier: HashedLogistic) -> dict[str, Any]:
    size = {"bits": classifier.bits, "learning_rate": classifier.learning_rate}
    return {**size, "labels": classifier.labels, "examples": classifier.examples}


def _joined(parts: list[NDArray[Any]], kind: type[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _recent_header(recent: Recent) -> dict[str, Any]:
    examples = [
        [key, votes.slots, votes.code, votes.floor, said, len(hashed.rows)]
        for key, votes, hashed, said in recent.examples
    ]
    return {"key": recent.key, "prediction": recent.prediction.decode(), "examples": examples}


class _Whole(NamedTuple):
    """What every snapshot says whole, deltas too; the state has it under the same names."""

    labels: LabelModel
    feedback: FeedbackMemory
    scores: Prequential
    weights: LongTailWeights
    calibrator: Calibrator
    drift: CategoryDivergence
    watch: Watchman


@dataclass(frozen=True)
class _Parts:
    """What a snapshot holds, made and checked: nothing can go wrong when it is put in place."""

    header: Header
    arrays: Arrays
    whole: _Whole
    challenge: Challenge | None
    served: Ensemble
    recents: list[Recent]


def _checked(state: LineState, header: Header, arrays: Arrays, *, followed: bool) -> _Parts:
    _check_table(state.classifier, header.classifier, arrays)
    _check_rows("example_rows", arrays["example_rows"], state.classifier.bits)
    whole = _as_it_is(state) if followed else _whole(state, header)
    challenge, recents = _challenge(state, header, arrays), _recents(whole.labels, header, arrays)
    served = students.load(state.students, header.students, arrays)
    return _Parts(header, arrays, whole, challenge, served, recents)


def _as_it_is(state: LineState) -> _Whole:
    learned = state.labels, state.feedback, state.scores, state.weights
    return _Whole(*learned, state.calibrator, state.drift, state.watch)


def _whole(state: LineState, header: Header) -> _Whole:
    labels = LabelModel(state.labels.agreement.functions, state.labels.agreement.labels, state.labels.settings)
    labels.load(header.labels.model_dump())
    feedback = FeedbackMemory(state.feedback.capacity)
    feedback.load(header.feedback.model_dump())
    scores = Prequential()
    scores.load(header.scores.model_dump())
    weights = LongTailWeights(state.weights.reweighting, enabled=state.weights.enabled)
    weights.load(header.weights.model_dump())
    calibrator = Calibrator(state.calibrator.memory, state.calibrator.prior)
    calibrator.load(header.calibration.model_dump())
    drift = CategoryDivergence(state.drift.baseline_size, state.drift.window_size)
    drift.load(header.drift.model_dump())
    return _Whole(labels, feedback, scores, weights, calibrator, drift, _watch(header))


def _watch(header: Header) -> Watchman:
    watch = Watchman()
    if header.watch is None:
        watch.answered = header.counters.failures
    else:
        watch.load(header.watch)
    return watch


def _challenge(state: LineState, header: Header, arrays: Arrays) -> Challenge | None:
    """Return the running challenge with the classifier that is to be restored: the state's own, or a new one."""
    saved, here = header.challenge, state.challenge
    if saved is None:
        return None
    if here is not None and here.name != saved.name:
        raise SnapshotError(f"snapshot with the challenger {saved.name}, here is {here.name}")
    challenge = Challenge(saved.name, here.classifier if here else HashedLogistic(state.classifier.bits))
    table = {name: arrays.get(f"challenger_{name}", np.zeros(0)) for name in ("rows", "weights", "squares")}
    _check_table(challenge.classifier, saved.classifier, table)
    challenge.load(saved.model_dump(exclude={"classifier"}))
    return challenge


def _check_table(classifier: HashedLogistic, saved: Classifier, table: Arrays) -> None:
    rows, weights, squares = table["rows"], table["weights"], table["squares"]
    labels, here = saved.labels, classifier.labels
    if classifier.bits != saved.bits:
        raise SnapshotError(f"snapshot of a table with 2^{saved.bits} rows, here are 2^{classifier.bits}")
    if labels[: len(here)] != here:
        raise SnapshotError(f"snapshot with the labels {labels}, here are {here}: they must start alike")
    if weights.shape != (len(rows), len(labels)) or squares.shape != rows.shape:
        raise SnapshotError(f"{weights.shape} weights, {squares.shape} squares for {len(rows)} rows, {labels}")
    _check_rows("rows", rows, classifier.bits)
    if not (np.isfinite(weights).all() and np.isfinite(squares).all() and (squares >= 0).all()):
        raise SnapshotError("weights that are no finite numbers")


def _check_rows(name: str, rows: Rows, bits: int) -> None:
    if len(rows) and int(rows.max()) >= 1 << bits:
        raise SnapshotError(f"{name}: row {rows.max()} of a table with 2^{bits}")


def _recents(labels: LabelModel, header: Header, arrays: Arrays) -> list[Recent]:
    rows, values = arrays["example_rows"], arrays["example_values"]
    total = sum(count for entry in header.recent for *_, count in entry.examples)
    if not len(rows) == len(values) == total:
        raise SnapshotError(f"examples with {total} features, but {len(rows)} rows and {len(values)} values")
    slots_of = labels.slots_of(header.labels.functions, header.labels.labels)
    recents, start = [], 0
    for entry in header.recent:
        examples = []
        for key, slots, code, floor, said, count in entry.examples:
            place, votes = slice(start, start + count), Votes(slots_of(slots), code, floor)
            examples.append(Example(key, votes, Hashed(rows[place].copy(), values[place].copy()), said))
            start += count
        recents.append(Recent(entry.key, entry.prediction.encode(), tuple(examples)))
    return recents


def _install(state: LineState, parts: _Parts) -> None:
    _restore(state.classifier, parts.header.classifier, parts.arrays, "")
    if parts.challenge is not None and parts.header.challenge is not None:
        _restore(parts.challenge.classifier, parts.header.challenge.classifier, parts.arrays, "challenger_")
    state.challenge, state.outcomes = parts.challenge, [Outcome(*one) for one in parts.header.outcomes]
    state.students = parts.served
    for name, one in parts.whole._asdict().items():
        setattr(state, name, one)
    state.fixes.load(parts.header.fixes)
    state.templates.extend(parts.header.templates.model_dump())
    for name in _COUNTERS:
        setattr(state, name, getattr(parts.header.counters, name))
    state.recent.extend(parts.recents, parts.arrays["seen"].tolist())


def _restore(classifier: HashedLogistic, saved: Classifier, arrays: Arrays, prefix: str) -> None:
    table = [arrays[f"{prefix}{name}"] for name in ("rows", "weights", "squares")]
    classifier.restore(list(saved.labels), saved.examples, *table)
    classifier.learning_rate = saved.learning_rate  # a champion that was a challenger has its own
