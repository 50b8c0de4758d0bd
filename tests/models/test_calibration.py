"""Calibration: probabilities that are, those that were too sure, and what a saved calibrator goes on with."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.calibration import COLDEST, HOTTEST, Calibrator
from models.sparse import Floats

LABELS = 4
logit_rows = arrays(np.float32, (3, LABELS), elements=st.floats(-200, 200, width=32))


def stream(count: int, factor: float, seed: int, size: int = 1) -> list[tuple[Floats, list[int]]]:
    """Return builds of ``size`` examples whose logits are ``factor`` times what their labels were drawn from."""
    source = np.random.default_rng(seed)
    builds = []
    for _ in range(count):
        honest = source.normal(0, 2, (size, LABELS))
        shares = np.exp(honest)
        shares /= shares.sum(1, keepdims=True)
        columns = [int(source.choice(LABELS, p=row)) for row in shares]
        builds.append(((honest * factor).astype(np.float32), columns))
    return builds


def fed(calibrator: Calibrator, builds: list[tuple[Floats, list[int]]]) -> Calibrator:
    """Return ``calibrator`` after these builds, each calibrated before it is learned."""
    for logits, columns in builds:
        calibrator.learn(logits, calibrator.apply(logits), columns)
    return calibrator


def calibration_error(calibrator: Calibrator, builds: list[tuple[Floats, list[int]]]) -> float:
    """Return the expected calibration error of the likeliest label, in 15 bins, without learning."""
    shares = np.concatenate([calibrator.apply(logits) for logits, _ in builds])
    truth = np.array([column for _, columns in builds for column in columns])
    sure, right = shares.max(1), shares.argmax(1) == truth
    bins = np.minimum((sure * 15).astype(int), 14)
    return float(sum(abs((sure - right)[bins == one].sum()) for one in range(15)) / len(truth))


class TestApply:
    def test_starts_as_softmax(self) -> None:
        """Before any label the probabilities are the softmax of the logits."""
        found = Calibrator().apply(np.log(np.array([[1.0, 3.0]], np.float32)))
        assert found == pytest.approx(np.array([[0.25, 0.75]]))

    @given(logit_rows, st.floats(1 / HOTTEST, 1 / COLDEST))
    def test_distributions(self, logits: Floats, inverse: float) -> None:
        """Whatever logits and temperature, every row is a distribution whose order is that of the logits."""
        calibrator, before = Calibrator(), logits.copy()
        calibrator.inverse = inverse
        shares = calibrator.apply(logits)
        assert shares.min() >= 0
        assert shares.sum(1) == pytest.approx(1.0, abs=1e-5)
        assert (shares[range(3), logits.argmax(1)] == shares.max(1)).all()
        assert np.array_equal(logits, before)

    def test_no_labels_or_no_examples(self) -> None:
        """Before the first label, or for no examples, there are no probabilities and nothing is learned."""
        for shape in ((2, 0), (0, 3)):
            calibrator, logits = Calibrator(), np.zeros(shape, np.float32)
            shares = calibrator.apply(logits)
            assert shares.shape == shape
            calibrator.learn(logits, shares, [0] * shape[0])
            assert calibrator.dump() == Calibrator().dump()


class TestLearn:
    def test_first_step_by_hand(self) -> None:
        """The first step is the error over its square plus the prior, the errors of a build counting √n together."""
        logits = np.array([[2.0, 0.0], [2.0, 0.0]], np.float32)
        calibrator = Calibrator(prior=10)
        shares = calibrator.apply(logits)
        calibrator.learn(logits, shares, [0, 1])
        promised = 1 / (1 + np.exp(-2.0))
        errors = [2 * promised - 2, 2 * promised]
        weight = 2**0.5 / 2
        expected = 1 - weight * sum(errors) / (weight * (errors[0] ** 2 + errors[1] ** 2) + 10)
        assert calibrator.inverse == pytest.approx(expected)

    @pytest.mark.parametrize("factor", [0.5, 3.0])
    def test_finds_the_temperature(self, factor: float) -> None:
        """Logits too small or too large by a factor get a temperature near it, and calibrated probabilities."""
        later = stream(3_000, factor, seed=2)
        calibrator = fed(Calibrator(), stream(4_000, factor, seed=1))
        assert calibrator.temperature == pytest.approx(factor, rel=0.15)
        assert calibration_error(Calibrator(), later) > 0.08
        assert calibration_error(calibrator, later) < 0.03

    def test_honest_logits_stay(self) -> None:
        """Logits that are calibrated already keep a temperature near one."""
        assert fed(Calibrator(), stream(4_000, 1.0, seed=3)).temperature == pytest.approx(1.0, abs=0.12)

    def test_follows_a_change(self) -> None:
        """When the classifier becomes too sure of itself, the temperature rises with it."""
        calibrator = fed(Calibrator(), stream(3_000, 1.0, seed=4))
        assert fed(calibrator, stream(4_000, 3.0, seed=5)).temperature > 2.2

    def test_a_cascade_is_not_many_opinions(self) -> None:
        """A hundred equal errors in one build move the temperature as ten builds would, not as a hundred."""
        logits = np.array([[3.0, 0.0]], np.float32)
        one, many = Calibrator(prior=1e6), Calibrator(prior=1e6)  # steps small enough to add up
        one.learn(logits, one.apply(logits), [1])
        wide = logits.repeat(100, 0)
        many.learn(wide, many.apply(wide), [1] * 100)
        assert (1 - many.inverse) / (1 - one.inverse) == pytest.approx(10, rel=1e-2)

    @pytest.mark.parametrize("column", [-1, LABELS, 99])
    def test_unknown_labels_are_passed_over(self, column: int) -> None:
        """A label that had no logit teaches nothing; the other examples of its build do."""
        logits, columns = stream(1, 2.0, seed=6, size=2)[0]
        calibrator, alone = Calibrator(), Calibrator()
        calibrator.learn(logits, calibrator.apply(logits), [column, columns[1]])
        alone.learn(logits[1:], alone.apply(logits[1:]), columns[1:])
        assert calibrator.inverse == pytest.approx(alone.inverse, abs=1e-7)
        assert calibrator.inverse != 1.0

    @given(st.lists(st.tuples(logit_rows, st.lists(st.integers(-1, LABELS), min_size=3, max_size=3)), max_size=20))
    def test_stays_in_range(self, builds: list[tuple[Floats, list[int]]]) -> None:
        """No stream, however wrong and extreme, drives the temperature out of its range."""
        calibrator = fed(Calibrator(), builds)
        assert COLDEST * (1 - 1e-12) <= calibrator.temperature <= HOTTEST * (1 + 1e-12)

    def test_one_column_per_example(self) -> None:
        """Fewer columns than examples are an error, not a guess."""
        logits = np.zeros((2, 2), np.float32)
        with pytest.raises(ValueError, match="shorter"):
            Calibrator().learn(logits, logits, [0])

    @pytest.mark.parametrize(("memory", "prior"), [(0, 1.0), (10, 0.0)])
    def test_parameters_out_of_range(self, memory: int, prior: float) -> None:
        """A memory without an example, or no prior, is refused."""
        with pytest.raises(ValueError, match=f"memory {memory}, prior {prior}"):
            Calibrator(memory, prior)


class TestSaved:
    def test_goes_on_where_it_was(self) -> None:
        """Dumped as JSON and loaded, the calibrator goes on as if nothing had happened, to the last bit."""
        first, then = stream(50, 2.0, seed=7, size=3), stream(50, 2.0, seed=8, size=2)
        loaded = Calibrator()
        loaded.load(orjson.loads(orjson.dumps(fed(Calibrator(), first).dump())))
        assert fed(loaded, then).dump() == fed(Calibrator(), first + then).dump()

    @pytest.mark.parametrize(
        "data",
        [
            {"inverse": 0.0, "curvature": 1.0},
            {"inverse": float("nan"), "curvature": 1.0},
            {"inverse": 1.0, "curvature": -1.0},
            {"inverse": 1.0, "curvature": float("nan")},
            {"inverse": 1.0, "curvature": float("inf")},
        ],
    )
    def test_refuses_what_cannot_be(self, data: dict[str, float]) -> None:
        """Numbers that no stream leads to are refused, and nothing changes."""
        calibrator = Calibrator()
        with pytest.raises(ValueError, match="inverse temperature"):
            calibrator.load(data)
        assert calibrator.dump() == Calibrator().dump()
