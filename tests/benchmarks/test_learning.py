"""Learners side by side: every one is asked before it learns, on the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import learning
from benchmarks.learners.rivals import Ours, River, learners
from models.classifiers import CLASSIFIERS
from models.taxonomy import MAIN_CODES

ROWS = learning.rows([], "category", "main", seed=1, limit=300)  # of the bundled failures


def test_rows_are_a_seeded_draw_of_the_labelled() -> None:
    """The same seed gives the same rows, another one others, and all have a code of the main labels."""
    assert learning.rows([], "category", "main", seed=1, limit=300) == ROWS
    assert learning.rows([], "category", "main", seed=2, limit=300) != ROWS
    assert {row.code for row in ROWS} <= MAIN_CODES


@pytest.mark.parametrize("name", ["jidoka", "river-naive-bayes"])
def test_nothing_is_answered_before_anything_was_learned(name: str) -> None:
    """A batch is predicted before any of it is learned: the whole first one is unknown."""
    score, scores = learning.run(name, learners([])[name], ROWS, batch=100)
    assert sum(count for (_, answer), count in scores.confusion.items() if not answer) >= 100
    assert scores.n == len(ROWS)
    assert score.accuracy == scores.accuracy > scores.baselines["majority"]


def test_ours_is_the_classifier_of_the_line() -> None:
    """One example at a time, the batched learner answers as the line's classifier does through river's interface."""
    ours, theirs = Ours(), River(CLASSIFIERS["logistic"]())
    for row in ROWS[:100]:
        assert ours.predict([row.example]) == theirs.predict([row.example])
        ours.learn([row.example], [row.label])
        theirs.learn([row.example], [row.label])


def test_a_learner_that_is_not_installed_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The comparison goes on without it, and says what would install it."""

    def absent() -> Ours:
        raise ImportError("No module named 'rival'")

    monkeypatch.setattr(learning, "learners", lambda _: {"jidoka": Ours, "rival": absent})
    monkeypatch.setattr(learning, "rows", lambda *_: ROWS)
    assert learning.main(["--corpus", str(Path("x.parquet")), "--limit", "300"]) == 0
    said = capsys.readouterr()
    assert "rival left out" in said.err
    assert "make bench-venv" in said.err
    assert "jidoka" in said.out
