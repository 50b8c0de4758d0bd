"""The commit that was built, as eight numbers, and those numbers as named features of every diagnostic of the build.

Nothing here identifies or tells the answer: no name of a person or a file, no message, no text of the change. The
dimensions are the established ones of just-in-time defect prediction: size, spread, experience (Kamei et al., "A
large-scale empirical study of just-in-time quality assurance", IEEE TSE 2013) and the hour (Eyolfson, Tan, Lam, "Do
time of day and developer experience affect commit bugginess?", MSR 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Annotated

from pydantic import Field

from models.buckets import bucket
from models.caching import BoundedCache
from models.diagnostics import Part
from models.hashing import NAME_BYTES, Named, named

MAX_SIZE = (1 << 31) - 1  # of every count; a producer clamps
MAX_ENTROPY = 31.0  # bits: of MAX_SIZE files changed alike
HOURS = 4  # of the day under one name
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Size = Annotated[int, Field(ge=0, le=MAX_SIZE)]

_PARTS: BoundedCache[tuple[int, ...], Named] = BoundedCache(2 << 20)


class Change(Part):
    """A commit against its first parent (the first commit of all: against nothing).

    ``complexity_delta`` is branching keywords in added lines minus those in deleted lines of source files: a cheap
    stand-in for the difference of McCabe's cyclomatic complexity, which would need a parser for each language; it
    counts comments and strings too. ``entropy`` (bits) says how far the changed lines are spread over files, 0 for one
    file (Hassan, "Predicting faults using the complexity of code changes", ICSE 2009). ``author_experience`` counts the
    author's commits before this one in the repository. ``hour_of_day`` (0 to 23) and ``day_of_week`` (Monday is 0) are
    those on the author's own clock.
    """

    files_changed: Size
    lines_added: Size
    lines_deleted: Size
    complexity_delta: Annotated[int, Field(ge=-MAX_SIZE, le=MAX_SIZE)]
    entropy: Annotated[float, Field(ge=0.0, le=MAX_ENTROPY)]
    author_experience: Size
    hour_of_day: Annotated[int, Field(ge=0, le=23)]
    day_of_week: Annotated[int, Field(ge=0, le=6)]


def change_part(change: Change) -> Named:
    """Return eight named features, one for each dimension, such as ``change files:2``; all begin with ``change``.

    Counts are named by their ``bucket``, entropy in half bits, the hour by the four hours in which it lies.
    """
    delta = change.complexity_delta
    buckets = (
        bucket(change.files_changed),
        bucket(change.lines_added),
        bucket(change.lines_deleted),
        bucket(delta) if delta >= 0 else -bucket(-delta),
        bucket(round(2 * change.entropy)),
        bucket(change.author_experience),
        change.hour_of_day // HOURS,
        change.day_of_week,
    )
    return _PARTS.get(buckets) or _PARTS.keep(buckets, named(_names(buckets)), 16 * NAME_BYTES)


def _names(buckets: tuple[int, ...]) -> list[str]:
    files, added, deleted, delta, half_bits, experience, hours, day = buckets
    return [
        f"change files:{files}",
        f"change added:{added}",
        f"change deleted:{deleted}",
        f"change complexity:{delta:+d}",
        f"change entropy:{half_bits / 2:g}",
        f"change experience:{experience}",
        f"change hour:{hours * HOURS}",
        f"change day:{DAYS[day]}",
    ]


def entropy(lines: Sequence[int]) -> float:
    """Return Shannon's entropy in bits of changed lines over files; 0.0 where nothing changed.

    >>> entropy([10]), entropy([5, 5, 0]), entropy([])
    (0.0, 1.0, 0.0)
    """
    total = sum(lines)
    shares = [count / total for count in lines if count]
    return max(0.0, -sum(share * log2(share) for share in shares))
