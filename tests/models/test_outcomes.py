"""Will it compile: probabilities, what is learned from what, and that the state comes back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.outcomes import MAX_LABELS, Case, OutcomeModel, Outlook, prequential
from models.programs.features import program_parts

PLAIN = program_parts("def add(a: int, b: int) -> int:\n    return a + b\n")
LAZY = program_parts("def numbers(n):\n    yield from range(n)\n")
CLASSY = program_parts("class A(B):\n    def go(self, *rest): ...\n")

CASES = [
    Case(PLAIN, compiles=True, transpiled=True),
    Case(LAZY, compiles=False, transpiled=True, first_label="TraitBounds"),
    Case(CLASSY, compiles=None, transpiled=False),
    Case(LAZY, compiles=False, first_label="TypeErrors"),
]
STREAMS = st.lists(st.sampled_from(CASES), max_size=12)


def model_after(cases: list[Case]) -> OutcomeModel:
    """Return a model that learned these cases."""
    model = OutcomeModel(bits=12)
    for case in cases:
        model.learn(case.parts, case.transpiled, case.compiles, case.first_label)
    return model


class TestPredicting:
    def test_knows_nothing_at_first(self) -> None:
        """Before the first case everything is as likely as not, and no category is named."""
        assert OutcomeModel(bits=12).predict(PLAIN) == Outlook(0.5, 0.5, {})

    def test_learns_each_verdict(self) -> None:
        """Programs that transpile, that compile, and what fails first are told apart."""
        model = model_after(CASES * 20)
        plain, lazy, classy = (model.predict(parts) for parts in (PLAIN, LAZY, CLASSY))
        assert plain.compiles - lazy.compiles > 0.6
        assert lazy.transpiles - classy.transpiles > 0.6
        assert classy.fails - plain.fails > 0.5
        assert set(lazy.categories) == {"TraitBounds", "TypeErrors"}

    def test_unknown_verdicts_teach_nothing(self) -> None:
        """A case of which nothing is known leaves the model as it was."""
        model = model_after([Case(PLAIN, compiles=None)] * 3)
        assert model.predict(PLAIN) == Outlook(0.5, 0.5, {})

    @given(STREAMS)
    @settings(max_examples=20)
    def test_probabilities(self, cases: list[Case]) -> None:
        """Whatever was learned, probabilities lie between 0 and 1, and those of the categories sum to one."""
        outlook = model_after(cases).predict(LAZY)
        assert 0 <= outlook.transpiles <= 1
        assert 0 <= outlook.compiles <= 1
        assert 0 <= outlook.fails <= 1
        assert not outlook.categories or sum(outlook.categories.values()) == pytest.approx(1)

    def test_a_program_without_features(self) -> None:
        """Even nothing at all gets an answer and can be learned."""
        model = model_after([Case([], compiles=False, first_label="TypeErrors"), *CASES])
        assert model.predict([]).compiles == pytest.approx(0.5)

    def test_reasons(self) -> None:
        """The features that decided are the program's own, the weightiest first, with the sign of what they say."""
        model = model_after(CASES * 20)
        reasons = model.reasons(LAZY, most=4)
        assert {name for name, _ in reasons} <= {name for part in LAZY for name in part.names}
        assert all(abs(one) >= abs(other) for (_, one), (_, other) in pairwise(reasons))
        assert len(reasons) == 4
        assert reasons[0][1] < 0

    def test_labels_are_bounded(self) -> None:
        """A hostile stream of ever new categories makes no more columns than the bound."""
        model = model_after([Case(LAZY, compiles=False, first_label=f"label {n}") for n in range(MAX_LABELS + 9)])
        assert len(model.predict(LAZY).categories) == MAX_LABELS


class TestPrequential:
    def test_asked_before_told(self) -> None:
        """Each outlook was formed before its own case was learned, and every case is counted."""
        counted: list[int] = []
        found = list(prequential(CASES, OutcomeModel(bits=12), counted.append))
        assert [case for case, _ in found] == CASES
        assert found[0][1] == Outlook(0.5, 0.5, {})
        assert found[3][1] == model_after(CASES[:3]).predict(LAZY)
        assert counted == [1, 1, 1, 1]

    def test_where_a_case_comes_from_is_no_feature(self) -> None:
        """Origin, project and file change no outlook."""
        named = [case._replace(origin="o", project="p", file=f"{n}.py") for n, case in enumerate(CASES)]
        plain, moved = (
            [outlook for _, outlook in prequential(cases, OutcomeModel(bits=12), lambda _: None)]
            for cases in (CASES, named)
        )
        assert plain == moved


class TestSaving:
    @given(STREAMS, STREAMS)
    @settings(max_examples=15)
    def test_round_trip(self, before: list[Case], after: list[Case]) -> None:
        """A model that was saved and loaded answers and learns on bit by bit; its header survives JSON."""
        model, loaded = model_after(before), OutcomeModel(bits=12)
        header, arrays = model.dump()
        loaded.load(orjson.loads(orjson.dumps(header)), arrays)
        for case in after:
            assert model.predict(case.parts) == loaded.predict(case.parts)
            for one in (model, loaded):
                one.learn(case.parts, case.transpiled, case.compiles, case.first_label)
        (one_header, one_arrays), (other_header, others) = model.dump(), loaded.dump()
        assert one_header == other_header
        assert all(np.array_equal(array, others[name]) for name, array in one_arrays.items())

    @pytest.mark.parametrize("name", ["category_weights", "transpiles_rows", "compiles_shares"])
    def test_what_is_missing_is_refused(self, name: str) -> None:
        """A state without one of its arrays is refused, and nothing has changed."""
        header, arrays = model_after(CASES).dump()
        del arrays[name]
        model = model_after(CASES[:1])
        before = model.predict(PLAIN)
        with pytest.raises((KeyError, ValueError)):
            model.load(header, arrays)
        assert model.predict(PLAIN) == before

    def test_weights_that_are_no_numbers_are_refused(self) -> None:
        """A weight that is no finite number is refused."""
        header, arrays = model_after(CASES).dump()
        arrays["category_weights"] = np.full_like(arrays["category_weights"], np.nan)
        with pytest.raises(ValueError, match="finite"):
            OutcomeModel(bits=12).load(header, arrays)
