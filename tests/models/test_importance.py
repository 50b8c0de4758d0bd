"""Permutation importance: what a model relies on is found, what it ignores is not, and runs can be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from sys import byteorder
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.classifiers import HashedLogistic
from models.code_features import source_parts
from models.diagnostics import Diagnostic, Span
from models.evaluation.importance import CHUNK, Example, Scores, group_of, grouped, permutation_importance, score
from models.evaluation.prequential import Prequential
from models.features import parts
from models.hashing import name_hash, named
from models.sparse import Batch, Floats, present

WORDS = {"A": "mismatched", "B": "moved", "C": "borrowed"}
labels = st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("ABCD")), min_size=1, max_size=40)


def stream(count: int, source: Random) -> tuple[list[Example], list[str]]:
    """Return examples whose message tells the label, and whose line and note tell nothing; every third has a note."""
    truths = [source.choice("ABC") for _ in range(count)]
    examples = []
    for number, truth in enumerate(truths):
        features = [f"message:{WORDS[truth]}", f"line:{source.choice('xyz')}"]
        examples.append(grouped([named(features), named(["note:n"] if number % 3 == 0 else [])]))
    return examples, truths


def trained(examples: Sequence[Example], truths: Sequence[str]) -> HashedLogistic:
    """Return a model that has learned the examples."""
    model = HashedLogistic(bits=12)
    for example, truth in zip(examples, truths, strict=True):
        batch = model.batch([b"".join(example.values())])
        model.learn_batch(batch, [truth], [1.0], model.activations(batch))
    return model


class Counting:
    """A model that knows one feature: with it the label is A, without it B. It notes how many it is asked at a time."""

    def __init__(self) -> None:
        self.labels = ["A", "B"]
        self.asked: list[int] = []

    def batch(self, hashes: Sequence[bytes]) -> Batch:
        """Return the examples."""
        self.asked.append(len(hashes))
        return present(hashes, 20)

    def activations(self, batch: Batch) -> Floats:
        """Return A for those that have the feature."""
        row = int.from_bytes(name_hash("message:a"), byteorder) & (1 << 20) - 1
        has = [[row in one.rows, row not in one.rows] for one in batch.examples()]
        return np.array(has, np.float32)


class TestImportance:
    def test_what_tells_the_label_is_worth_most_and_noise_nothing(self) -> None:
        """Where the message says everything its permutation costs two thirds of the answers, the rest nothing."""
        source = Random(3)  # noqa: S311 - a stream, not a secret
        model = trained(*stream(400, source))
        whole, found = permutation_importance(model, *stream(600, source), source)
        assert whole == Scores(1.0, 1.0)
        assert found[0].group == "message"
        drops = {one.group: one.drop.accuracy for one in found}
        assert drops["message"] == pytest.approx(2 / 3, abs=0.06)  # three labels, equally frequent
        assert abs(drops["line"]) < 0.01
        assert abs(drops["note"]) < 0.01

    def test_by_hand(self) -> None:
        """Two examples that exchange the deciding feature are both wrong, two that do not are both right."""
        examples = [{"message": name_hash("message:a")}, {"line": name_hash("line:x")}]
        exchanged = []
        for seed in range(8):
            _, found = permutation_importance(Counting(), examples, ["A", "B"], Random(seed), repeats=1)  # noqa: S311
            drops = {one.group: one.drop for one in found}
            source, order = Random(seed), [0, 1]  # noqa: S311
            for _group in ("line", "message"):  # in this order, by their names
                order = [0, 1]
                source.shuffle(order)
            exchanged.append(order == [1, 0])
            assert drops["message"] == (Scores(1.0, 1.0) if exchanged[-1] else Scores(0.0, 0.0))
            assert drops["line"] == Scores(0.0, 0.0)
        assert len(set(exchanged)) == 2

    def test_only_the_group_is_exchanged(self) -> None:
        """Everything else of an example stays, and nothing is lost or doubled: the features of all are the same."""
        examples = [{"message": name_hash(f"m{number}"), "line": name_hash(f"l{number}")} for number in range(20)]
        seen: list[list[bytes]] = []

        class Noting(Counting):
            def batch(self, hashes: Sequence[bytes]) -> Batch:
                seen.append(list(hashes))
                return super().batch(hashes)

        permutation_importance(Noting(), examples, ["A"] * 20, Random(1), repeats=1)  # noqa: S311
        _, line, message = seen
        for kept, exchanged, found in (("message", "line", line), ("line", "message", message)):
            assert [one[:4] for one in found] == [one[kept] for one in examples]
            assert [one[4:] for one in found] != [one[exchanged] for one in examples]
            assert sorted(one[4:] for one in found) == sorted(one[exchanged] for one in examples)

    def test_equal_seeds_give_equal_results(self) -> None:
        """A run can be repeated; another seed gives another one. The examples are left as they were."""
        examples, truths = stream(100, Random(5))  # noqa: S311
        before = [dict(one) for one in examples]
        model = trained(examples, truths)
        first, again, other = (
            permutation_importance(model, examples, truths, Random(seed))  # noqa: S311
            for seed in (1, 1, 2)
        )
        assert first == again
        assert first != other
        assert examples == before

    def test_how_many_have_the_group(self) -> None:
        """The share of examples with a feature of the group is told beside its worth."""
        examples, truths = stream(300, Random(5))  # noqa: S311
        _, found = permutation_importance(trained(examples, truths), examples, truths, Random(1))  # noqa: S311
        assert {one.group: one.present for one in found} == {"message": 1.0, "line": 1.0, "note": pytest.approx(1 / 3)}

    def test_deviation_is_that_of_the_rounds(self) -> None:
        """A single round deviates by nothing, several by something where the group matters."""
        examples, truths = stream(60, Random(5))  # noqa: S311
        model = trained(examples, truths)
        for repeats in (1, 5):
            _, found = permutation_importance(model, examples, truths, Random(1), repeats)  # noqa: S311
            deviation = next(one.deviation for one in found if one.group == "message")
            assert (deviation.accuracy > 0) == (repeats > 1)

    def test_many_examples_go_in_chunks(self) -> None:
        """A model never sees more examples at a time than a chunk has, and sees all of them."""
        model, count = Counting(), 2 * CHUNK + 1
        permutation_importance(model, [{"message": name_hash("message:a")}] * count, ["A"] * count, Random(1), 1)  # noqa: S311
        assert model.asked == [CHUNK, CHUNK, 1] * 2

    def test_a_model_that_learned_nothing(self) -> None:
        """Without labels every answer is wrong, and no group is worth anything."""
        examples, truths = stream(10, Random(5))  # noqa: S311
        whole, found = permutation_importance(HashedLogistic(bits=8), examples, truths, Random(1))  # noqa: S311
        assert whole == Scores(0.0, 0.0)
        assert {one.drop for one in found} == {Scores(0.0, 0.0)}

    @pytest.mark.parametrize(("examples", "truths", "repeats"), [([], [], 1), ([{}], [], 1), ([{}], ["A"], 0)])
    def test_what_cannot_be_measured_is_refused(self, examples: list[Example], truths: list[str], repeats: int) -> None:
        """No examples, not as many truths, or no repeats: the error says what was given."""
        with pytest.raises(ValueError, match=f"{len(examples)} examples, {len(truths)} truths, {repeats} repeats"):
            permutation_importance(Counting(), examples, truths, Random(1), repeats)  # noqa: S311


class TestGroups:
    @pytest.mark.parametrize(
        ("name", "group"),
        [
            ("message:mismatched types", "message"),
            ("stem:mism-", "message"),
            ("marked:::", "mark"),
            ("piece before:get", "line"),
            ("follows 2:) ;", "token classes"),
            ("line -2:let x", "lines around"),
            ("errors in build:8", "counts"),
            ("bias", "bias"),
            ("a place to come:x", "a place to come"),
            ("unknown 3:x", "unknown 3"),
        ],
    )
    def test_of_a_name(self, name: str, group: str) -> None:
        """A feature belongs to the group of the place where it was found."""
        assert group_of(name) == group

    def test_of_an_example_nothing_is_lost(self) -> None:
        """All features of a diagnostic are in exactly one group, with their hashes."""
        span = Span(file="a.rs", line_start=1, line_end=1, column_start=5, column_end=6, text=("let x = 1;",))
        one = Diagnostic(level="error", message="mismatched types", spans=(span,))
        found = [*parts(one), *source_parts(one)[1:]]
        example = grouped(found)
        hashes = b"".join(example.values())
        assert sorted(hashes[i : i + 4] for i in range(0, len(hashes), 4)) == sorted(
            name_hash(name) for part in found for name in part.names
        )
        assert example["bias"] == name_hash("bias")

    def test_may_be_coarser(self) -> None:
        """The caller may group otherwise."""
        example = grouped([named(["message:a", "note:b"])], group=lambda name: "text" if ":" in name else name)
        assert example == {"text": name_hash("message:a") + name_hash("note:b")}


class TestScore:
    @given(labels)
    def test_is_what_the_prequential_evaluation_says(self, pairs: list[tuple[str, str]]) -> None:
        """Accuracy and macro F1 are defined as for the stream."""
        scores = Prequential()
        for truth, predicted in pairs:
            scores.update(truth, predicted, None)
        found = score([truth for truth, _ in pairs], [predicted for _, predicted in pairs])
        assert found == pytest.approx((scores.accuracy, scores.macro_f1))

    def test_no_answer_is_wrong_and_no_label(self) -> None:
        """A model without an answer is wrong there; what it does not say is no label of its own."""
        answers: list[Any] = ["A", None]
        assert score(["A", "A"], answers) == pytest.approx((0.5, 2 / 3))
