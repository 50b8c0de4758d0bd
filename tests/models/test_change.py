"""A commit in eight numbers: what a record takes, and the features that a build's diagnostics get of it."""

from __future__ import annotations

from math import log2
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.buckets import BUCKETS, bucket
from models.change import HOURS, MAX_ENTROPY, MAX_SIZE, Change, change_part, entropy
from models.features import parts
from models.hashing import name_hash
from models.hybrid import observe
from models.records import CompilerErrors, RecordError, parse
from models.step import step
from tests.builders import NOW, build, diagnostic, random_builds, small_state

QUIET = {
    "files_changed": 2,
    "lines_added": 9,
    "lines_deleted": 0,
    "complexity_delta": -4,
    "entropy": 0.9,
    "author_experience": 100,
    "hour_of_day": 17,
    "day_of_week": 1,
}

sizes = st.integers(0, MAX_SIZE)
changes = st.builds(
    Change,
    files_changed=sizes,
    lines_added=sizes,
    lines_deleted=sizes,
    complexity_delta=st.integers(-MAX_SIZE, MAX_SIZE),
    entropy=st.floats(0, MAX_ENTROPY),
    author_experience=sizes,
    hour_of_day=st.integers(0, 23),
    day_of_week=st.integers(0, 6),
)


def change(**fields: Any) -> Change:
    """Return a small commit on a Tuesday afternoon, with these fields changed."""
    return Change(**QUIET | fields)


def names(**fields: Any) -> tuple[str, ...]:
    """Return the features' names of such a commit."""
    return change_part(change(**fields)).names


class TestRecord:
    def test_has_eight_dimensions(self) -> None:
        """A change is exactly eight numbers: no text, so no name, path or message, can be in it."""
        kinds = {field.annotation for field in Change.model_fields.values()}
        assert (len(Change.model_fields), kinds) == (8, {int, float})

    @given(changes)
    def test_reads_back_equal(self, made: Change) -> None:
        """A change that a record carries is the same after the topic."""
        record = build("f", diagnostic()).model_copy(update={"change": made})
        assert parse(CompilerErrors, record.to_bytes()) == record

    @pytest.mark.parametrize(
        "wrong",
        [
            {"files_changed": -1},
            {"lines_added": MAX_SIZE + 1},
            {"lines_deleted": 1.5},
            {"complexity_delta": -MAX_SIZE - 1},
            {"entropy": -0.1},
            {"entropy": "NaN"},
            {"author_experience": "alice"},
            {"hour_of_day": 24},
            {"day_of_week": 7},
            {"day_of_week": None},
        ],
        ids=lambda wrong: "-".join(map(str, *wrong.items())),
    )
    def test_a_number_out_of_bounds_is_refused(self, wrong: dict[str, Any]) -> None:
        """A record whose change breaks a bound is refused, and the message names the number."""
        document = orjson.loads(build("f", diagnostic()).to_bytes()) | {"change": QUIET | wrong}
        with pytest.raises(RecordError, match=f"change.{next(iter(wrong))}"):
            parse(CompilerErrors, orjson.dumps(document))

    def test_takes_no_room_where_there_is_none(self) -> None:
        """A record without a change does not speak of it."""
        assert b"change" not in build("f", diagnostic()).to_bytes()


class TestFeatures:
    def test_names_are_readable(self) -> None:
        """Each dimension has one name that says what it is and roughly how much."""
        assert names() == (
            "change files:2",
            "change added:8",
            "change deleted:0",
            "change complexity:-3",
            "change entropy:1",
            "change experience:89",
            "change hour:16",
            "change day:Tue",
        )

    @given(changes)
    def test_every_change_has_eight(self, made: Change) -> None:
        """Whatever the numbers are, there are eight distinct names with the hashes of these names."""
        found = change_part(made)
        assert len(set(found.names)) == 8
        assert found.hashes == b"".join(map(name_hash, found.names))
        assert all(name.startswith("change ") for name in found.names)

    @pytest.mark.parametrize("field", QUIET)
    def test_every_dimension_counts(self, field: str) -> None:
        """A dimension that grows much changes one name, its own."""
        much = {"entropy": 9.0, "hour_of_day": 3, "day_of_week": 6}.get(field, 5_000)
        differing = [(old, new) for old, new in zip(names(), names(**{field: much}), strict=True) if old != new]
        assert [old.partition(":")[0] == new.partition(":")[0] for old, new in differing] == [True]

    def test_alike_changes_are_named_alike(self) -> None:
        """Numbers in the same bucket have the same names: what is learned of one change holds for its like."""
        alike = names(lines_added=12, complexity_delta=-3, author_experience=143, hour_of_day=16 + HOURS - 1)
        assert alike == names()

    def test_a_fall_is_no_rise(self) -> None:
        """The sign of the difference in complexity stands in the name, and no difference is neither."""
        found = [names(complexity_delta=delta)[3] for delta in (-3, 0, 3)]
        assert found == ["change complexity:-3", "change complexity:+0", "change complexity:+3"]


class TestStep:
    def test_every_diagnostic_is_described(self) -> None:
        """The change's features stand behind the others of each diagnostic of the build."""
        diagnostics = random_builds(1, seed=3, largest=4)[0].diagnostics
        seen = observe(small_state(), diagnostics, change()).seen
        total = len(diagnostics)
        expected = [[*parts(one, place, total), change_part(change())] for place, one in enumerate(diagnostics)]
        assert [one.parts for one in seen] == expected

    def test_nothing_where_there_is_none(self) -> None:
        """A build without a change has the features that it had before there were changes."""
        one = diagnostic()
        assert observe(small_state(), (one,)).seen[0].parts == parts(one)

    def test_what_a_change_says_is_learned(self) -> None:
        """Two commits that break the same message in two ways are told apart by their changes alone."""
        state, odd = small_state(), diagnostic("the frobnication was odd")
        large = change(files_changed=300, lines_added=5_000, entropy=6.0, hour_of_day=3)
        told = ((change(), "LogicErrors"), (large, "ApiMisuse"))
        for _ in range(50):
            for made, label in told:
                state.classifier.learn(observe(state, (odd,), made).seen[0].example.hashed, label, 1.0)
        assert [observe(state, (odd,), made).seen[0].best for made, _ in told] == ["LogicErrors", "ApiMisuse"]

    def test_the_step_looks_at_it(self) -> None:
        """The line hands a record's change on: the state that learned it differs from one that saw none."""
        plain, told = small_state(), small_state()
        record = build("f", diagnostic("mismatched types", "E0308"))
        step(plain, record, NOW)
        step(told, record.model_copy(update={"change": change()}), NOW)
        assert plain.classifier.weights.tobytes() != told.classifier.weights.tobytes()


class TestNumbers:
    @given(sizes)
    def test_bucket_is_the_nearest_below(self, count: int) -> None:
        """A count's bucket is not above it, and the next one is."""
        found = bucket(count)
        assert found <= count
        assert found == BUCKETS[-1] or count < BUCKETS[BUCKETS.index(found) + 1]

    @given(st.lists(st.integers(0, 10**6), max_size=50))
    def test_entropy_is_bounded(self, lines: list[int]) -> None:
        """It is never negative and never above that of lines spread evenly over the files that changed."""
        touched = sum(count > 0 for count in lines)
        assert 0 <= entropy(lines) <= (log2(touched) if touched else 0) + 1e-9
