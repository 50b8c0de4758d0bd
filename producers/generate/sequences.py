"""Strategies whose programs depend on those before: made one after the other, in one process."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice

import pyarrow as pa

from producers.generate import coverage, curriculum, exhaustive
from producers.generate.batch import batch_of
from producers.generate.request import Candidate, Feedback, Request
from producers.generate.stdlib.schedule import Stdlib


def sequence(request: Request, size: int, feedback: Feedback | None) -> Iterator[pa.RecordBatch]:
    """Yield batches of ``size`` candidates; an exhaustive run ends, the others do not."""
    found = _candidates(request, feedback)
    while batch := list(islice(found, size)):
        yield batch_of(batch)


def _candidates(request: Request, feedback: Feedback | None) -> Iterator[Candidate]:
    if request.strategy == "coverage":
        return coverage.candidates(request, feedback)
    if request.strategy == "exhaustive":
        return exhaustive.candidates(request)
    if request.strategy == "stdlib":
        library = Stdlib(request.seed)
        return (library.candidate(request.level, index) for index in count())
    return curriculum.candidates(request, feedback)
