"""The benchmarks' arithmetic: rates, percentiles, ratios of medians, growth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import figures
from benchmarks.figures import Rate, Seen, Size


class TestRate:
    def test_what_was_there_at_the_first_moment_is_not_counted(self) -> None:
        """A start that takes long, or a first commit that brings much, changes no rate."""
        seen = [Seen(10.0, 500, 2_500, 1.0), Seen(11.0, 600, 3_000, 1.5), Seen(15.0, 900, 4_500, 3.0)]
        one = figures.rate("d", seen)
        assert (one.builds, one.diagnostics, one.seconds) == (400, 2_000, 5.0)
        assert (one.builds_per_s, one.diagnostics_per_s, one.diagnostics_per_cpu_s) == (80.0, 400.0, 1_000.0)

    def test_one_moment_cannot_be_timed(self) -> None:
        """A contender that is through at once is not given a rate."""
        with pytest.raises(ValueError, match="more input"):
            figures.rate("d", [Seen(10.0, 500, 2_500)])


class TestPercentile:
    @given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]))
    def test_it_is_the_smallest_value_that_enough_values_do_not_exceed(self, values: list[float], share: float) -> None:
        """The definition holds for any values."""
        found = figures.percentile(values, share)
        assert found in values
        assert sum(value <= found for value in values) >= share * len(values)
        smaller = [value for value in values if value < found]
        assert not smaller or len(smaller) < share * len(values)

    def test_of_a_hundred(self) -> None:
        """The 99th of 1 to 100 is 99."""
        assert [figures.percentile(range(1, 101), share) for share in (0.5, 0.9, 0.99, 1.0)] == [50, 90, 99, 100]

    def test_nothing_has_no_percentile(self) -> None:
        """No values are an error, not a zero."""
        with pytest.raises(ValueError, match="no values"):
            figures.percentile([], 0.5)


class TestCompare:
    def test_ratios_are_of_medians(self) -> None:
        """One run that a busy machine spoilt decides nothing."""
        rates = [Rate("a", 10, 100, 1.0, 0.5), Rate("a", 10, 100, 1.0, 0.5), Rate("a", 1, 1, 1.0, 1.0)]
        rates += [Rate("d", 10, 900, 1.0, 1.0), Rate("d", 10, 1_000, 1.0, 1.0), Rate("d", 10, 4_000, 1.0, 1.0)]
        compared = figures.compare(rates, "a")
        assert compared["d"]["diagnostics_per_s"] == {"min": 900.0, "median": 1_000.0, "max": 4_000.0}
        assert (compared["a"]["ratio"], compared["d"]["ratio"], compared["d"]["cpu_ratio"]) == (1.0, 10.0, 5.0)
        assert figures.ratio(compared, "d", "a") == 10.0
        assert figures.ratio(compared, "d", "c") is None

    def test_a_table_has_its_columns_one_below_the_other(self) -> None:
        """Names stand to the left, figures to the right."""
        assert figures.table(("who", "n"), [("a", 1), ("jidoka", 25)]) == "who      n\na        1\njidoka  25"


class TestDelays:
    def test_what_was_not_answered_counts_as_waiting_until_the_end(self) -> None:
        """A line that leaves builds unanswered looks slow, not fast."""
        assert figures.delays({"one": 1.0, "two": 2.0}, {"one": 1.5, "other": 1.0}, 10.0) == [0.5, 8.0]


class TestGrowth:
    def test_it_is_from_after_the_warm_up_to_the_end(self) -> None:
        """Filling caches at first is no growth; a leak is."""
        warm = [Size(number, 100 + 5 * min(number, 20)) for number in range(100)]
        assert figures.growth(warm, 100)["growth"] == 0
        leak = [Size(number, 200 + number) for number in range(100)]
        assert figures.growth(leak, 100)["growth"] == pytest.approx(60 / 229.5)

    def test_a_run_without_samples_at_its_end_has_none(self) -> None:
        """What was not seen is not guessed."""
        with pytest.raises(ValueError, match="too short"):
            figures.growth([Size(30, 100)], 100)


class TestMachine:
    def test_it_says_what_the_figures_depend_on(self) -> None:
        """Processors and versions are told; what is not installed is left out."""
        found = figures.machine()
        assert found["cpus"] >= 1
        assert {"river", "faust-streaming"} <= found["versions"].keys()
        assert "river" in figures.describe(found, 1)
