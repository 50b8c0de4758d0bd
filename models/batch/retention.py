"""What of its teachers a student has kept: AUC, and how much smaller and faster it is, measured on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models.batch.dataset import Dataset
from models.batch.distillation import Logits, softened
from models.batch.report import Comparison, compare, scored_side
from models.batch.rivals import scores_of
from models.batch.teacher import Teacher
from models.student import Student

Clock = Callable[[], int]  # nanoseconds from anywhere, never backwards
TIMED = 300  # single examples
WARM_UP = 20


class Retention(NamedTuple):
    """``figures``: ``auc_retained`` and latencies in microseconds; ratios to the first teacher where it is at hand."""

    comparison: Comparison
    figures: dict[str, float]


def compare_student(
    student: Student,
    dataset: Dataset,
    logits: Sequence[Logits],
    teachers: Sequence[Teacher],
    *,
    seed: int,
    clock: Clock,
) -> Retention:
    """Return a student's scores beside its teachers' and the online learner's, and what it costs.

    Latencies are of one example, its features known, on one thread. The figure ``smaller`` is a ratio of file sizes.
    """
    places = dataset.part(scored_side(dataset))
    shares = student.predict_proba_many(dataset.hashes(np.arange(len(dataset))))
    comparison = compare(dataset, shares, "student", seed)
    theirs = scores_of(dataset, places, softened(logits, 1.0)[places])
    comparison.rows["teachers" if len(logits) > 1 else "teacher"] = theirs
    own = comparison.rows["student"]
    timed = places[:TIMED]
    hashes = dataset.hashes(timed)
    middle, late = latency([partial(student.predict_proba_many, [one]) for one in hashes], clock)
    figures = {"auc_retained": own["auc"] / theirs["auc"] if theirs["auc"] else 0.0, "p50_us": middle, "p99_us": late}
    if teachers:
        figures |= _against(teachers[0], student, dataset, timed, middle=middle, clock=clock)
    return Retention(comparison, figures)


def _against(
    teacher: Teacher, student: Student, dataset: Dataset, timed: NDArray[np.int64], *, middle: float, clock: Clock
) -> dict[str, float]:
    encoded = teacher.vocabulary.encode(dataset.take(timed))
    inputs = [encoded.batch(np.array([place])) for place in range(len(timed))]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.inference_mode():
        found, late = latency([partial(teacher.network, one) for one in inputs], clock)
    torch.set_num_threads(threads)
    return {
        "teacher_p50_us": found,
        "teacher_p99_us": late,
        "faster": found / middle,
        "smaller": teacher.card.size_bytes / student.card.size_bytes,
    }


def latency(calls: Sequence[Callable[[], object]], clock: Clock) -> tuple[float, float]:
    """Return median and 99th percentile of the calls' times in microseconds, after some to warm up."""
    for call in calls[:WARM_UP]:
        call()
    taken = []
    for call in calls:
        started = clock()
        call()
        taken.append((clock() - started) / 1_000)
    middle, late = np.percentile(taken, [50, 99])
    return float(middle), float(late)
