"""A contract that every detector keeps: quiet without a change, loud after a large one, saved and loaded unchanged."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.drift.cusum import Cusum
from models.drift.dispersion import Dispersion
from models.drift.mix import MixDetector
from models.drift.mixture import mixture
from models.drift.rate import RateDetector
from models.drift.windowed import WindowedDivergence

BASELINE = 600
LABELS = "ABCDE"

MAKERS: dict[str, Callable[[], Any]] = {
    "jidoka": lambda: MixDetector(baseline=BASELINE),
    "KL, bootstrap": lambda: WindowedDivergence((100, 300), baseline=BASELINE),
    "KL > 0.5": lambda: WindowedDivergence((300,), kl_threshold=0.5, baseline=BASELINE),
}
every = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


def stream(seed: int, builds: int, weights: tuple[int, ...] = (8, 4, 2, 1, 1)) -> list[list[str]]:
    """Return builds of one to three labels."""
    draw = random.Random(seed)  # noqa: S311 - a stream, not a secret
    return [draw.choices(LABELS, weights, k=draw.randint(1, 3)) for _ in range(builds)]


def fed(detector: Any, builds: list[list[str]]) -> Any:
    """Return the detector after builds that are named by their number."""
    for number, build in enumerate(builds):
        detector.update(build, str(number))
    return detector


class TestContract:
    @every
    def test_is_quiet_without_a_change(self, make: Callable[[], Any]) -> None:
        """Five streams of 3,000 builds without a change raise no alarm."""
        assert not any(fed(make(), stream(seed, 3_000)).alarm for seed in range(5))

    @every
    def test_finds_a_large_change(self, make: Callable[[], Any]) -> None:
        """A mix turned round is found within 600 builds, and not before."""
        detector = fed(make(), stream(1, 1_500))
        assert not detector.alarm
        assert fed(detector, stream(2, 600, (0, 0, 1, 4, 8))).alarm

    @every
    def test_leaves_its_input_alone(self, make: Callable[[], Any]) -> None:
        """Builds are the same after they were taken in."""
        builds = stream(3, 700)
        before = deepcopy(builds)
        fed(make(), builds)
        assert builds == before

    @every
    def test_the_same_stream_gives_the_same(self, make: Callable[[], Any]) -> None:
        """Two detectors on one stream agree to the bit."""
        first, second = (fed(make(), stream(4, 1_500)) for _ in range(2))
        assert (first.statistic, first.threshold) == (second.statistic, second.threshold)

    @every
    def test_is_quiet_before_its_baseline_is_full(self, make: Callable[[], Any]) -> None:
        """Before the baseline is full nothing is judged."""
        detector = fed(make(), [["A"]] * 300 + [["B"]] * 299)
        assert (detector.alarm, detector.statistic) == (False, 0.0)

    @every
    def test_an_alarm_stays(self, make: Callable[[], Any]) -> None:
        """After its alarm a detector takes nothing in and goes on saying so."""
        detector = fed(make(), stream(1, 1_500) + [["E"]] * 800)
        statistic = detector.statistic
        assert detector.alarm
        assert (fed(detector, stream(5, 500)).alarm, detector.statistic) == (True, statistic)


class TestMix:
    def test_a_new_label_is_named_with_its_first_build(self) -> None:
        """A label that was never there and then takes 3 % is found, named, and dated to its first build."""
        draw = random.Random(6)  # noqa: S311 - a stream, not a secret
        detector = fed(MixDetector(), [[draw.choice(LABELS)] for _ in range(4_000)])
        builds = [["new"] if draw.random() < 0.03 else [draw.choice(LABELS)] for _ in range(1_000)]
        begin = builds.index(["new"])
        for number, build in enumerate(builds):
            if detector.alarm:
                break
            detector.update(build, f"after {number}")
        assert (detector.alarm, detector.cause, detector.first_build) == (True, "new", f"after {begin}")
        assert number < 300
        assert detector.mixture(changed=True).contributions["new"] > 0

    def test_a_label_that_vanishes_is_found(self) -> None:
        """A label that no longer comes raises an alarm though nothing votes for it."""
        detector = fed(MixDetector(), [[LABELS[number % 5]] for number in range(4_000)])
        assert not detector.alarm
        assert fed(detector, [[LABELS[number % 4]] for number in range(300)]).alarm

    def test_a_cascade_votes_once(self) -> None:
        """Forty equal errors in a build weigh as much as one."""
        many, one = (fed(MixDetector(baseline=200), [["A"] * times, ["B"]] * 400) for times in (40, 1))
        assert many.dump() == one.dump()

    def test_bursts_raise_the_threshold_and_no_alarm(self) -> None:
        """Where equal labels come in long runs the threshold is a multiple, and a run is no change."""
        draw = random.Random(7)  # noqa: S311 - a stream, not a secret
        runs = [[draw.choice(LABELS)] * draw.randint(1, 80) for _ in range(400)]
        detector = fed(MixDetector(), [[label] for run in runs for label in run])
        assert detector.votes > 10_000
        assert detector.threshold > 5 * MixDetector().threshold
        assert not detector.alarm

    def test_labels_without_end_stay_bounded(self) -> None:
        """A stream in which every label is new neither grows the state without bound nor breaks it."""
        detector = fed(MixDetector(baseline=200, budget=1e30), [[f"label {number}"] for number in range(5_000)])
        assert len(orjson.dumps(detector.dump())) < 60_000

    @given(st.permutations(LABELS))
    @settings(max_examples=10, deadline=None)
    def test_names_do_not_matter(self, renamed: list[str]) -> None:
        """Labels called otherwise give the same evidence."""
        names = dict(zip(LABELS, renamed, strict=True))
        builds = [build[:1] for build in stream(8, 900, (16, 8, 4, 2, 1))]
        one = fed(MixDetector(baseline=300), builds)
        other = fed(MixDetector(baseline=300), [[names[label] for label in build] for build in builds])
        assert other.statistic == pytest.approx(one.statistic, rel=1e-9)

    @given(st.integers(0, 1_500))
    @settings(max_examples=12, deadline=None)
    def test_goes_on_where_it_was(self, cut: int) -> None:
        """Dumped as JSON and loaded anywhere, the detector goes on to the bit as if nothing had happened."""
        builds = stream(9, 1_500)
        whole, loaded = fed(MixDetector(baseline=BASELINE), builds), MixDetector(baseline=BASELINE)
        loaded.load(orjson.loads(orjson.dumps(fed(MixDetector(baseline=BASELINE), builds[:cut]).dump())))
        for number, build in enumerate(builds[cut:], cut):
            loaded.update(build, str(number))
        assert (loaded.dump(), loaded.statistic) == (whole.dump(), whole.statistic)

    @pytest.mark.parametrize("wrong", [{"baseline": 10}, {"budget": 1.0}, {"bucket": 0}])
    def test_settings_out_of_range_are_refused(self, wrong: dict[str, Any]) -> None:
        """A setting that makes no detector is refused with what is allowed."""
        with pytest.raises(ValueError, match="at least"):
            MixDetector(**wrong)


class TestMixture:
    @given(*[st.dictionaries(st.sampled_from(LABELS), st.integers(0, 500), min_size=1)] * 2)
    def test_contributions_sum_to_the_divergence(self, window: dict[str, float], baseline: dict[str, float]) -> None:
        """The labels' summands add up to the divergence, which is not negative; the largest comes first."""
        found = mixture(window, baseline)
        assert found.divergence == sum(found.contributions.values())
        assert found.divergence >= -1e-12
        assert [*found.contributions.values()] == sorted(found.contributions.values(), reverse=True)


class TestDispersion:
    def test_independent_votes_have_none(self) -> None:
        """The design effect of independent votes is 1, of votes that come in tens more than 3."""
        import numpy as np

        found = []
        for run in (1, 10):
            draw = np.random.default_rng(3)
            columns = np.repeat(draw.integers(0, 5, 3_000 // run), run)
            dispersion = Dispersion()
            dispersion.settle(np.eye(5)[columns].cumsum(0))
            found.append(dispersion.effect)
        assert found[0] == 1.0
        assert 3.0 < found[1] < 30.0


class TestCusum:
    def test_by_hand(self) -> None:
        """A label of share .1 that takes 30 % more: the sum after two votes in a row is twice the log ratio."""
        from math import log

        one = Cusum(0.1, 1e12, 0)
        assert one.vote(1, "b") == pytest.approx(log(0.37 / 0.1), rel=1e-4)
        assert one.vote(2, "c") == pytest.approx(2 * log(0.37 / 0.1), rel=1e-4)
        assert one.build == "b"


class TestRate:
    def test_is_quiet_without_a_change(self) -> None:
        """Twenty streams of 5,000 builds with an error rate of 10 % raise no alarm."""
        for seed in range(20):
            draw = random.Random(seed)  # noqa: S311 - a stream, not a secret
            detector = RateDetector("both")
            for _ in range(5_000):
                detector.update(float(draw.random() < 0.1))
            assert not detector.alarm

    @pytest.mark.parametrize(("before", "after"), [(0.1, 0.3), (0.02, 0.12), (0.5, 0.75)])
    def test_finds_a_rise_within_300_builds(self, before: float, after: float) -> None:
        """A rate that rises is found within 300 builds in most streams, and dated near its place."""
        delays, begun = [], []
        for seed in range(9):
            draw = random.Random(seed)  # noqa: S311 - a stream, not a secret
            detector = RateDetector("rise")
            for number in range(2_600):
                detector.update(float(draw.random() < (before if number < 2_000 else after)), str(number))
                if detector.alarm:
                    break
            delays.append(number - 2_000)
            begun.append(abs(int(detector.first_build or 0) - 2_000))
        assert sorted(begun)[4] < 100
        assert 0 < sorted(delays)[4] <= 300

    def test_a_side_that_is_not_watched_is_not_seen(self) -> None:
        """Fewer errors raise no alarm where only a rise is watched."""
        detector = RateDetector("rise")
        for number in range(3_000):
            detector.update(float(number % 4 == 0) if number < 1_500 else 0.0)
        assert not detector.alarm

    @given(st.integers(0, 900))
    @settings(max_examples=12, deadline=None)
    def test_goes_on_where_it_was(self, cut: int) -> None:
        """Dumped as JSON and loaded anywhere, the detector goes on to the bit as if nothing had happened."""
        draw = random.Random(4)  # noqa: S311 - a stream, not a secret
        values = [draw.random() for _ in range(900)]
        whole, part, loaded = RateDetector(), RateDetector(), RateDetector()
        for number, value in enumerate(values):
            whole.update(value, str(number))
            if number < cut:
                part.update(value, str(number))
        loaded.load(orjson.loads(orjson.dumps(part.dump())))
        for number, value in enumerate(values[cut:], cut):
            loaded.update(value, str(number))
        assert loaded.dump() == whole.dump()
