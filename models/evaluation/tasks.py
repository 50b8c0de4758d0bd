"""The tasks of a replay: what is asked about each item, by whom, and what counts as the truth."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any

from river import base

from models.calibration import Calibrator
from models.classifiers import CLASSIFIERS, HashedLogistic, sigmoid
from models.code_features import source_parts
from models.diagnostics import Diagnostic
from models.evaluation.importance import grouped, permutation_importance
from models.evaluation.outcome_task import OutcomeLearner
from models.evaluation.scorecard import Opinion
from models.evaluation.splits import Entry
from models.features import extract
from models.hashing import Named
from models.hybrid import Build, Observation, observe
from models.records import CompilerErrors
from models.snapshots.snapshot import mark_saved
from models.state import LineState
from models.step import answer
from models.taxonomy import rule_for
from models.weighting import LongTailWeights

TASKS = ("category", "source", "source-unmarked", "outcome")
MAX_IMPORTANCE = 4_000  # examples that groups of features are permuted between; more say the same
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # the step's clock in a replay: predictions are dropped

Example = tuple[list[Named], str]  # features, label
Describe = Callable[[Diagnostic, int, int], dict[str, float]]


class LineLearner:
    """Category from message and code window, through the step of the stream; the truth is the code table's label.

    ``predicted`` is the model's label, never the rule's or a person's, and no code is among its features.
    """

    def __init__(self, state: LineState | None = None) -> None:
        self.state = state or LineState()

    @property
    def labels(self) -> Sequence[str]:
        """Return the labels of the model."""
        return self.state.classifier.labels

    def take(self, record: CompilerErrors, *, learn: bool) -> list[Opinion]:
        """Predict the diagnostics that have a label, then let the step learn all; a failure known already is none."""
        if not learn:
            return _opinions(observe(self.state, record.diagnostics, record.change).seen)
        builds: list[Build] = []
        answer(self.state, record, EPOCH, lambda build, _: builds.append(build))
        mark_saved(self.state)  # no checkpoint follows: what is kept for one would grow with the stream
        return [one for build in builds for one in _opinions(build.seen)]

    def examples(self, record: CompilerErrors) -> list[Example]:
        """Return what the model sees of each diagnostic that has a label, and that label."""
        build = observe(self.state, record.diagnostics, record.change)
        return [(one.parts, one.rule.label) for one in build.seen if one.rule]

    @property
    def classifier(self) -> HashedLogistic:
        """Return the model."""
        return self.state.classifier


def _opinions(seen: Sequence[Observation]) -> list[Opinion]:
    return [Opinion(one.rule.label, one.best, one.probabilities, one.diagnostic.code) for one in seen if one.rule]


class SourceLearner:
    """Category from five lines of code around the mark, without a word of the compiler's.

    The mark is the compiler's, too: with ``mark=False`` its line is known, but not where in it the mark stands.
    """

    def __init__(self, classifier: HashedLogistic | None = None, *, mark: bool = True) -> None:
        self.classifier = classifier or HashedLogistic()
        self.mark = mark
        self.calibrator = Calibrator()
        self.weights = LongTailWeights()

    @property
    def labels(self) -> Sequence[str]:
        """Return the labels of the classifier."""
        return self.classifier.labels

    def take(self, record: CompilerErrors, *, learn: bool) -> list[Opinion]:
        """Predict all diagnostics of the build that have a label, then learn them together."""
        found = labelled(record)
        if not found:
            return []
        described = [parts for parts, _ in self.examples(record)]
        batch = self.classifier.batch([b"".join([part.hashes for part in parts]) for parts in described])
        scores = self.classifier.scores(batch)
        probabilities = self.calibrator.apply(scores)
        names = list(self.classifier.labels)
        opinions = [
            Opinion(label, names[row.index(max(row))] if row else None, row, one.code)
            for (_, one, label), row in zip(found, probabilities.tolist(), strict=True)
        ]
        if learn:
            labels = [label for *_, label in found]
            self.calibrator.learn(scores, probabilities, self.classifier.columns(labels))
            weights = [self.weights.weigh(label, None) for label in labels]
            self.classifier.learn_batch(batch, labels, weights, sigmoid(scores))
        return opinions

    def examples(self, record: CompilerErrors) -> list[Example]:
        """Return what the classifier sees of each diagnostic that has a label, and that label."""
        return [(source_parts(one, mark=self.mark), label) for _, one, label in labelled(record)]


class RivalLearner:
    """Any classifier of river's on named features; a failure that came before is passed over, as the step does."""

    def __init__(self, classifier: base.Classifier, describe: Describe) -> None:
        self.classifier = classifier
        self.labels: list[str] = []
        self._describe = describe
        self._known: set[tuple[str, str]] = set()

    def take(self, record: CompilerErrors, *, learn: bool) -> list[Opinion]:
        """Predict all diagnostics of the build, then learn them one by one."""
        if (record.project, record.id) in self._known:
            return []
        self._known.add((record.project, record.id))
        total = len(record.diagnostics)
        found = [(self._describe(one, place, total), one, label) for place, one, label in labelled(record)]
        opinions = [self._opinion(features, one, label) for features, one, label in found]
        for features, _, label in found if learn else ():
            self.classifier.learn_one(_copied(features), label)
            if label not in self.labels:
                self.labels.append(label)
        return opinions

    def _opinion(self, features: dict[str, float], diagnostic: Diagnostic, label: str) -> Opinion:
        shares = self.classifier.predict_proba_one(_copied(features))
        best = max(shares, key=lambda one: shares[one]) if shares else None
        in_order = [shares.get(one, 0.0) for one in self.labels]
        return Opinion(label, None if best is None else str(best), in_order, diagnostic.code)


def _copied(features: dict[str, float]) -> dict[Hashable, Any]:
    """Return a copy: river's learners may keep what they are given."""
    return dict(features.items())


def labelled(record: CompilerErrors) -> list[tuple[int, Diagnostic, str]]:
    """Return the diagnostics that the code table has a label for, with their places and the label."""
    found = [(place, one, rule_for(one.code, one.message)) for place, one in enumerate(record.diagnostics)]
    return [(place, one, rule.label) for place, one, rule in found if rule is not None]


def source_features(diagnostic: Diagnostic, _place: int, _total: int, *, mark: bool = True) -> dict[str, float]:
    """Return what the code says, by name, for a rival of ``SourceLearner``."""
    return {name: 1.0 for part in source_parts(diagnostic, mark=mark) for name in part.names}


DESCRIBE: dict[str, Describe] = {
    "category": extract,
    "source": source_features,
    "source-unmarked": partial(source_features, mark=False),
}
OURS = "logistic"  # of ``CLASSIFIERS``: what serves the stream


def learner(task: str, classifier: str) -> LineLearner | SourceLearner | RivalLearner | OutcomeLearner:
    """Return a learner for ``task`` that knows nothing yet."""
    if task == "outcome":
        return OutcomeLearner()
    if classifier != OURS:
        return RivalLearner(CLASSIFIERS[classifier](), DESCRIBE[task])
    return LineLearner() if task == "category" else SourceLearner(mark=task == "source")


def importance(
    learned: LineLearner | SourceLearner, entries: Iterable[Entry[CompilerErrors]], source: Random
) -> list[dict[str, Any]]:
    """Return what each group of features is worth to what was learned, on entries that it has not learned."""
    examples = [one for entry in entries for one in learned.examples(entry.item)][:MAX_IMPORTANCE]
    features, truths = [grouped(parts) for parts, _ in examples], [label for _, label in examples]
    _, found = permutation_importance(learned.classifier, features, truths, source)
    return [
        {"name": one.group, "present": one.present, "accuracy": one.drop.accuracy, "macro_f1": one.drop.macro_f1}
        for one in found
    ]


def distinct_programs(entries: Iterable[Entry[Any]]) -> Iterator[Entry[Any]]:
    """Yield the first entry of each source: the same program may have been tried with several tools."""
    seen: set[str] = set()
    for entry in entries:
        if entry.item.source not in seen:
            seen.add(entry.item.source)
            yield entry
