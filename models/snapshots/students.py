"""Students in a snapshot: a base carries card and graph, a delta only how their tests stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from models.card import ModelFileError
from models.challenge import Duel
from models.ensemble import Ensemble, Member, Served
from models.snapshots.frame import Arrays, SnapshotError
from models.snapshots.header import Student

Place = Literal["answering", "trial"]
PLACES: tuple[Place, ...] = get_args(Place)


def dump(students: Ensemble, *, whole: bool) -> tuple[dict[str, Any], Arrays]:
    """Return what goes into the header, and the arrays of a ``whole`` snapshot."""
    found = {place: served for place in PLACES if (served := getattr(students, place)) is not None}
    header: dict[str, Any] = {
        place: {"sha256": served.member.student.card.sha256, "name": served.member.name, "duel": served.duel.dump()}
        for place, served in found.items()
    }
    arrays: Arrays = {}
    for place, served in found.items() if whole else ():
        arrays[f"{place}_card"] = np.frombuffer(served.member.card, np.uint8)
        arrays[f"{place}_weights"] = np.frombuffer(served.member.weights, np.uint8)
    return header, arrays


def load(here: Ensemble, saved: Mapping[Place, Student], arrays: Arrays) -> Ensemble:
    """Return the students of a snapshot: made anew from a base, those of ``here`` beneath a delta.

    Raises ``SnapshotError`` when one cannot be made, or is not the one that the delta goes on from.
    """
    made = {place: _served(getattr(here, place), place, one, arrays) for place, one in saved.items()}
    return Ensemble(made.get("answering"), made.get("trial"))


def _served(before: Served | None, place: str, saved: Student, arrays: Arrays) -> Served:
    duel = Duel(saved.name)
    duel.load(saved.duel.model_dump())
    if f"{place}_card" in arrays and f"{place}_weights" in arrays:
        try:
            member = Member(saved.name, arrays[f"{place}_card"].tobytes(), arrays[f"{place}_weights"].tobytes())
        except ModelFileError as error:
            raise SnapshotError(f"the student {saved.name}: {error}") from error
    elif before is not None:
        member = before.member
    else:
        raise SnapshotError(f"the student {saved.name} is named, but not there")
    if member.student.card.sha256 != saved.sha256:
        raise SnapshotError(f"the student {saved.name} is another one than the snapshot speaks of")
    return Served(member, duel)
