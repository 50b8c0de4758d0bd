"""The scorecard of a replay: what it says is what its parts say, whoever answered and however often labels came."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation import metrics
from models.evaluation.prequential import WINDOW
from models.evaluation.scorecard import AFTER, BEFORE, POINTS, Opinion, Scorecard

NOBODY = (None, None, None)
letters = st.sampled_from("ABC")
drawn = st.lists(st.tuples(letters, st.none() | letters, st.integers(0, 2)), max_size=40)


def card(opinions: list[Opinion], labels: tuple[str, ...] = ("A", "B", "C"), source: int = 0) -> Scorecard:
    """Return a card with these opinions, a microsecond each."""
    found = Scorecard()
    for one in opinions:
        found.add([one], labels, [NOBODY], 1_000, source)
    return found


def flags(right: str, found: Scorecard | None = None, source: int = 0) -> Scorecard:
    """Return a card on which ``1`` was right and ``0`` wrong, after what ``found`` has already."""
    found = found or Scorecard()
    for one in right:
        found.add([Opinion("A", "A" if one == "1" else "B", [])], (), [NOBODY], 1_000, source)
    return found


class TestSummary:
    def test_by_hand(self) -> None:
        """Shares are normalised, and the scores are those of the metrics on them."""
        found = card([Opinion("A", "A", [3, 1, 0]), Opinion("B", "A", [2, 2, 0]), Opinion("B", "B", [0, 1, 0])])
        shares, truth = np.array([[0.75, 0.25], [0.5, 0.5], [0.0, 1.0]]), np.array([0, 1, 1])
        summary = found.summary()
        assert (summary["n"], summary["accuracy"]) == (3, pytest.approx(2 / 3))
        assert summary["log_loss"] == pytest.approx(metrics.log_loss(truth, shares))
        assert summary["auc"] == 1.0
        assert summary["ece"] == pytest.approx((0.25 + 0.5 + 0.0) / 3)
        assert summary["per_category"]["A"] == {
            "precision": 0.5,
            "recall": 1.0,
            "f1": pytest.approx(2 / 3),
            "support": 1,
            "auc": 1.0,
            "auc_pr": 1.0,
        }

    def test_labels_come_one_after_the_other(self) -> None:
        """A learner's labels grow, and another learner has another order: a share belongs to its label."""
        found = Scorecard()
        found.add([Opinion("A", None, [])], (), [NOBODY], 1, 0)
        found.add([Opinion("A", "A", [1.0])], ("A",), [NOBODY], 1, 0)
        found.add([Opinion("B", "B", [0.2, 0.8])], ("A", "B"), [NOBODY], 1, 0)
        found.add([Opinion("A", "A", [0.2, 0.8])], ("B", "A"), [NOBODY], 1, 0)
        certain = -np.log([metrics.SMALLEST, 1.0, 0.8, 0.8]).mean()
        assert found.summary()["log_loss"] == pytest.approx(certain)
        assert found.confusion_table() == {"labels": ["A", "B"], "counts": [[2, 0], [0, 1]], "unanswered": [1, 0]}

    def test_nothing(self) -> None:
        """Of nothing there are zeros and nothings, never an error."""
        found: dict[str, Any] = Scorecard().document()
        assert (found["n"], found["accuracy"], found["macro_f1"]) == (0, 0, 0)
        assert [found[key] for key in ("auc", "auc_pr", "log_loss", "ece")] == [None] * 4
        assert (found["curve"], found["latency"], found["per_category"]) == ([], {}, {})
        assert Scorecard().switches() == []

    @given(drawn)
    def test_is_json(self, pairs: list[tuple[str, str | None, int]]) -> None:
        """Whatever was answered, the document is JSON, and its confusion holds every prediction once."""
        found = card([Opinion(truth, said, [0.5, 0.25, 0.25][:known]) for truth, said, known in pairs])
        document = orjson.loads(orjson.dumps(found.document()))
        table = document["confusion"]
        assert sum(map(sum, table["counts"])) + sum(table["unanswered"]) == document["n"] == len(pairs)
        assert sum(one["support"] for one in document["per_category"].values()) == len(pairs)

    @given(drawn, drawn)
    def test_extended_equals_one_after_the_other(self, one: list[Any], other: list[Any]) -> None:
        """A card taken after another scores as one card for both."""
        opinions = [[Opinion(truth, said, [0.5, 0.5][:known]) for truth, said, known in part] for part in (one, other)]
        whole, first = card([*opinions[0], *opinions[1]]), card(opinions[0])
        first.extend(card(opinions[1]))
        assert first.document() == whole.document()


class TestBaselines:
    def test_each_is_scored(self) -> None:
        """A baseline's guesses have an accuracy and a macro-F1 of their own; who is not asked for is not shown."""
        found = Scorecard(("majority", "last_label"))
        for truth, guesses in (("A", ("A", "B", None)), ("B", ("A", "B", None))):
            found.add([Opinion(truth, None, [])], (), [guesses], 1, 0)
        assert found.baselines() == {
            "majority": {"accuracy": 0.5, "macro_f1": pytest.approx((2 / 3 + 0) / 2)},
            "last_label": {"accuracy": 0.5, "macro_f1": pytest.approx((2 / 3 + 0) / 2)},
        }


class TestLatency:
    def test_of_a_build_is_shared(self) -> None:
        """The time of a build is shared by its diagnostics, each of which counts."""
        found = Scorecard()
        found.add([Opinion("A", "A", [])] * 4, (), [NOBODY] * 4, 8_000, 0)
        found.add([Opinion("A", "A", [])], (), [NOBODY], 7_000, 0)
        assert found.latency() == {"p50_us": 2.0, "p99_us": pytest.approx(6.8), "mean_us": 3.0}

    def test_empty_builds_take_no_time(self) -> None:
        """A build that nothing was said about does not count."""
        found = Scorecard()
        found.add([], (), [], 8_000, 0)
        assert found.latency() == {}


class TestCurve:
    def test_rolls(self) -> None:
        """Each point is the accuracy of the last ``WINDOW`` predictions; the last point is the last prediction."""
        curve = flags("0" * WINDOW + "1" * WINDOW + "1").curve()
        assert curve[-1] == {"n": 2 * WINDOW + 1, "accuracy": 1.0, "majority": 0, "last_label": 0, "lookup": 0}
        assert len(curve) <= POINTS + 1
        by_place = {point["n"]: point["accuracy"] for point in curve}
        assert all(
            value == pytest.approx(max(0, n - WINDOW) / min(n, WINDOW)) for n, value in by_place.items() if n < 999
        )

    def test_short_runs_have_a_point_each(self) -> None:
        """A run of few predictions has a point for each."""
        assert [point["accuracy"] for point in flags("10").curve()] == [1.0, 0.5]


class TestSwitches:
    def test_drop_and_recovery(self) -> None:
        """Level before, level after, and how many examples until the level was within two points again."""
        found = flags("0" * 500 + "1" * BEFORE)
        flags("01" * (AFTER // 2) + "1" * 1_000, found, source=1)
        (switch,) = found.switches()
        assert switch["at"] == 1_500
        assert (switch["before"], switch["after"]) == (1.0, 0.5)
        # 490 of the last 500 have to be right: ten of the wrong ones, every second of the first 500, may be left.
        assert switch["recovered_after"] == 979

    def test_not_back(self) -> None:
        """A level that is not reached again is nothing, also where fewer than ``AFTER`` came."""
        found = flags("0" * 400, flags("1" * 100), source=1)
        assert [one["recovered_after"] for one in found.switches()] == [None]

    def test_files_between_others(self) -> None:
        """There is a switch for each file after the first; each is compared with what came right before."""
        found = flags("1" * 600, flags("0" * 600, flags("1" * 600), source=1), source=2)
        assert [(one["at"], one["before"]) for one in found.switches()] == [(600, 1.0), (1_200, 0.4)]

    def test_mixed_files_have_none(self) -> None:
        """Where the files are shuffled, or there is one, nothing switches."""
        mixed = flags("1", flags("1", flags("1"), source=1), source=0)
        assert mixed.switches() == flags("111").switches() == []
