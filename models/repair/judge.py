"""Did an edit help? Judged by target errors and phase, for a right fix may let the compiler reach a later phase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from models.repair.errors import RustError


@dataclass(frozen=True)
class Standing:
    """How far a program is: the phase that its earliest error belongs to, and its errors."""

    phase: int
    errors: int

    @property
    def compiles(self) -> bool:
        """Return whether nothing is left."""
        return self.errors == 0


DONE_PHASE = 99


def standing(errors: Sequence[RustError]) -> Standing:
    """Return where a program with these errors stands."""
    return Standing(min((one.phase for one in errors), default=DONE_PHASE), len(errors))


def better(before: Sequence[RustError], after: Sequence[RustError], targets: Sequence[RustError]) -> bool:
    """Return whether ``after`` is progress: a later phase; or, in the same one, some target gone and fewer errors."""
    was, now = standing(before), standing(after)
    if now.phase != was.phase:
        return now.phase > was.phase
    return now.errors < was.errors and bool(gone(before, after, targets))


def _key(error: RustError) -> tuple[str, str]:
    return error.code, error.message


def gone(before: Sequence[RustError], after: Sequence[RustError], targets: Sequence[RustError]) -> list[RustError]:
    """Return the targets of which rustc says nothing any more; of equal messages, as many as there are fewer."""
    had, has = (Counter(_key(one) for one in each) for each in (before, after))
    fewer = had - has
    found = []
    for target in targets:
        if fewer[_key(target)] > 0:
            fewer[_key(target)] -= 1
            found.append(target)
    return found
