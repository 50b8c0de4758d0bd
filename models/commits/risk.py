"""Will this commit need a fix? Logistic regression with an informed prior, in a batch or one commit at a time.

The prior's mean is what is known of risky changes in general (``features.PRIOR``); the prior's width says how many
labels it takes to move away from it. So it answers sensibly before the first label, which comes weeks late. Batch: the
maximum a posteriori by Newton's method. Online: the same posterior by assumed-density filtering with a full covariance
(Spiegelhalter and Lauritzen, "Sequential updating of conditional probabilities on directed graphical structures",
Networks 20, 1990). Each project has an intercept of its own, shrunk to the common one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import expit  # type: ignore[import-untyped]

from models.commits.features import NAMES, PRIOR, Array

VARIANCE = 0.0005  # of the weights around the prior, in (log-odds per standard deviation)²
INTERCEPT_VARIANCE = 100.0
PROJECT_VARIANCE = 0.01
ONLINE_INTERCEPT_VARIANCE = 1.0  # there the intercept is learned from single labels, and must not jump
START = -1.0  # log-odds before the first label: about a quarter of the commits to source code
CLIP = 4.0  # standard deviations
HALF_LIFE_DAYS = 60.0
MAX_PROJECTS = 32  # with an intercept of their own; later ones share the common one
STEPS = 12
VERSION = 1


class CommitRisk:
    """The posterior over weights; features are standardised by the commits to source code seen so far.

    >>> risk = CommitRisk()
    >>> x = np.zeros((1, len(NAMES)))
    >>> risk.probabilities(x, ["any"]).shape
    (1,)
    """

    def __init__(self, variance: float = VARIANCE) -> None:
        self.variance = variance
        size = len(NAMES) + 1 + MAX_PROJECTS
        self.weights = np.zeros(size)
        self.weights[: len(NAMES)] = [PRIOR.get(name, 0.0) for name in NAMES]
        self.weights[len(NAMES)] = START
        self.covariance = np.diag(self._variances(ONLINE_INTERCEPT_VARIANCE))
        self.projects: dict[str, int] = {}
        self.count, self.mean, self.squares = 1.0, np.zeros(len(NAMES)), np.ones(len(NAMES))
        self.learned = 0

    def _variances(self, intercept: float) -> Array:
        of_projects = np.full(MAX_PROJECTS, self.variance * PROJECT_VARIANCE / VARIANCE)
        return np.concatenate([np.full(len(NAMES), self.variance), [intercept], of_projects])

    def observe(self, row: Array) -> None:
        """Take a commit to source code into the standardisation; its label need not be known."""
        self.count += 1
        step = row - self.mean
        self.mean = self.mean + step / self.count
        self.squares = self.squares + step * (row - self.mean)

    def standardised(self, rows: Array, projects: Sequence[str]) -> Array:
        """Return rows of ``(features, 1, project)`` as the weights take them."""
        scale = np.sqrt(self.squares / self.count)
        scaled = np.clip((rows - self.mean) / np.where(scale > 0, scale, 1.0), -CLIP, CLIP)
        own = np.zeros((len(rows), 1 + MAX_PROJECTS))
        own[:, 0] = 1.0
        for place, name in enumerate(projects):
            number = self._number(name)
            if number is not None:
                own[place, 1 + number] = 1.0
        return np.hstack([scaled, own])

    def _number(self, project: str) -> int | None:
        if project not in self.projects and len(self.projects) < MAX_PROJECTS:
            self.projects[project] = len(self.projects)
        return self.projects.get(project)

    def scores(self, rows: Array, projects: Sequence[str]) -> Array:
        """Return the log-odds of needing a fix, shape (commits,)."""
        return np.asarray(self.standardised(rows, projects) @ self.weights)

    def probabilities(self, rows: Array, projects: Sequence[str]) -> Array:
        """Return the probability of needing a fix, shape (commits,)."""
        return np.asarray(expit(self.scores(rows, projects)))

    def reasons(self, row: Array, most: int = 4) -> list[tuple[str, float]]:
        """Return the features that raise or lower one commit's log-odds most, with how much."""
        parts = self.standardised(row[None, :], [""])[0, : len(NAMES)] * self.weights[: len(NAMES)]
        order = np.argsort(-np.abs(parts))[:most]
        return [(NAMES[place], float(parts[place])) for place in order if parts[place]]

    def fit(
        self, rows: Array, projects: Sequence[str], positive: Array, age_days: Array, source: Array | None = None
    ) -> CommitRisk:
        """Learn from a batch from scratch; older commits count less, by half each ``HALF_LIFE_DAYS``.

        ``source`` marks the commits to source code, by which features are standardised (default: all).
        """
        base = rows if source is None or not source.any() else rows[source.astype(bool)]
        self.count, self.mean = float(len(base)), np.asarray(base.mean(axis=0), np.float64)
        self.squares = ((base - self.mean) ** 2).sum(axis=0)
        x, share = self.standardised(rows, projects), 0.5 ** (np.maximum(age_days, 0.0) / HALF_LIFE_DAYS)
        prior = self.weights.copy()
        precision = 1.0 / self._variances(INTERCEPT_VARIANCE)
        hessian = np.diag(precision)
        for _ in range(STEPS):
            answer = expit(x @ self.weights)
            curvature = share * answer * (1 - answer)
            hessian = (x * curvature[:, None]).T @ x + np.diag(precision)
            step = np.linalg.solve(hessian, x.T @ (share * (positive - answer)) - precision * (self.weights - prior))
            self.weights = self.weights + step
            if np.abs(step).max() < 1e-6:
                break
        self.covariance, self.learned = np.asarray(np.linalg.inv(hessian), np.float64), len(rows)
        return self

    def learn_one(self, row: Array, project: str, *, positive: bool) -> None:
        """Learn from one label."""
        x = self.standardised(row[None, :], [project])[0]
        gain = self.covariance @ x
        spread = float(x @ gain)
        answer = float(expit((x @ self.weights) / np.sqrt(1 + np.pi * spread / 8)))
        curvature = max(answer * (1 - answer), 1e-3)
        gain_scale = 1.0 / (1.0 + curvature * spread)
        self.weights = self.weights + gain * (positive - answer) * gain_scale
        self.covariance = self.covariance - np.outer(gain, gain) * curvature * gain_scale
        self.learned += 1

    def dump(self) -> dict[str, Any]:
        """Return everything but the covariance as JSON-able data: enough to predict."""
        return {"version": VERSION, "names": list(NAMES), "projects": dict(self.projects), "count": self.count} | {
            name: getattr(self, name).tolist() for name in ("weights", "mean", "squares")
        }

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> CommitRisk:
        """Return the model that ``dump`` gave; raises ``ValueError`` for another version or other features."""
        if data.get("version") != VERSION or tuple(data.get("names", ())) != NAMES:
            raise ValueError(f"a commit model of version {data.get('version')!r}; this reads {VERSION}: train it anew")
        found = cls()
        found.projects, found.count = {str(k): int(v) for k, v in data["projects"].items()}, float(data["count"])
        for name, size in (("weights", len(found.weights)), ("mean", len(NAMES)), ("squares", len(NAMES))):
            values = np.asarray(data[name], np.float64)
            if values.shape != (size,) or not np.isfinite(values).all():
                raise ValueError(
                    f"a commit model with {name} of shape {values.shape}; it must be {size} finite numbers"
                )
            setattr(found, name, values)
        if not 0 < len(found.projects) + 1 <= MAX_PROJECTS + 1 or not 0 < found.count < np.inf:
            raise ValueError("a commit model with too many projects, or of no commits")
        return found
