"""Snapshots: base and deltas restore every bit; damaged or crafted bytes are refused and change nothing."""

from __future__ import annotations

import random
import resource
import struct
from typing import Any

import numpy as np
import orjson
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classifiers import HashedLogistic
from models.drift import CategoryDivergence
from models.feedback import FeedbackMemory
from models.labelling import functions
from models.memory import RecentFailures
from models.snapshots import snapshot
from models.snapshots.frame import MAX_HEADER, MAX_INFLATED, VERSION, SnapshotError
from models.snapshots.header import MAX_LABELS
from models.state import LineState
from models.step import step
from models.taxonomy import LABELS
from models.weighting import LongTailWeights
from tests.builders import NOW, build, diagnostic, feedback, random_builds

BUILDS = random_builds(12, seed=31, largest=3)
GiB = 1 << 30

action = st.one_of(
    st.tuples(st.just("build"), st.integers(0, len(BUILDS) - 1)),
    st.tuples(st.just("say"), st.integers(0, len(BUILDS) - 1), st.sampled_from(LABELS)),
    st.tuples(st.just("verify"), st.integers(0, len(BUILDS) - 1), st.sampled_from(LABELS)),
    st.just(("save",)),
)


def tiny_state() -> LineState:
    """Return an empty state whose bounds are reached within a few records."""
    return LineState(
        classifier=HashedLogistic(bits=8),
        feedback=FeedbackMemory(capacity=2),
        recent=RecentFailures(capacity=3, seen_capacity=5),
        drift=CategoryDivergence(baseline=5, window=4),
    )


def act(state: LineState, what: tuple[Any, ...]) -> list[bytes]:
    """Let the state take one record; return what it puts out."""
    if what[0] == "build":
        return [prediction.to_bytes() for prediction in step(state, BUILDS[what[1]], NOW)]
    author = "verifier" if what[0] == "verify" else None
    step(state, feedback(BUILDS[what[1]].id, what[2]).model_copy(update={"author": author}), NOW)
    return []


def restored(*packed: bytes) -> LineState:
    """Return a state from a base and the deltas after it."""
    state = tiny_state()
    for piece in packed:
        snapshot.apply(state, piece)
    return state


def lived() -> LineState:
    """Return a state that took builds, repeats and feedback."""
    state = tiny_state()
    for number in (0, 1, 2, 3, 4, 5, 0, 5):
        act(state, ("build", number))
    act(state, ("say", 5, "ApiMisuse"))
    act(state, ("say", 0, "LogicErrors"))
    return state


LIVED = snapshot.base(lived())


class TestRoundTrip:
    def test_empty(self) -> None:
        """An empty state is restored as an empty state."""
        assert snapshot.base(restored(snapshot.base(tiny_state()))) == snapshot.base(tiny_state())

    def test_everything_is_there(self) -> None:
        """Every part of the state comes back: weights, memories, scores, drift, counters and origin."""
        state = lived()
        state.origin, state.dead_letters = "warm-start", 3
        back = restored(snapshot.base(state))
        assert back.classifier.weights.tobytes() == state.classifier.weights.tobytes()
        assert back.classifier.squares.tobytes() == state.classifier.squares.tobytes()
        assert back.model_version == state.model_version
        for name in ("labels", "feedback", "scores", "weights", "drift"):
            assert getattr(back, name).dump() == getattr(state, name).dump()
        for name in ("failures", "repeats", "unmatched_feedback", "expired_feedback", "dead_letters", "origin"):
            assert getattr(back, name) == getattr(state, name)
        assert [one.key for one in back.recent.contents()[0]] == [one.key for one in state.recent.contents()[0]]
        assert back.recent.contents()[1] == state.recent.contents()[1]
        assert (state.failures, state.repeats, state.unmatched_feedback) == (7, 1, 0)

    def test_bounds_stay_those_of_the_state(self) -> None:
        """Capacities and switches are the loading state's own, not the snapshot's."""
        state = LineState(classifier=HashedLogistic(bits=8), weights=LongTailWeights(enabled=False))
        capacity = state.feedback.capacity
        snapshot.apply(state, LIVED)
        assert (state.feedback.capacity, state.drift.window_size, state.weights.enabled) == (capacity, 500, False)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(action, max_size=25), st.lists(action, max_size=40))
    def test_base_and_deltas(self, before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]) -> None:
        """Whenever it is saved, base and deltas restore the state to the last byte, also all at once."""
        state = tiny_state()
        for what in before:
            if what != ("save",):
                act(state, what)
        saved = [snapshot.base(state)]
        snapshot.mark_saved(state)
        for what in after:
            if what == ("save",):
                saved.append(snapshot.delta(state))
            else:
                act(state, what)
        saved.append(snapshot.delta(state))
        assert snapshot.base(restored(*saved)) == snapshot.base(state)
        at_once = tiny_state()
        for place, piece in enumerate(saved, 1):
            snapshot.apply(at_once, piece, followed=place < len(saved))
        assert snapshot.base(at_once) == snapshot.base(state)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(action.filter(lambda what: what != ("save",)), min_size=1, max_size=25), st.data())
    def test_resumed_run_equals_the_uninterrupted(self, run: list[tuple[Any, ...]], data: st.DataObject) -> None:
        """Stopped after any record and resumed from its snapshot, the line puts out what it would have put out."""
        stop = data.draw(st.integers(0, len(run)))
        whole, first = tiny_state(), tiny_state()
        expected = [act(whole, what) for what in run]
        outputs = [act(first, what) for what in run[:stop]]
        resumed = restored(snapshot.base(first))
        outputs += [act(resumed, what) for what in run[stop:]]
        assert outputs == expected
        assert snapshot.base(resumed) == snapshot.base(whole)

    def test_saving_changes_nothing(self) -> None:
        """Two bases in a row are equal, and so is the base after a delta; the second delta in a row is a small one."""
        state = lived()
        first = snapshot.base(state)
        assert snapshot.base(state) == first
        delta, again = snapshot.delta(state), snapshot.delta(state)
        assert snapshot.base(state) == first
        assert len(again) < len(delta) / 2

    def test_new_labels_in_a_delta(self) -> None:
        """A delta brings labels that its base did not have, even beyond the first eight columns."""
        state = tiny_state()
        act(state, ("build", 0))
        saved = [snapshot.base(state)]
        snapshot.mark_saved(state)
        for number, label in enumerate(LABELS):
            step(state, feedback(BUILDS[0].id, label, feedback_id=f"f{number}"), NOW)
        saved.append(snapshot.delta(state))
        assert snapshot.base(restored(*saved)) == snapshot.base(state)
        assert len(state.classifier.labels) >= 20


class TestLateFeedback:
    ODD = diagnostic("the frobnication was odd")  # that no rule knows

    def restarted(self, state: LineState) -> LineState:
        """Return what another worker takes over from a state's base, with the same horizon."""
        after = LineState(classifier=HashedLogistic(bits=8), recent=RecentFailures(capacity=state.recent.capacity))
        snapshot.apply(after, snapshot.base(state))
        return after

    def test_reaches_back_over_a_restart(self) -> None:
        """A word on a failure of before the restart is joined, moves the functions that voted then, and answers."""
        before = LineState(classifier=HashedLogistic(bits=8))
        for name, one in (("odd", self.ODD), ("moved", diagnostic("borrow of moved value: `x`"))):
            step(before, build(name, one, project="one"), NOW)
        after = self.restarted(before)
        step(after, feedback("odd", "ResourceLeaks", project="one"), NOW)
        step(after, feedback("moved", "LogicErrors", project="one"), NOW)
        (prediction,) = step(after, build("later", self.ODD, project="two"), NOW)
        (got,) = prediction.classifications
        assert (got.category, got.source) == ("ResourceLeaks", "feedback")
        prior = next(one.prior for one in functions() if one.name == "borrow_words")
        assert after.labels.agreement.accuracies()["borrow_words"]["OwnershipBorrow"] < prior
        assert (after.expired_feedback, after.unmatched_feedback) == (0, 0)

    def test_what_was_said_stays_over_a_restart(self) -> None:
        """Taken before the restart, a word is not taken again after it, and goes on answering."""
        before = LineState(classifier=HashedLogistic(bits=8))
        step(before, build("odd", self.ODD), NOW)
        step(before, feedback("odd", "ResourceLeaks"), NOW)
        after = self.restarted(before)
        step(after, feedback("odd", "ResourceLeaks"), NOW)
        assert snapshot.base(after) == snapshot.base(before)
        (prediction,) = step(after, build("later", self.ODD), NOW)
        assert prediction.classifications[0].source == "feedback"

    def test_the_horizon_goes_on_over_a_restart(self) -> None:
        """What was let go before the restart is expired after it, too, and counted on from there."""
        before = LineState(classifier=HashedLogistic(bits=8), recent=RecentFailures(capacity=2))
        for number in range(3):
            step(before, build(f"b{number}", self.ODD), NOW)
        step(before, feedback("b0", "ResourceLeaks", feedback_id="f1"), NOW)
        after = self.restarted(before)
        step(after, feedback("b0", "ResourceLeaks", feedback_id="f2"), NOW)
        assert (before.expired_feedback, after.expired_feedback) == (1, 2)
        step(after, feedback("b1", "ResourceLeaks"), NOW)
        assert after.classifier.examples == 1


def refused(packed: bytes, match: str | None = None) -> str:
    """Apply bytes that must be refused, to an empty and to a lived-in state; return the reason."""
    for state in (tiny_state(), lived()):
        before, weights = snapshot.base(state), state.classifier.weights.tobytes()
        with pytest.raises(SnapshotError, match=match) as error:
            snapshot.apply(state, packed)
        assert snapshot.base(state) == before
        assert state.classifier.weights.tobytes() == weights
    return str(error.value)


def opened(packed: bytes) -> tuple[dict[str, Any], bytes]:
    """Return header and arrays of a snapshot."""
    data = zstandard.decompress(packed[12:])
    (length,) = struct.unpack(">I", data[:4])
    return orjson.loads(data[4 : 4 + length]), data[4 + length :]


def framed(data: bytes) -> bytes:
    """Return data in the envelope of a snapshot."""
    return enveloped(zstandard.compress(data))


def enveloped(frame: bytes) -> bytes:
    return b"JDK2" + struct.pack(">Q", len(frame)) + frame


def closed(header: object, body: bytes) -> bytes:
    """Return a snapshot of this header and these arrays, whole as far as its checksum goes."""
    head = orjson.dumps(header)
    return framed(struct.pack(">I", len(head)) + head + body)


def changed(*path: str | int, to: object) -> bytes:
    """Return the lived-in state's snapshot with one value of its header replaced."""
    header, body = opened(LIVED)
    place: Any = header
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return closed(header, body)


class TestDamaged:
    def test_every_truncation(self) -> None:
        """A snapshot cut anywhere is refused."""
        state = tiny_state()
        before = snapshot.base(state)
        for length in range(len(LIVED)):
            with pytest.raises(SnapshotError):
                snapshot.apply(state, LIVED[:length])
        assert snapshot.base(state) == before

    def test_flipped_bits(self) -> None:
        """A snapshot with any one bit flipped is refused, or is still the same snapshot."""
        source = random.Random(17)  # noqa: S311 - damage, not a secret
        state, empty = tiny_state(), snapshot.base(tiny_state())
        for place in source.sample(range(len(LIVED)), 1_000):
            damaged = bytearray(LIVED)
            damaged[place] ^= 1 << source.randrange(8)
            try:
                snapshot.apply(state, bytes(damaged))
            except SnapshotError:
                continue
            assert opened(bytes(damaged)) == opened(LIVED)  # a bit that means nothing to Zstandard
            state = tiny_state()
        assert snapshot.base(state) == empty

    @given(st.binary(max_size=200))
    def test_any_bytes(self, packed: bytes) -> None:
        """Bytes of any kind, also in the right envelope and packed, are refused with a reason."""
        for damaged in (packed, b"JDK2" + packed, enveloped(packed), framed(packed)):
            with pytest.raises(SnapshotError):
                snapshot.apply(tiny_state(), damaged)

    @pytest.mark.parametrize("rest", [b"\0", b"JDK2", LIVED])
    def test_something_follows(self, rest: bytes) -> None:
        """Bytes after the end, outside the envelope, after the frame or inside it, are refused."""
        refused(LIVED + rest)
        refused(enveloped(LIVED[12:] + rest))
        refused(framed(zstandard.decompress(LIVED[12:]) + rest))

    def test_reason_for_a_newer_version(self) -> None:
        """A newer version is refused by its number, whatever else its header holds."""
        match = f"snapshot version {VERSION + 1}: this code knows {VERSION}; upgrade jidoka"
        refused(changed("version", to=VERSION + 1), match)
        refused(closed({"version": VERSION + 1, "all": "new"}, b""), match)

    def test_reason_for_an_older_version(self) -> None:
        """An older version is refused, and nobody is told to upgrade."""
        refused(changed("version", to=VERSION - 1), "an older jidoka wrote it")


HEADER, _ = opened(LIVED)


class TestCrafted:
    @pytest.mark.parametrize("key", HEADER)
    @pytest.mark.parametrize("value", [None, [], {}, [[]], [1], [None], "x", -1, 1.5, True, {"a": 1}, [{}]])
    def test_parts_of_another_kind(self, key: str, value: object) -> None:
        """A part of the header that is missing, or is something else, is refused; or was as good as the real one."""
        header, body = opened(LIVED)
        header[key] = value
        state = tiny_state()
        before = snapshot.base(state)
        if (key, value) in (
            ("challenge", None),
            ("outcomes", []),
            ("watch", None),
            ("students", {}),
            ("fixes", []),
        ):  # as good as the real ones
            snapshot.apply(state, closed(header, body))
            return
        with pytest.raises(SnapshotError):
            snapshot.apply(state, closed(header, body))
        if key in ("watch", "students", "fixes"):
            return  # snapshots from before there were such have none
        del header[key]
        with pytest.raises(SnapshotError):
            snapshot.apply(state, closed(header, body))
        assert snapshot.base(state) == before

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            pytest.param(("classifier", "bits"), 9, id="table of another size"),
            pytest.param(("classifier", "examples"), -1, id="negative count"),
            pytest.param(("classifier", "examples"), "many", id="count in words"),
            pytest.param(("classifier", "labels"), ["A", "A"], id="label twice"),
            pytest.param(("classifier", "labels"), ["A"], id="labels too few"),
            pytest.param(("classifier", "labels"), [1, 2, 3], id="labels that are numbers"),
            pytest.param(("counters", "failures"), "7", id="counter in words"),
            pytest.param(("counters", "failures"), 1 << 63, id="counter beyond 63 bits"),
            pytest.param(("counters", "origin"), 7, id="origin a number"),
            pytest.param(("counters", "origin"), "x" * 300, id="origin too long for a prediction"),
            pytest.param(("drift", "window"), [[]], id="votes that are lists"),
            pytest.param(("drift", "baseline"), {"A": "x"}, id="votes in words"),
            pytest.param(("scores", "by_code"), [], id="lookup a list"),
            pytest.param(("scores", "confusion"), [["A", "B"]], id="confusion without counts"),
            pytest.param(("scores", "window"), [2], id="neither right nor wrong"),
            pytest.param(("feedback", "templates"), [["k", {"A": 0.5}]], id="half a vote"),
            pytest.param(("labels", "codes"), [["E1", [1], {"LogicErrors": 1}]], id="half a tally"),
            pytest.param(("labels", "due"), 0, id="an update after nothing"),
            pytest.param(("labels", "due"), 1 << 30, id="an update that never comes"),
            pytest.param(("labels", "functions"), ["f", "f"], id="function twice"),
            pytest.param(("labels", "functions"), [], id="slots of no function"),
            pytest.param(("labels", "pending"), [[[10**6], None, 0.0, 1]], id="slot beyond the functions"),
            pytest.param(("labels", "pending"), [[[0], None, 1.5, 1]], id="more than sure"),
            pytest.param(
                ("labels", "agreement", "tallies"), {"code_table": {"TypeErrors": [1e300] * 4}}, id="sums to inf"
            ),
            pytest.param(
                ("labels", "agreement", "tallies"), {"code_table": {"TypeErrors": [-1] * 4}}, id="fewer than none"
            ),
            pytest.param(("labels", "coverage"), {"voted": {"code_table": 2}, "seen": 1}, id="votes on nothing"),
            pytest.param(("labels", "people", "messages"), [["x" * 3_000, "TypeErrors"]], id="message without end"),
            pytest.param(("recent", 0, "examples", 0, 1), [10**6], id="vote of nobody"),
            pytest.param(("recent", 0, "examples", 0, 3), 2.0, id="table more than sure"),
            pytest.param(("weights", "labels", "A"), [-1.0, 1.0, 1], id="negative weight"),
            pytest.param(("weights", "step"), 0.0, id="a step of nothing"),
            pytest.param(("calibration", "inverse"), 1e9, id="temperature of nothing"),
            pytest.param(("templates", "templates"), [["id", "text", -1, "t"]], id="seen less than never"),
            pytest.param(("templates", "window"), "012", id="neither new nor known"),
            pytest.param(("recent", 0, "examples"), [], id="features of nobody"),
            pytest.param(("recent", 0, "examples", 0, 5), 10_000, id="more features than there are"),
            pytest.param(("recent", 0, "examples", 0, 5), -1, id="fewer features than none"),
            pytest.param(("recent", 0, "prediction"), 5, id="prediction a number"),
            pytest.param(("arrays", 0, 0), "columns", id="unknown array"),
            pytest.param(("arrays", 0, 0), "weights", id="array missing"),
            pytest.param(("arrays", 0, 1), "f4", id="rows that are fractions"),
            pytest.param(("arrays", 0, 1), "O", id="rows that are objects"),
            pytest.param(("arrays", 0, 2), [-1], id="negative length"),
            pytest.param(("arrays", 0, 2), [1, 1], id="axis too many"),
            pytest.param(("arrays", 0, 2), [], id="no axis"),
            pytest.param(("arrays", 0, 2), [1.5], id="half a row"),
            pytest.param(("arrays", 0, 2), [1 << 62], id="rows without end"),
            pytest.param(("arrays", 1, 2), [1 << 40, 1 << 40], id="product beyond 64 bits"),
            pytest.param(("arrays", 1, 2), [0, 1 << 40], id="columns without rows"),
            pytest.param(("arrays", 3, 2), [0], id="bytes of nobody"),
        ],
    )
    def test_values_out_of_place(self, path: tuple[str | int, ...], value: object) -> None:
        """One value that does not fit the rest makes the whole snapshot refused, before anything is changed."""
        refused(changed(*path, to=value))

    @pytest.mark.parametrize(
        ("array", "index", "value"),
        [("rows", 0, 256), ("rows", -1, 2**32 - 1), ("example_rows", 3, 256)]
        + [("weights", 0, value) for value in (np.nan, np.inf)]
        + [("squares", 0, value) for value in (np.nan, -1.0)],
    )
    def test_arrays_out_of_range(self, array: str, index: int, value: float) -> None:
        """Rows beyond the table and weights that are no numbers are refused: they would break a later step."""
        header, body = opened(LIVED)
        start = 0
        for name, kind, shape in header["arrays"]:
            size = int(np.prod(shape)) * int(kind[1:])
            if name == array:
                data = np.frombuffer(body[start : start + size], kind).copy()
                data[index] = value
                body = body[:start] + data.tobytes() + body[start + size :]
            start += size
        refused(closed(header, body))

    def test_labels_of_no_taxonomy(self) -> None:
        """What people are said to have called messages and codes is left out where it is no label; the step goes on."""
        header, body = opened(LIVED)
        header["labels"]["people"]["messages"] = [["some message", "Nonsense"]]
        header["labels"]["codes"] = [["E0308", [0, 9], {"Nonsense": 9}]]
        state = tiny_state()
        snapshot.apply(state, closed(header, body))
        assert not state.labels.told
        for number in range(len(BUILDS)):
            act(state, ("build", number))

    def test_labelling_functions_in_another_order(self) -> None:
        """Votes are kept by the names of functions: in another order, or some gone, they mean the same."""
        header, body = opened(LIVED)
        names, count = header["labels"]["functions"], len(LABELS)
        header["labels"]["functions"] = [*reversed(names), "gone"]
        places = {name: place for place, name in enumerate(header["labels"]["functions"])}

        def moved(slots: list[int]) -> list[int]:
            return [count * len(names), *(places[names[slot // count]] * count + slot % count for slot in slots)]

        for entry in header["recent"]:
            for example in entry["examples"]:
                example[1] = moved(example[1])
        for pending in header["labels"]["pending"]:
            pending[0] = moved(pending[0])
        state = tiny_state()
        snapshot.apply(state, closed(header, body))
        assert snapshot.base(state) == LIVED

    def test_labels_in_another_order(self) -> None:
        """A delta of another model, whose labels begin otherwise, is refused."""
        other = tiny_state()
        other.classifier.learn_one({"a": 1.0}, "ResourceLeaks")
        with pytest.raises(SnapshotError, match="they must start alike"):
            snapshot.apply(lived(), snapshot.delta(other))

    def test_no_header_of_json(self) -> None:
        """A header that is not JSON, not an object or nested without end is refused."""
        for head in (b"", b"{", b"7", b"null", b"[]", b"\xff", b"[" * 100_000, b'{"version": 1e999}'):
            with pytest.raises(SnapshotError):
                snapshot.apply(tiny_state(), framed(struct.pack(">I", len(head)) + head))


class TestBombs:
    def test_two_gigabytes_of_nothing(self) -> None:
        """A few kilobytes that unpack to more than two gigabytes are refused without being unpacked."""
        header, body = opened(LIVED)
        head = orjson.dumps(header)
        refused_within(256 << 20, packed_zeros(struct.pack(">I", len(head)) + head + body, 2 * GiB))
        refused_within(256 << 20, packed_zeros(b"", 2 * GiB))

    def test_header_without_end(self) -> None:
        """A header said to be larger than any real one is not read."""
        refused_within(64 << 20, packed_zeros(struct.pack(">I", MAX_HEADER + 1), 2 * GiB))

    def test_arrays_without_end(self) -> None:
        """Arrays said to be larger than the largest table are not read."""
        refused_within(64 << 20, changed("arrays", 0, 2, to=[MAX_INFLATED]))

    def test_labels_without_end(self) -> None:
        """Thousands of labels, each a column of the whole table, are refused before the table grows."""
        header, body = opened(snapshot.base(tiny_state()))
        labels = [f"L{number}" for number in range(50 * MAX_LABELS)]
        header["classifier"]["labels"] = labels
        header["arrays"][1][2] = [0, len(labels)]
        refused_within(64 << 20, closed(header, body))


def packed_zeros(start: bytes, count: int) -> bytes:
    """Return a snapshot's envelope around a frame that unpacks to ``start`` and ``count`` zeros."""
    packer, block = zstandard.ZstdCompressor().compressobj(), bytes(64 << 20)
    frame = packer.compress(start) + b"".join(packer.compress(block) for _ in range(-(-count // len(block))))
    return enveloped(frame + packer.flush())


def refused_within(memory: int, packed: bytes) -> None:
    """Apply bytes that must be refused, without the process growing by more than ``memory`` bytes."""
    state = tiny_state()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SnapshotError):
        snapshot.apply(state, packed)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < memory
    assert snapshot.base(state) == snapshot.base(tiny_state())
