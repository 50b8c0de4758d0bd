"""Three honest questions to a commit model: later commits, a stream whose labels come late, and other projects.

Each answer stands beside baselines that need no model. Commits that touch source code are scored apart: the others
hardly ever need a fix, and flatter whatever is asked about them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from models.commits.features import NAMES, Array, Columns, matrix
from models.commits.risk import CommitRisk
from models.evaluation.metrics import auc, average_precision

TRAIN_SHARE = 0.6
DELAY_DAYS = 30.0
DAY_S = 86_400.0
LEAST = 20  # commits to source code in a part; fewer say nothing

PLAIN = ("lines_added", "prod_src_lines_added", "prior_changes_max")
LABELS = ("bug_inducing", "label_censored")
NEEDED = ("repo", "commit_time", *LABELS)


@dataclass(frozen=True)
class History:
    """Commits with what became of them; all arrays have shape (commits,), ``rows`` (commits, features).

    ``delay_days`` is how long the first fix took, infinite where there is none: only labels are made of it.
    """

    rows: Array
    project: Any
    time_s: Array
    source: Any
    positive: Any
    censored: Any
    delay_days: Array

    @classmethod
    def of(cls, columns: Columns) -> History:
        """Return a history from columns: ``features.INPUTS``, ``NEEDED``, and ``days_to_first_fix`` where it is given.

        Without it, what ``bug_inducing_at_split`` says was known at once, and the rest never.
        """
        positive = np.asarray(columns["bug_inducing"], bool)
        days = columns.get("days_to_first_fix")
        if days is None:
            days = np.where(columns.get("bug_inducing_at_split", positive), 0.0, np.nan)
        days = np.asarray(days, np.float64)
        return cls(
            matrix(columns),
            np.asarray(columns["repo"], object),
            np.asarray(columns["commit_time"], np.float64),
            np.asarray(columns["touches_src"], bool),
            positive,
            np.asarray(columns["label_censored"], bool),
            np.where(positive & ~np.isnan(days), days, np.inf),
        )

    def split_times(self, share: float) -> tuple[Any, Array]:
        """Return which commits are the oldest ``share`` of their project, and when that part ends, for each commit."""
        older, ends = np.zeros(len(self.rows), bool), np.zeros(len(self.rows))
        for name in dict.fromkeys(self.project):
            places = np.flatnonzero(self.project == name)
            places = places[np.argsort(self.time_s[places], kind="stable")]
            cut = int(len(places) * share)
            older[places[:cut]] = True
            ends[places] = self.time_s[places[min(cut, len(places) - 1)]]
        return older, ends

    def known_at(self, ends: Array) -> Any:
        """Return which commits were known at ``ends`` to have needed a fix."""
        return self.positive & (self.time_s + self.delay_days * DAY_S <= ends)


def scored(positive: Any, scores: Array) -> dict[str, float | int | None]:
    """Return AUC-ROC, AUC-PR, and F1 where as many are called risky as are: no threshold is tuned."""
    called = np.zeros(len(scores), bool)
    called[np.argsort(-scores, kind="stable")[: int(positive.sum())]] = True
    hits, total = int((called & positive).sum()), int(positive.sum())
    return {
        "commits": len(scores),
        "share_positive": float(positive.mean()) if len(positive) else None,
        "auc_roc": auc(positive, scores),
        "auc_pr": average_precision(positive, scores),
        "f1": hits / total if total else None,
    }


def _parts(history: History, chosen: Any, scores: Mapping[str, Array]) -> dict[str, Any]:
    chosen = chosen & ~history.censored
    found: dict[str, Any] = {}
    for name, part in (("source", chosen & history.source), ("all", chosen)):
        found[name] = {model: scored(history.positive[part], values[part]) for model, values in scores.items()}
    return found


def plain(history: History) -> dict[str, Array]:
    """Return what needs no learning: each of these numbers by itself."""
    return {name: history.rows[:, NAMES.index(name)] for name in PLAIN}


class Training(NamedTuple):
    """What a model may see: rows, their projects, labels as they were known, ages in days, and which touch source."""

    rows: Array
    projects: Any
    labels: Array
    age_days: Array
    source: Any


Scores = Callable[[Array, Any], Array]
"""From rows and their projects to scores, the higher the riskier."""
Fit = Callable[[Training], Scores]


def bayes(seen: Training) -> Scores:
    """Fit ``CommitRisk``."""
    return CommitRisk().fit(seen.rows, list(seen.projects), seen.labels, seen.age_days, seen.source).scores


def ridge(seen: Training) -> Scores:
    """Fit a logistic regression that knows nothing before the first label: the same with a wide prior around zero."""
    model = CommitRisk(variance=1.0)
    model.weights[: len(NAMES)] = 0.0
    return model.fit(seen.rows, [""] * len(seen.rows), seen.labels, np.zeros(len(seen.rows)), seen.source).scores


def out_of_time(history: History, fits: Mapping[str, Fit], share: float = TRAIN_SHARE) -> dict[str, Any]:
    """Train on the oldest ``share`` of each project with the labels of that day, test on the rest."""
    older, ends = history.split_times(share)
    ages = (ends - history.time_s) / DAY_S
    scores = _scores(history, fits, older, history.known_at(ends), ages)
    return _parts(history, ~older, scores | plain(history))


def later(train: History, test: History, fits: Mapping[str, Fit]) -> dict[str, Any]:
    """Train on one history with the labels of its end, test on another one that comes later."""
    _, ends = train.split_times(1.0)
    labels, ages = train.known_at(ends).astype(np.float64), (ends - train.time_s) / DAY_S
    seen = Training(train.rows, train.project, labels, ages, train.source)
    scores = {name: fit(seen)(test.rows, test.project) for name, fit in fits.items()}
    return _parts(test, np.ones(len(test.rows), bool), scores | plain(test))


def across_projects(history: History, fits: Mapping[str, Fit]) -> dict[str, Any]:
    """Train on all projects but one, test on that one; ``mean`` is over the projects with enough commits."""
    found: dict[str, Any] = {}
    ages = (history.time_s.max() - history.time_s) / DAY_S
    for name in dict.fromkeys(history.project):
        own = history.project == name
        if (own & history.source & ~history.censored).sum() < LEAST or own.all():
            continue
        scores = _scores(history, fits, ~own, history.positive, ages)
        found[name] = _parts(history, own, scores | plain(history))
    means = {
        model: _mean([one["source"][model]["auc_roc"] for one in found.values()]) for model in (*fits, *plain(history))
    }
    return {"projects": found, "mean_auc_roc_source": means}


def _mean(values: list[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def _scores(history: History, fits: Mapping[str, Fit], train: Any, labels: Any, ages: Array) -> dict[str, Array]:
    """Return each model's scores of all commits, having seen those in ``train``."""
    known = labels[train].astype(np.float64)
    seen = Training(history.rows[train], history.project[train], known, ages[train], history.source[train])
    return {name: fit(seen)(history.rows, history.project) for name, fit in fits.items()}


def prequential(history: History, delay_days: float = DELAY_DAYS) -> dict[str, Any]:
    """Predict each commit when it comes; its label comes ``delay_days`` later, and is what was known by then.

    Scored are commits from the first label on. The rules are the same model that learns nothing.
    """
    model, rules = CommitRisk(), CommitRisk()
    scores = {name: np.full(len(history.rows), np.nan) for name in ("model", "rules")}
    known = history.known_at(history.time_s + delay_days * DAY_S)
    waiting: deque[int] = deque()
    for place in np.argsort(history.time_s, kind="stable"):
        while waiting and history.time_s[waiting[0]] + delay_days * DAY_S <= history.time_s[place]:
            seen = waiting.popleft()
            model.learn_one(history.rows[seen], history.project[seen], positive=bool(known[seen]))
        row, project = history.rows[place], history.project[place]
        for one, name in ((model, "model"), (rules, "rules")):
            if history.source[place]:
                one.observe(row)
            if model.learned:
                scores[name][place] = one.scores(row[None, :], [project])[0]
        waiting.append(int(place))
    chosen = ~np.isnan(scores["model"])
    return {"delay_days": delay_days, "learned": model.learned} | _parts(history, chosen, scores | plain(history))
