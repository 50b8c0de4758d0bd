"""Where a profile's time goes, by the layers of the line; reads what ``py-spy record --format raw`` writes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

FRAME = re.compile(r"^(?P<function>.+) \((?P<file>.+?)(?::(?P<line>\d+))?\)$")
LOOP = ("base_events.py", "events.py", "runners.py")  # of asyncio: what stands above them only started the loop
EVENT_LOOP, OTHER = "event loop", "other"

# In this order: the first whose pattern is found in "function file" owns a frame.
LAYERS = {
    name: re.compile(pattern)
    for name, pattern in {
        "encode records": r"\bto_bytes .*models/",
        "parse records": r"^parse .*models/records\.py",
        "features": r"models/(features|masking|hashing|caching)\.py",
        "classifier": r"models/(classifiers|labelling|weighting|evaluation|drift)\.py",
        "checkpoints": r"models/snapshot\w*\.py|streams/checkpoint\w*\.py",
        "step: rules, answers, memory": r"models/",
        "metrics": r"prometheus_client/|streams/metrics\.py",
        "watch": r"streams/(watch|offsets|liveness)\.py",
        "line and transactions": r"streams/",
        "benchmark's loop": r"benchmarks/",
        "Faust": r"site-packages/(faust|mode)/",
        "aiokafka": r"site-packages/aiokafka/",
        EVENT_LOOP: r"/(asyncio/|selectors\.py)",
    }.items()
}


class Frame(NamedTuple):
    """A function on a stack."""

    function: str
    file: str

    @property
    def place(self) -> str:
        """Return the function with the end of its file's path."""
        return f"{self.function} ({'/'.join(self.file.rsplit('/', 2)[-2:])})"


class Stack(NamedTuple):
    """Samples that had the same frames, outermost first."""

    frames: tuple[Frame, ...]
    samples: int


def stacks(raw: Iterable[str]) -> Iterator[Stack]:
    """Yield the stacks of a raw profile without what only started the event loop."""
    for line in raw:
        text, _, samples = line.strip().rpartition(" ")
        if not text:
            continue
        frames = [_frame(one) for one in text.split(";")]
        begin = max((index + 1 for index, one in enumerate(frames) if _starts_loop(one)), default=0)
        yield Stack(tuple(frames[min(begin, len(frames) - 1) :]), int(samples))


def _frame(text: str) -> Frame:
    match = FRAME.match(text)
    return Frame(match["function"], match["file"]) if match else Frame(text, "")


def _starts_loop(frame: Frame) -> bool:
    return "asyncio/" in frame.file and frame.file.endswith(LOOP)


def layer_of(frame: Frame) -> str | None:
    """Return the layer that a frame belongs to; ``None`` for a library that any of them may have called."""
    text = f"{frame.function} {frame.file}"
    return next((name for name, pattern in LAYERS.items() if pattern.search(text)), None)


def owner(stack: Stack) -> str:
    """Return the layer that a stack's time belongs to: the innermost; the event loop only when there is no other."""
    found = [layer for frame in reversed(stack.frames) if (layer := layer_of(frame))]
    return next((layer for layer in found if layer != EVENT_LOOP), found[0] if found else OTHER)


class Shares(NamedTuple):
    """Shares (0 to 1) of all samples, largest first: by layer, and by function the innermost and anywhere."""

    samples: int
    layers: list[tuple[str, float]]
    own: list[tuple[str, float]]
    total: list[tuple[str, float]]


def shares(found: Iterable[Stack]) -> Shares:
    """Return where the samples lie. Raises ``ValueError`` when there are none."""
    layers, own, total = Counter[str](), Counter[str](), Counter[str]()
    for stack in found:
        layers[owner(stack)] += stack.samples
        own[stack.frames[-1].place] += stack.samples
        for place in {frame.place for frame in stack.frames}:
            total[place] += stack.samples
    samples = layers.total()
    if not samples:
        raise ValueError("the profile is empty: nothing ran")
    return Shares(samples, *(_ordered(one, samples) for one in (layers, own, total)))


def _ordered(counts: Counter[str], samples: int) -> list[tuple[str, float]]:
    return [(name, count / samples) for name, count in counts.most_common()]
