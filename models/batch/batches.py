"""What a network is fed: vocabularies, encoded examples, a weighted sampler, and batches made ahead by a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import Queue
from threading import Event, Thread
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.batch.dataset import Dataset, Ragged
from models.batch.network import Inputs
from models.weighting import Reweighting

Indices = NDArray[np.int64]
POLL_S = 0.01
MAX_EXPONENT_CAP = 4.99  # ``Reweighting`` keeps below what a person's word counts


class Vocabulary(NamedTuple):
    """Hashes that a network knows, sorted; a hash's place is its row. Others are left out."""

    text: NDArray[np.uint32]
    code: NDArray[np.uint32]

    @classmethod
    def of(cls, dataset: Dataset, wanted: Indices, min_count: int) -> Vocabulary:
        """Return the hashes that stand at least ``min_count`` times in the wanted examples."""
        return cls(*(_frequent(part.take(wanted), min_count) for part in (dataset.text, dataset.code)))

    def encode(self, dataset: Dataset) -> Encoded:
        """Return a dataset's examples in rows of this vocabulary."""
        text, code = (_encoded(part, known) for part, known in zip((dataset.text, dataset.code), self, strict=True))
        return Encoded(text, code, dataset.tabular)


class Encoded(NamedTuple):
    """Examples as rows of a vocabulary, and their numbers."""

    text: Ragged
    code: Ragged
    tabular: NDArray[np.float32]

    def batch(self, wanted: Indices) -> Inputs:
        """Return some examples as tensors."""
        text, code = self.text.take(wanted), self.code.take(wanted)
        arrays = (text.values, text.offsets[:-1], code.values, code.offsets[:-1], self.tabular[wanted])
        return Inputs(*map(torch.from_numpy, arrays))


def _frequent(hashes: Ragged, least: int) -> NDArray[np.uint32]:
    found, counts = np.unique(hashes.values, return_counts=True)
    return np.asarray(found[counts >= least], np.uint32)


def _encoded(hashes: Ragged, known: NDArray[np.uint32]) -> Ragged:
    if not len(known):
        return Ragged(np.zeros(0, np.int64), np.zeros_like(hashes.offsets))
    places = np.minimum(np.searchsorted(known, hashes.values), len(known) - 1)
    there = known[places] == hashes.values
    ends = np.concatenate([[0], np.cumsum(there)])
    return Ragged(places[there].astype(np.int64), ends[hashes.offsets])


def sample_weights(labels: NDArray[np.int64], reweight: float) -> NDArray[np.float64]:
    """Return how often each example is drawn, from 1 up to ``reweight`` for those of the rarest labels."""
    counts = np.bincount(labels)
    mean = len(labels) / np.count_nonzero(counts)
    rule = Reweighting(cap=min(reweight, MAX_EXPONENT_CAP))
    return np.array([rule.weight(float(count), mean) if count else 1.0 for count in counts])[labels]


def drawn(weights: NDArray[np.float64], samples: int, source: np.random.Generator) -> Indices:
    """Return ``samples`` places drawn by weight, shuffled; systematic, so that equal weights give each place once.

    Each place comes as often as its share of the weights says, rounded up or down (Madow 1949).
    """
    ends = np.cumsum(weights)
    places = np.searchsorted(ends, (np.arange(samples) + source.random()) * (ends[-1] / samples), side="right")
    return np.asarray(source.permutation(np.minimum(places, len(weights) - 1)), np.int64)


Batch = tuple[Inputs, Tensor, Indices]  # inputs, labels, indices into the dataset


def batches(encoded: Encoded, labels: NDArray[np.int64], order: Indices, size: int) -> Iterator[Batch]:
    """Yield the examples of ``order`` in batches of ``size``; the last may be smaller."""
    for start in range(0, len(order), size):
        wanted = order[start : start + size]
        yield encoded.batch(wanted), torch.from_numpy(labels[wanted]), wanted


def prefetched(source: Callable[[], Iterator[Batch]], ahead: int) -> Iterator[Batch]:
    """Yield what ``source`` yields, made by a thread that is at most ``ahead`` batches in front; 0: without a thread.

    The order is the source's. An error in the thread is raised here; leaving the loop early ends the thread.
    """
    if not ahead:
        yield from source()
        return
    ready: Queue[Batch | BaseException | None] = Queue(ahead)
    over = Event()
    thread = Thread(target=_fill, args=(source, ready, over), daemon=True)
    thread.start()
    try:
        while (one := ready.get()) is not None:
            if isinstance(one, BaseException):
                raise one
            yield one
    finally:
        over.set()
        while thread.is_alive():  # it may wait for room
            while not ready.empty():
                ready.get_nowait()
            thread.join(POLL_S)


def _fill(source: Callable[[], Iterator[Batch]], ready: Queue[Batch | BaseException | None], over: Event) -> None:
    try:
        for one in source():
            if over.is_set():
                return
            ready.put(one)
        ready.put(None)
    except Exception as error:  # noqa: BLE001 - raised again in the thread that trains
        ready.put(error)
