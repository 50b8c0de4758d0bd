"""Builds by project on the metrics: the large ones have names, however many there are."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from streams.top_projects import HALF_LIFE, NAMED, OTHER, ProjectFailures, SpaceSaving


def exported(projects: ProjectFailures) -> dict[str, float]:
    (family,) = projects.collect()
    return {one.labels["project"]: one.value for one in family.samples}


class TestSpaceSaving:
    @given(st.lists(st.sampled_from("abcdefghij")), st.integers(1, 5))
    def test_bounds(self, keys: list[str], counters: int) -> None:
        """What is certain is never more than what came; who came more often than total / counters is held."""
        counts, truth = SpaceSaving(counters), Counter(keys)
        for key in keys:
            counts.add(key)
        for key, number in truth.items():
            assert counts.certain(key) <= number
            assert counts.certain(key) >= number - len(keys) / counters

    def test_room_is_bounded(self) -> None:
        """A thousand keys need no more counters than ten."""
        counts = SpaceSaving(10)
        for number in range(1_000):
            counts.add(str(number))
        assert len(counts._counts) == 10
        assert counts.total == 1_000


class TestProjectFailures:
    def test_large_ones_have_names(self) -> None:
        """A project that sends a tenth of the builds among 5,000 that send one each has a series, they have none."""
        projects = ProjectFailures(CollectorRegistry())
        for number in range(5_000):
            projects.count({f"small/{number}": 1})
            if number % 10 == 0:
                projects.count({"large/one": 1})
        found = exported(projects)
        assert found.keys() == {"large/one", OTHER}
        assert sum(found.values()) == 5_500
        assert found["large/one"] >= 490

    def test_series_are_bounded(self) -> None:
        """A hundred projects one after the other leave at most ``NAMED`` series, and no build is counted twice."""
        projects, total = ProjectFailures(CollectorRegistry()), 0
        for number in range(100):
            for _ in range(HALF_LIFE // 500):
                projects.count({f"p/{number}": 10})
                total += 10
            assert len(exported(projects)) <= NAMED + 1
        assert sum(exported(projects).values()) <= total

    def test_the_list_follows_the_stream(self) -> None:
        """Projects that stopped sending make room for those that send now."""
        projects = ProjectFailures(CollectorRegistry())
        for place in range(NAMED):
            projects.count({f"old/{place}": 100})
        for _ in range(10):
            projects.count({"new/one": HALF_LIFE})
        assert "new/one" in exported(projects)
        assert len(exported(projects)) == NAMED + 1

    def test_alike_projects_take_no_turns(self) -> None:
        """Among a thousand projects that send alike none has a series: they would take each other's for ever."""
        projects = ProjectFailures(CollectorRegistry())
        for number in range(20_000):
            projects.count({f"p/{number % 1_000}": 1})
        assert exported(projects).keys() == {OTHER}
