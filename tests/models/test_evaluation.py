"""Prequential scores: equal to a loop by hand and to river's metrics, beside baselines defined to the letter."""

from __future__ import annotations

import random
from collections import Counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import metrics

from models.evaluation.prequential import MAX_CODES, WINDOW, Prequential

Scored = tuple[str, str | None, str | None]  # truth, predicted, code

labels = st.sampled_from("ABCD")
stream = st.lists(st.tuples(labels, st.none() | labels, st.none() | st.sampled_from(["E1", "E2", "E3"])), max_size=60)

# By hand: A is learned first; the majority stays A; the last label lags by one; E9 has been seen with B only.
BY_HAND: tuple[Scored, ...] = (
    ("A", None, "E1"),  # nobody knows anything
    ("A", "A", "E1"),  # all right
    ("B", "A", "E9"),  # all say A; E9 is new, so the lookup falls back on the majority
    ("A", "B", "E1"),  # majority and lookup right, the last label was B
    ("B", "B", "E9"),  # the lookup knows E9; majority says A, the last label was A
    ("B", "B", None),  # no code: the lookup falls back on the majority, A
)


def scored(examples: list[Scored] | tuple[Scored, ...]) -> Prequential:
    """Return the scores of these predictions."""
    scores = Prequential()
    for truth, predicted, code in examples:
        scores.update(truth, predicted, code)
    return scores


def seeded(count: int) -> list[Scored]:
    """Return predictions that are right in about three of four cases."""
    source = random.Random(11)  # noqa: S311 - a stream, not a secret
    drawn = [source.choice("AAAABBC") for _ in range(count)]
    return [(t, t if source.random() < 0.7 else source.choice("ABCD"), source.choice(["E1", None])) for t in drawn]


class TestScores:
    def test_nothing_yet(self) -> None:
        """Before the first prediction every score is zero."""
        scores = Prequential()
        assert (scores.n, scores.accuracy, scores.rolling_accuracy, scores.macro_f1, scores.f1()) == (0, 0, 0, 0, {})
        assert scores.baselines == {"majority": 0, "last_label": 0, "lookup": 0}

    def test_equals_river(self) -> None:
        """Accuracy and macro-F1 are those of river's metrics on the same stream, after every step."""
        accuracy, macro_f1, scores = metrics.Accuracy(), metrics.MacroF1(), Prequential()
        for truth, predicted, code in seeded(400):
            scores.update(truth, predicted, code)
            accuracy.update(truth, predicted)
            macro_f1.update(truth, predicted)
            assert scores.accuracy == pytest.approx(accuracy.get())
            assert scores.macro_f1 == pytest.approx(macro_f1.get())

    def test_seeded_values(self) -> None:
        """A seeded stream has exactly these scores."""
        scores = scored(seeded(400))
        assert scores.accuracy == 0.7975
        assert scores.macro_f1 == pytest.approx(0.588268355836246)

    @given(stream)
    def test_equals_a_loop_by_hand(self, examples: list[Scored]) -> None:
        """Each baseline equals its definition, computed from everything that came before."""
        right = Counter[str]()
        for number, (truth, _, code) in enumerate(examples):
            before = examples[:number]
            seen = [label for label, _, _ in before]
            alike = [label for label, _, known in before if known == code]
            right["majority"] += most_frequent(seen) == truth
            right["last_label"] += (seen[-1] if seen else None) == truth
            right["lookup"] += most_frequent(alike or seen) == truth
        scores = scored(examples)
        assert scores.baselines == {name: right[name] / max(len(examples), 1) for name in scores.baselines}
        assert scores.accuracy == sum(t == p for t, p, _ in examples) / max(len(examples), 1)

    def test_baselines_by_hand(self) -> None:
        """On six predictions worked out by hand the baselines are right exactly where they should be."""
        scores = scored(BY_HAND)
        assert scores.baselines == {"majority": 2 / 6, "last_label": 2 / 6, "lookup": 3 / 6}
        assert scores.accuracy == 3 / 6
        assert scores.f1() == {"A": 2 * 1 / (3 + 2), "B": 2 * 2 / (3 + 3)}

    def test_no_answer_is_an_error_but_no_label(self) -> None:
        """A prediction of nothing counts against the true label, and makes no label of its own."""
        assert scored([("A", None, None), ("A", "A", None)]).f1() == {"A": 2 / 3}

    def test_rolling_accuracy_forgets(self) -> None:
        """The rolling accuracy is that of the last ``WINDOW`` predictions."""
        scores = scored([("A", "B", None)] * WINDOW + [("A", "A", None)] * (WINDOW // 2))
        assert scores.rolling_accuracy == 0.5
        assert scores.accuracy == pytest.approx(1 / 3)

    def test_codes_are_bounded(self) -> None:
        """A stream of ever new codes fills the lookup up to its bound and goes on."""
        scores = scored([("A", "A", f"E{number}") for number in range(MAX_CODES + 500)])
        assert len(scores.dump()["by_code"]) <= MAX_CODES + 1
        assert scores.n == MAX_CODES + 500


class TestSaved:
    @given(stream, stream)
    def test_goes_on_where_it_was(self, first: list[Scored], then: list[Scored]) -> None:
        """Dumped as JSON and loaded, the scores go on as if nothing had happened."""
        whole, loaded = scored(first + then), Prequential()
        loaded.load(orjson.loads(orjson.dumps(scored(first).dump())))
        for truth, predicted, code in then:
            loaded.update(truth, predicted, code)
        assert orjson.dumps(loaded.dump()) == orjson.dumps(whole.dump())
        assert (loaded.accuracy, loaded.rolling_accuracy, loaded.macro_f1) == (
            whole.accuracy,
            whole.rolling_accuracy,
            whole.macro_f1,
        )


def most_frequent(seen: list[str]) -> str | None:
    """Return the most frequent label, of equals the one seen first."""
    return max(dict.fromkeys(seen), key=seen.count) if seen else None
