"""Commits as numbers, the model of their risk, and the questions it is asked."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from models.commits.evaluation import DAY_S, History, across_projects, bayes, later, out_of_time, prequential, ridge
from models.commits.features import INPUTS, NAMES, NUMBERS, PRIOR, TEXT, matrix
from models.commits.risk import CommitRisk

FITS = {"model": bayes, "ridge": ridge}


def made(count: int, seed: int = 7, projects: tuple[str, ...] = ("one", "two")) -> dict[str, Any]:
    """Return columns of commits whose larger changes need a fix ten days later, and half of which touch source."""
    draw = np.random.default_rng(seed)
    columns: dict[str, Any] = {name: np.zeros(count) for name in NUMBERS}
    columns[TEXT] = np.array(["feat"] * count, object)
    columns["touches_src"] = draw.random(count) < 0.5
    columns["prod_src_lines_added"] = np.where(columns["touches_src"], draw.integers(0, 400, count), 0.0)
    columns["lines_added"] = columns["prod_src_lines_added"] + 5
    columns["author_weekday"] = draw.integers(0, 7, count)
    columns["repo"] = np.array([projects[place % len(projects)] for place in range(count)], object)
    columns["commit_time"] = np.arange(count) * DAY_S
    columns["bug_inducing"] = columns["prod_src_lines_added"] + draw.normal(0, 60, count) > 200
    columns["days_to_first_fix"] = np.where(columns["bug_inducing"], 10.0, np.nan)
    columns["label_censored"] = np.arange(count) >= count - 10
    return columns


class TestFeatures:
    def test_rows(self) -> None:
        """A commit is one finite row of the named features, though numbers are missing."""
        columns = made(3)
        columns["days_since_last_change"] = np.full(3, np.nan)
        rows = matrix(columns)
        assert rows.shape == (3, len(NAMES))
        assert np.isfinite(rows).all()
        assert rows[0, NAMES.index("new_file")] == 1.0

    def test_nothing_from_later(self) -> None:
        """No label, and nothing made from one, is among the inputs."""
        later_known = (
            "bug_inducing",
            "later",
            "inducing",
            "first_fix",
            "repo_end",
            "censored",
            "fix_category",
            "is_fix",
        )
        assert not [name for name in INPUTS for word in later_known if word in name]

    def test_prior_names_features(self) -> None:
        """Every feature of the prior is one."""
        assert set(PRIOR) <= set(NAMES)


class TestCommitRisk:
    def test_answers_before_the_first_label(self) -> None:
        """A large change is riskier than a small one before anything was learned."""
        rows = matrix(made(200))
        model = CommitRisk()
        for row in rows:
            model.observe(row)
        size = rows[:, NAMES.index("prod_src_lines_added")]
        scores = model.scores(rows, ["one"] * len(rows))
        assert scores[size.argmax()] > scores[size.argmin()]

    def test_online_nears_the_batch(self) -> None:
        """Learning one by one comes to the same ranking as learning all at once."""
        history = History.of(made(400))
        batch = CommitRisk().fit(history.rows, list(history.project), history.positive * 1.0, np.zeros(400))
        online = CommitRisk()
        for row in history.rows:
            online.observe(row)
        for row, project, positive in zip(history.rows, history.project, history.positive, strict=True):
            online.learn_one(row, project, positive=bool(positive))
        one, other = (model.scores(history.rows, list(history.project)) for model in (batch, online))
        assert np.corrcoef(one, other)[0, 1] > 0.97

    def test_saved_and_loaded(self) -> None:
        """A model read back from JSON predicts the same."""
        history = History.of(made(100))
        model = CommitRisk().fit(history.rows, list(history.project), history.positive * 1.0, np.zeros(100))
        again = CommitRisk.load(json.loads(json.dumps(model.dump())))
        rows = history.rows[:5]
        assert np.allclose(again.scores(rows, ["one"] * 5), model.scores(rows, ["one"] * 5))

    @pytest.mark.parametrize("change", [{"version": 9}, {"names": ["x"]}, {"mean": [1.0]}, {"weights": [float("nan")]}])
    def test_refuses_another_model(self, change: dict[str, Any]) -> None:
        """A model of another version, other features or broken numbers is refused."""
        with pytest.raises(ValueError, match="commit model"):
            CommitRisk.load(CommitRisk().dump() | change)

    def test_many_projects(self) -> None:
        """Projects beyond the number that has intercepts share the common one."""
        model = CommitRisk()
        rows = matrix(made(1))
        for number in range(100):
            model.learn_one(rows[0], f"p{number}", positive=True)
        assert np.isfinite(model.scores(rows, ["p99"])).all()

    def test_reasons(self) -> None:
        """What speaks for a risk is named, the strongest first."""
        rows = matrix(made(50))
        model = CommitRisk()
        for row in rows:
            model.observe(row)
        parts = [abs(part) for _, part in model.reasons(rows[0])]
        assert parts == sorted(parts, reverse=True)


class TestEvaluation:
    def test_only_what_was_known(self) -> None:
        """Labels whose fix came after the split are not trained on."""
        history = History.of(made(100))
        older, ends = history.split_times(0.5)
        known = history.known_at(ends)
        late = history.time_s + 10 * DAY_S > ends
        assert older.sum() == 50
        assert not (known & late).any()

    def test_later_commits(self) -> None:
        """What depends on the size is found on later commits; censored ones are left out."""
        found = out_of_time(History.of(made(600)), FITS)
        assert found["source"]["model"]["auc_roc"] > 0.9
        assert found["all"]["model"]["commits"] == 240 - 10

    def test_another_file(self) -> None:
        """A model of one file is scored on another."""
        found = later(History.of(made(300)), History.of(made(200, seed=8)), FITS)
        assert found["source"]["model"]["auc_roc"] > 0.9

    def test_labels_come_late(self) -> None:
        """A stream learns only labels that are due: none of the last thirty days."""
        found = prequential(History.of(made(300)))
        assert found["learned"] == 300 - 30
        assert found["source"]["model"]["auc_roc"] > 0.85

    def test_other_projects(self) -> None:
        """Each project is scored by a model that saw only the others."""
        found = across_projects(History.of(made(300)), {"model": bayes})
        assert set(found["projects"]) == {"one", "two"}
        assert found["mean_auc_roc_source"]["model"] > 0.9
        assert across_projects(History.of(made(100, projects=("one",))), FITS)["projects"] == {}

    def test_labels_at_the_split(self) -> None:
        """Where no delays are given, what was known at the split is what the column says."""
        columns = made(100)
        del columns["days_to_first_fix"]
        columns["bug_inducing_at_split"] = np.zeros(100, bool)
        assert not History.of(columns).known_at(np.full(100, 1e12)).any()
