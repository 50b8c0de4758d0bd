"""From a request to batches without near-duplicates: in one process or several, always the same."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import pyarrow as pa

from producers.generate.batch import batch_of
from producers.generate.dedupe import Seen
from producers.generate.request import Feedback, Request
from producers.generate.sampling import INDEPENDENT, candidate
from producers.generate.sequences import sequence

CHUNK = 2_048  # candidates in a batch
LEAST_CHUNK = 64
AHEAD = 3  # chunks that are waited for, for each process
WORTH_PROCESSES = 4_096  # programs; fewer are made before another process has started
LEARNING_CHUNK = 4  # with a feedback: each of them takes as long as thousands without
BARREN = 16  # chunks in a row with hardly anything new: there is no more to find


@dataclass
class Progress:
    """How far a run is: candidates made, and programs kept."""

    candidates: int = 0
    kept: int = 0
    ended_early: bool = False
    strategies: dict[str, int] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)

    @property
    def rejection_rate(self) -> float:
        """Return the share of candidates that were near-duplicates of others."""
        return 1.0 - self.kept / self.candidates if self.candidates else 0.0


def batches(
    request: Request, progress: Progress, processes: int = 1, feedback: Feedback | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield batches of distinct programs, ``request.count`` in all, fewer where the grammar has no more.

    ``progress`` is brought up to date before each batch. ``feedback`` is asked by strategies that learn from it.
    """
    seen, barren = Seen(), 0
    made = (
        _chunks(request, processes)
        if request.strategy in INDEPENDENT
        else sequence(request, LEARNING_CHUNK if feedback else chunk(request), feedback)
    )
    for batch in made:
        fresh = seen.new(batch.column("fingerprint").to_numpy())
        barren = barren + 1 if fresh.sum() * 100 < len(fresh) else 0
        left = request.count - progress.kept
        kept = batch.filter(pa.array(fresh)).slice(0, left)
        _count(progress, batch, kept, left)
        if kept.num_rows:
            yield kept
        if progress.kept >= request.count or barren >= BARREN:
            break
    progress.ended_early = progress.kept < request.count


def _count(progress: Progress, batch: pa.RecordBatch, kept: pa.RecordBatch, left: int) -> None:
    progress.kept += kept.num_rows
    progress.candidates += batch.num_rows if kept.num_rows < left else kept.num_rows
    for counts, column in ((progress.strategies, "strategy"), (progress.levels, "level")):
        for one in kept.column(column).value_counts().to_pylist():
            counts[one["values"]] = counts.get(one["values"], 0) + one["counts"]


def chunk(request: Request) -> int:
    """Return how many candidates a batch has: a matter of the request alone, so that batches are always the same."""
    return max(LEAST_CHUNK, min(CHUNK, request.count))


def _make(request: Request, first: int) -> pa.RecordBatch:
    return batch_of(candidate(request, index) for index in range(first, first + chunk(request)))


def _make_bytes(request: Request, first: int) -> bytes:
    batch = _make(request, first)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue())


def _chunks(request: Request, processes: int) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a strategy whose programs do not depend on each other, in order, without end."""
    size = chunk(request)
    if processes <= 1 or request.count < WORTH_PROCESSES:
        first = 0
        while True:
            yield _make(request, first)
            first += size
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_quiet) as pool:
        waiting: deque[Future[bytes]] = deque()
        first = 0
        try:
            while True:
                while len(waiting) < AHEAD * processes:
                    waiting.append(pool.submit(_make_bytes, request, first))
                    first += size
                with pa.ipc.open_stream(waiting.popleft().result()) as stream:
                    yield stream.read_next_batch()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _quiet() -> None:
    """Let Ctrl-C end the process that was started from the command line, and that one end this."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
