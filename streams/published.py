"""What a partition without a checkpoint starts from: the newest published model, else the bundled one, else nothing."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable

from models import warm_start
from models.classifiers import HashedLogistic
from models.ensemble import Served, serve
from models.memory import RecentFailures
from models.records import Model
from models.snapshots import snapshot
from models.snapshots.frame import SnapshotError
from models.state import LineState
from models.taxonomy import LABELS
from models.weighting import LongTailWeights
from streams.follow import Follower
from streams.settings import Settings

log = logging.getLogger(__name__)


async def newest_model(settings: Settings) -> bytes | None:
    """Return the snapshot of the newest usable model on the ``models`` topic; unusable ones are passed over, loudly."""
    async with Follower(settings, Model, from_beginning=True) as follower:
        published = [model async for model in follower.until_end()]
    snapshots = [model for model in published if model.card is None]  # a student is nothing to begin with
    for model in sorted(snapshots, key=lambda one: one.time, reverse=True):
        try:
            return usable_snapshot(model)
        except SnapshotError as error:
            log.error("passed over: model %r of %s: %s", model.name, model.time, error)  # noqa: TRY400
    return None


def usable_snapshot(model: Model) -> bytes:
    """Return the model's snapshot after a trial load; raises ``SnapshotError``."""
    return _loaded(model)[0]


def usable_classifier(model: Model) -> HashedLogistic:
    """Return the model's classifier alone, as a challenger needs it; raises ``SnapshotError``."""
    return _loaded(model)[1].classifier


def usable_student(model: Model) -> Served:
    """Return the student at the beginning of its test, as a partition takes it up.

    Raises ``SnapshotError`` for a damaged payload, ``ModelFileError`` for a card or graph that cannot be taken.
    """
    served = serve(model.name, (model.card or "").encode(), _payload(model))
    if strange := sorted(set(served.member.student.labels) - set(LABELS)):
        raise SnapshotError(f"its labels are not of the taxonomy: {strange[:3]}")
    return served


def _payload(model: Model) -> bytes:
    try:
        packed = base64.b64decode(model.payload, validate=True)
    except ValueError as error:  # not only binascii.Error: letters beyond ASCII
        raise SnapshotError(f"its payload is not base64: {error}") from None
    if hashlib.sha256(packed).hexdigest() != model.sha256:
        raise SnapshotError("its payload does not match its sha256")
    return packed


def _loaded(model: Model) -> tuple[bytes, LineState]:
    packed = _payload(model)
    start = LineState()
    snapshot.apply(start, packed)
    strange = sorted(set(start.classifier.labels) - set(LABELS))
    if strange:
        raise SnapshotError(f"its labels are not of the taxonomy: {strange[:3]}")
    return packed, start


def fresh_state(settings: Settings, published: bytes | None) -> Callable[[], LineState]:
    """Return what makes the state of a partition that has no checkpoint."""

    def make() -> LineState:
        start = LineState()
        if settings.warm_start:
            snapshot.apply(start, published or warm_start.packed())
        # The classifier alone: a published snapshot has no business bringing failures or feedback along.
        weights = LongTailWeights(enabled=settings.weighting)
        recent = RecentFailures(settings.feedback_horizon)
        return LineState(
            classifier=start.classifier,
            calibrator=start.calibrator,
            weights=weights,
            recent=recent,
            origin=start.origin,
        )

    return make
