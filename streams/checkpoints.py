"""A partition's state on its way to and from the ``model-checkpoints`` topic.

A checkpoint goes with a commit, though not with every one: whoever restores steps through what was committed since
(``Partition.due``). It carries what changed since the one before: usually a small ``delta``, now and then a whole
``base``. The topic is compacted; keys come round again, so that old deltas and all but the last two bases disappear
from it. The first base of an hour, a day and a week is also written under a second key, which comes round after two of
them: these are the models that a person can go back to (``docs/decisions/0008-rolling-back-a-model.md``).

After a damaged checkpoint the next one is a base, numbered above all there are: the deltas that followed the damaged
one still stand on the topic, and must never be applied to a state that they do not belong to.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version

from models.records import CompilerErrors, ModelCheckpoint
from models.snapshots import snapshot
from models.snapshots.frame import SnapshotError
from models.state import LineState
from streams.topics import topic_name

CHUNK_BYTES = 3 << 20  # of payload in one message, before base64
DELTAS_PER_BASE = 100  # bounds what a restore has to read
DELTA_KEYS = 3 * DELTAS_PER_BASE  # deltas of the last two bases stay, so that a damaged base can be done without
EVERY_S = 1.0  # between two checkpoints of a partition; as much has to be stepped through again by a restore
FAILURES = {topic_name(CompilerErrors)}
MAX_SEQUENCE = 1 << 53  # one beyond is forged: counting on from it, no checkpoint could be written
BASE_KEYS = 2  # a base never overwrites the one before it: their sequences differ modulo this number
# Of each of these periods the first bases of the last two stay, so that one is always at least a period old.
KEPT = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}

RIVER_VERSION, CODE_VERSION = version("river"), version("jidoka")


@dataclass
class Partition:
    """One partition's state, where in its source topics it stands, and how far its checkpoints reach.

    ``offsets`` maps a source topic to the next offset to read; ``sequence`` is the last checkpoint's number.
    """

    number: int
    state: LineState
    offsets: dict[str, int] = field(default_factory=dict)
    sequence: int = -1
    dirty: bool = False
    base_sequence: int | None = None  # of the last base
    base_time: datetime | None = None  # when it was written
    broken: bool = False  # the chain of deltas: the next checkpoint has to be a base
    deltas: int = 0  # since the last base
    base_bytes: int = 0
    delta_bytes: int = 0  # since the last base
    topics: set[str] = field(default_factory=set)  # of the records since the last checkpoint

    def advance(self, topic: str, offset: int) -> None:
        """Note that the state has taken in the record at ``offset``."""
        self.offsets[topic] = offset + 1
        self.topics.add(topic)
        self.dirty = True

    def due(self, seconds: float) -> bool:
        """Return whether a checkpoint has to go with the next commit, ``seconds`` after the last one.

        It may wait while nothing but failures came: stepped through again in their order, they lead to the same bytes.
        Between topics there is no order that the log tells, and what a command spoke of need not be there any more.
        """
        new = self.base_sequence is None or self.broken or self.state.replaced
        return self.dirty and (new or seconds >= EVERY_S or self.topics != FAILURES)

    def checkpoint(self, now: datetime) -> list[tuple[bytes, ModelCheckpoint]]:
        """Return the keyed records that carry what changed since the last checkpoint; it counts as saved."""
        if self.state.replaced:
            self.break_chain()
        self.sequence += 1
        self.dirty = False
        self.topics.clear()
        return self._base(now) if self._base_is_due() else self._delta(now)

    def break_chain(self) -> None:
        """Make the next checkpoint a base, with a number whose key is not that of the base before it."""
        self.broken = True
        if self.base_sequence is not None and (self.sequence + 1 - self.base_sequence) % BASE_KEYS == 0:
            self.sequence += 1

    def _base_is_due(self) -> bool:
        if self.base_sequence is None:
            return True
        grown = self.delta_bytes > 4 * max(self.base_bytes, CHUNK_BYTES)
        due = self.broken or self.deltas >= DELTAS_PER_BASE or grown
        return due and (self.sequence - self.base_sequence) % BASE_KEYS != 0

    def _base(self, now: datetime) -> list[tuple[bytes, ModelCheckpoint]]:
        payload = snapshot.base(self.state)
        snapshot.mark_saved(self.state)
        slots = [*_kept_slots(self.base_time, now), f"base/{self.sequence % BASE_KEYS}"]
        self.base_sequence, self.base_time, self.broken = self.sequence, now, False
        self.deltas, self.base_bytes, self.delta_bytes = 0, len(payload), 0
        return [keyed for slot in slots for keyed in self._keyed("base", slot, payload, now)]

    def _delta(self, now: datetime) -> list[tuple[bytes, ModelCheckpoint]]:
        payload = snapshot.delta(self.state)
        self.deltas, self.delta_bytes = self.deltas + 1, self.delta_bytes + len(payload)
        return self._keyed("delta", f"delta/{self.sequence % DELTA_KEYS}", payload, now)

    def _keyed(self, kind: str, slot: str, payload: bytes, now: datetime) -> list[tuple[bytes, ModelCheckpoint]]:
        pieces = [payload[start : start + CHUNK_BYTES] for start in range(0, len(payload), CHUNK_BYTES)]
        common = {
            "time": now,
            "project": "jidoka",
            "partition": self.number,
            "kind": kind,
            "sequence": self.sequence,
            "chunks": len(pieces),
            "offsets": dict(self.offsets),
            "river_version": RIVER_VERSION,
            "code_version": CODE_VERSION,
            "sha256": hashlib.sha256(payload).hexdigest(),
        }
        return [
            (
                f"{self.number}/{slot}/{index}".encode(),
                ModelCheckpoint.model_validate(
                    common
                    | {
                        "id": f"{self.number}-{self.sequence}-{index}",
                        "chunk": index,
                        "payload": base64.b64encode(piece).decode(),
                    }
                ),
            )
            for index, piece in enumerate(pieces)
        ]


def _kept_slots(before: datetime | None, now: datetime) -> list[str]:
    """Return the slots in which a base written at ``now`` stays longer, given when the base before was written."""
    if before is None:
        return []
    turns = {name: (_turn(before, length), _turn(now, length)) for name, length in KEPT.items()}
    return [f"kept/{name}-{turn % 2}" for name, (last, turn) in turns.items() if turn != last]


def _turn(moment: datetime, length: timedelta) -> int:
    return int(moment.timestamp() // length.total_seconds())


@dataclass(frozen=True)
class Whole:
    """A checkpoint with all its chunks: ``envelope`` is one of them, ``payload`` what they carry together."""

    envelope: ModelCheckpoint
    payload: bytes


def restore(
    number: int, records: Iterable[ModelCheckpoint], fresh: Callable[[], LineState]
) -> tuple[Partition, list[str]]:
    """Return the partition as its checkpoints say, and what was wrong with any that had to be passed over.

    The newest usable base is taken, then every delta that follows it without a gap; what lies beyond a damaged one
    is for the caller to replay from the partition's ``offsets``. Without a base the partition starts from ``fresh``.
    """
    problems: list[str] = []
    records = [record for record in records if record.partition == number and record.sequence < MAX_SEQUENCE]
    found = join_chunks(records)
    partition = _newest_usable(number, found, problems) or Partition(number, fresh())
    _leave_behind(partition, max((record.sequence for record in records), default=-1))
    return partition, problems


def _newest_usable(number: int, found: dict[int, Whole], problems: list[str]) -> Partition | None:
    for start in sorted((sequence for sequence, whole in found.items() if whole.envelope.kind == "base"), reverse=True):
        partition = _based(number, found[start], start, problems)
        if partition is not None and not _follow_at_once(partition, found):
            partition = _based(number, found[start], start, problems)  # one is damaged: once more, one by one
            if partition is not None:
                _follow(partition, found, problems)
        if partition is not None:
            return partition
    return None


def _based(number: int, whole: Whole, start: int, problems: list[str]) -> Partition | None:
    partition = Partition(number, LineState(), base_sequence=start, base_time=whole.envelope.time)
    return partition if _apply(partition, whole, start, problems) else None


def _follow_at_once(partition: Partition, found: dict[int, Whole]) -> bool:
    """Apply the deltas after the partition's sequence; where one cannot be, return False: the state is of no use then.

    What each of them says whole is taken from the last one alone: a tenth of the time.
    """
    chain: list[Whole] = []
    while (one := found.get(partition.sequence + len(chain) + 1)) is not None and one.envelope.kind == "delta":
        chain.append(one)
    try:
        for one in chain:
            snapshot.apply(partition.state, verified(one), followed=one is not chain[-1])
    except SnapshotError:
        return False
    if chain:
        partition.sequence, partition.offsets = partition.sequence + len(chain), dict(chain[-1].envelope.offsets)
        partition.deltas += len(chain)
    return True


def _leave_behind(partition: Partition, newest: int) -> None:
    """Number the next checkpoint above ``newest``; if some had to be passed over, make it a base."""
    if partition.sequence < newest:
        partition.sequence = newest
        partition.break_chain()


def join_chunks(records: Iterable[ModelCheckpoint]) -> dict[int, Whole]:
    """Return the checkpoints that have all their chunks, by sequence; of two with one sequence, the later written."""
    chunks: dict[tuple[int, str], dict[int, ModelCheckpoint]] = defaultdict(dict)
    for record in records:
        chunks[record.sequence, record.sha256][record.chunk] = record
    joined = {}
    for (sequence, _), parts in chunks.items():
        first = next(iter(parts.values()))
        if len(parts) == first.chunks:
            payload = b"".join(_decoded(parts[index].payload) for index in sorted(parts))
            joined[sequence] = Whole(first, payload)
    return joined


def has_base(records: Iterable[ModelCheckpoint]) -> bool:
    """Return whether a base is among them with all its chunks."""
    seen: dict[tuple[int, str], set[int]] = defaultdict(set)
    bases = [record for record in records if record.kind == "base"]
    for record in bases:
        seen[record.sequence, record.sha256].add(record.chunk)
    return any(len(seen[record.sequence, record.sha256]) == record.chunks for record in bases)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # not only binascii.Error: letters beyond ASCII
        return b""  # the hash will not match, and says so


def _follow(partition: Partition, found: dict[int, Whole], problems: list[str]) -> None:
    """Apply the deltas after the partition's sequence, up to the first gap or damaged one."""
    while (following := found.get(partition.sequence + 1)) is not None and following.envelope.kind == "delta":
        if not _apply(partition, following, partition.sequence + 1, problems):
            return
        partition.deltas += 1


def _apply(partition: Partition, whole: Whole, sequence: int, problems: list[str]) -> bool:
    """Put one checkpoint into the partition; one that is damaged or unknown changes nothing and is reported."""
    try:
        snapshot.apply(partition.state, verified(whole))
    except SnapshotError as error:
        problems.append(f"partition {partition.number}, checkpoint {sequence} ({whole.envelope.kind}): {error}")
        return False
    partition.sequence, partition.offsets = sequence, dict(whole.envelope.offsets)
    return True


def verified(whole: Whole) -> bytes:
    """Return the content of a checkpoint; raises ``SnapshotError`` when it is damaged or from another major river."""
    if hashlib.sha256(whole.payload).hexdigest() != whole.envelope.sha256:
        raise SnapshotError("its content does not match its sha256")
    theirs = whole.envelope.river_version
    if theirs.partition(".")[0] != RIVER_VERSION.partition(".")[0]:
        raise SnapshotError(f"written with river {theirs}, here is {RIVER_VERSION}: the major versions must be equal")
    return whole.payload


def load_base(whole: Whole) -> LineState:
    """Return the state that a base holds; raises ``SnapshotError`` when it is not usable."""
    state = LineState()
    snapshot.apply(state, verified(whole))
    return state
