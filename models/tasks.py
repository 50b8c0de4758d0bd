"""The tasks of a replay: what is asked about each item, by whom, and what counts as the truth."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from river import base

from models.calibration import Calibrator
from models.classifiers import CLASSIFIERS, HashedLogistic
from models.code_features import source_parts
from models.diagnostics import Diagnostic
from models.features import extract
from models.hybrid import Build, Observation, observe
from models.records import CompilerErrors
from models.scorecard import Opinion
from models.snapshot import mark_saved
from models.splits import Entry
from models.state import LineState
from models.step import answer
from models.taxonomy import rule_for

TASKS = ("category", "source", "source-unmarked", "outcome")
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # the step's clock in a replay: predictions are dropped

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
            return _opinions(observe(self.state, record.diagnostics).seen)
        builds: list[Build] = []
        answer(self.state, record, EPOCH, lambda build, _: builds.append(build))
        mark_saved(self.state)  # no checkpoint follows: what is kept for one would grow with the stream
        return [one for build in builds for one in _opinions(build.seen)]


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

    @property
    def labels(self) -> Sequence[str]:
        """Return the labels of the classifier."""
        return self.classifier.labels

    def take(self, record: CompilerErrors, *, learn: bool) -> list[Opinion]:
        """Predict all diagnostics of the build that have a label, then learn them together."""
        found = labelled(record)
        if not found:
            return []
        described = [source_parts(one, mark=self.mark) for _, one, _ in found]
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
            self.calibrator.learn(scores, probabilities, [names.index(one) if one in names else -1 for one in labels])
            self.classifier.learn_batch(batch, labels, [1.0] * len(found), self.classifier.activations(batch))
        return opinions


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


def learner(task: str, classifier: str) -> LineLearner | SourceLearner | RivalLearner:
    """Return a learner for ``task`` that knows nothing yet."""
    if classifier != OURS:
        return RivalLearner(CLASSIFIERS[classifier](), DESCRIBE[task])
    return LineLearner() if task == "category" else SourceLearner(mark=task == "source")


def distinct_programs(entries: Iterable[Entry[Any]]) -> Iterator[Entry[Any]]:
    """Yield the first entry of each source: the same program may have been tried with several tools."""
    seen: set[str] = set()
    for entry in entries:
        if entry.item.source not in seen:
            seen.add(entry.item.source)
            yield entry
