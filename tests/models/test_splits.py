"""Splits: nothing of a group that is scored was learned, and nothing is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.splits import TEST_SHARE, Entry, Fold, Group, SplitError, first_then_rest, folds

few = st.sampled_from(["a", "b", "c", "d"])
groups = st.builds(Group, source=st.just(0), origin=few, part=few, project=few, directory=few, file=few)
streams = st.lists(st.tuples(groups, st.integers(1, 3)), max_size=30).map(
    lambda drawn: [Entry(number, size, group) for number, (group, size) in enumerate(drawn)]
)


def by_file(count: int, each: int = 1) -> list[Entry[int]]:
    """Return entries of so many files, ``each`` in a row."""
    return [Entry(number, 1, Group(file=f"f{number // each}", directory="d")) for number in range(count * each)]


def items(fold: Fold[int]) -> tuple[list[int], list[int]]:
    """Return what is learned and what is scored."""
    return [one.item for one in fold.train], [one.item for one in fold.test]


class TestFolds:
    @given(streams, st.sampled_from(["file", "directory", "origin", "project", "time"]), st.integers(0, 50))
    def test_two_sides_that_share_no_group(self, entries: list[Entry[int]], split: str, seed: int) -> None:
        """Every entry is on one side, in the order of the stream; what parts them shares no name, or there is none."""
        try:
            found = folds(entries, split, seed)
        except SplitError:
            return
        for fold in found:
            train, test = items(fold)
            assert sorted(train + test) == [one.item for one in entries]
            assert train == sorted(train)
            assert test == sorted(test)
            assert train
            assert test
            assert fold.frozen
            if split in ("file", "directory", "project"):
                assert not {getattr(e.group, split) for e in fold.train} & {getattr(e.group, split) for e in fold.test}

    def test_without_a_split(self) -> None:
        """Everything is scored, and learned as it comes."""
        assert folds(by_file(3), "none", 1) == [Fold("all", [], by_file(3), frozen=False)]

    def test_a_fifth_of_the_files(self) -> None:
        """About a fifth of the files is kept out, whole, and another seed draws others."""
        entries = by_file(2_000, each=2)
        (fold,), (other,) = folds(entries, "file", 1), folds(entries, "file", 2)
        kept_out = Counter(entry.group.file for entry in fold.test)
        assert len(kept_out) == pytest.approx(2_000 * TEST_SHARE, rel=0.1)
        assert set(kept_out.values()) == {2}
        assert items(fold) != items(other)

    def test_a_side_does_not_depend_on_the_others(self) -> None:
        """A file lies on the side where it lay before other files came: two corpora can be compared."""
        (small,), (large,) = folds(by_file(100), "file", 7), folds(by_file(300), "file", 7)
        assert items(small)[1] == [item for item in items(large)[1] if item < 100]

    def test_sides_are_fixed(self) -> None:
        """The sides of a seed are part of every published number: they do not change."""
        (fold,) = folds(by_file(20), "file", 42)
        assert items(fold)[1] == [5, 7]

    def test_each_origin_against_the_others(self) -> None:
        """There is a fold for each origin: it alone is scored, all others are learned."""
        entries = [Entry(number, 1, Group(origin="xyz"[number % 3])) for number in range(9)]
        found = folds(entries, "origin", 1)
        assert [fold.name for fold in found] == ["x", "y", "z"]
        assert items(found[1]) == ([0, 2, 3, 5, 6, 8], [1, 4, 7])

    def test_one_origin_is_parted(self) -> None:
        """Where all comes from one origin, its parts are held against each other."""
        entries = [Entry(number, 1, Group(origin="x", part="pq"[number % 2])) for number in range(4)]
        assert [fold.name for fold in folds(entries, "origin", 1)] == ["p", "q"]

    def test_time_keeps_out_the_end(self) -> None:
        """The last fifth of the examples is kept out, however they lie in builds."""
        entries = [Entry(number, 10 if number == 0 else 1, Group()) for number in range(11)]
        assert items(folds(entries, "time", 1)[0]) == ([0, 1, 2, 3, 4, 5, 6], [7, 8, 9, 10])

    @pytest.mark.parametrize(
        ("split", "entries", "said"),
        [
            ("file", [Entry(0, 1, Group())], "does not say each example's file"),
            ("project", by_file(3), "project"),
            ("origin", [Entry(0, 1, Group(origin="x"))] * 3, "all is of one origin"),
            ("directory", by_file(30), "more examples or no split"),
            ("time", [], "0 to learn from"),
            ("moon", by_file(3), "none, file, directory, origin, project, time"),
        ],
    )
    def test_what_cannot_be_split_is_told(self, split: str, entries: list[Entry[int]], said: str) -> None:
        """A split that the examples do not allow is an error that says why."""
        with pytest.raises(SplitError, match=said):
            folds(entries, split, 1)


class TestColdStart:
    def test_learns_whole_builds(self) -> None:
        """The build in which the number is reached is learned whole; the rest is scored, frozen."""
        entries = [Entry(number, 3, Group()) for number in range(5)]
        fold = first_then_rest(entries, 4)
        assert items(fold) == ([0, 1], [2, 3, 4])
        assert (fold.name, fold.frozen) == ("after the first 6", True)

    @pytest.mark.parametrize("examples", [15, 16])
    def test_something_is_left_to_score(self, examples: int) -> None:
        """A number that takes all is refused."""
        with pytest.raises(SplitError, match="smaller number"):
            first_then_rest([Entry(number, 3, Group()) for number in range(5)], examples)
