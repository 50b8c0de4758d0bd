"""An andon event as a record, and the sentence in it that a person reads first."""

from __future__ import annotations

from datetime import datetime

from models.andon.conditions import CONDITIONS
from models.andon.lamp import Change, Evidence, Lit
from models.andon.moved import Lamp
from models.records import AndonEvent, content_id

MAX_MOVED = 3  # categories named in the sentence
SHORT = 12  # characters of a build's id in it

_WATCHED = {
    "categories": "the mix of categories moved",
    "divergence": "the mix of categories moved",
    "templates": "messages of new kinds come more often",
    "errors": "the model errs more",
    "confidence": "the model's confidence changed",
    "calibration": "the model is no longer as sure as it is right",
    "agreement": "the sources of labels agree less",
    "transpile": "more programs do not transpile",
    "compile": "more programs do not compile",
    "weights": "the weights of examples changed",
    "majority": "the model does worse than the most frequent label",
    "last_label": "the model does worse than the label before",
    "rejected": "nearly everything is answered Unknown",
    "refused": "records are refused",
    "variety": "the model says nearly the same of everything",
    "weights-finite": "the model's numbers are no numbers any more",
}
_ENDED = {
    "acknowledged": "somebody looks after it",
    "resumed": "resumed",
    "cleared": "is over",
    "recalled": "the last good model answers again",
}


def sentence(change: Change, by: str | None = None) -> str:
    """Return in one line what happened, where, by how much and since when."""
    lit = change.lit
    where = f" in {lit.key.scope}" if lit.key.scope else ""
    if change.transition != "raised":
        who = f" by {by}" if by else ""
        return f"{lit.key.kind}{where}: {_ENDED[change.transition]}{who}; lit since {lit.since}"
    return f"{lit.key.kind}{where}: {_WATCHED.get(lit.key.signal, lit.key.signal)}{_how_far(lit.evidence)}"


def _how_far(evidence: Evidence) -> str:
    said = ""
    if evidence.statistic is not None and evidence.threshold is not None:
        said += f" ({evidence.statistic:.4g}, threshold {evidence.threshold:.4g})"
    if moved := [f"{one.category} {one.contribution:+.3g}" for one in evidence.categories[:MAX_MOVED]]:
        said += f": {', '.join(moved)}"
    if evidence.first_build is not None:
        said += f"; since build {evidence.first_build[:SHORT]}"
    return said


def event(
    change: Change,
    *,
    source: str,
    project: str,
    now: datetime,
    lamp: Lamp,
    by: str | None = None,
    comment: str | None = None,
) -> AndonEvent:
    """Return the record of a transition; ``source`` is the id of what brought it about: same source, same event."""
    lit, condition = change.lit, CONDITIONS[change.lit.key.kind]
    raised, evidence = change.transition == "raised", change.lit.evidence
    out = change.transition in {"resumed", "cleared"}
    return AndonEvent(
        id=content_id("andon-event", project, source, change.transition, *lit.key),
        time=now,
        project=project,
        kind=condition.name,
        severity="info" if out else condition.severity,
        message=sentence(change, by),
        details={} if evidence.divergence is None else {"divergence": evidence.divergence},
        transition=change.transition,
        lamp=lamp,
        scope=lit.key.scope,
        signal=lit.key.signal or None,
        statistic=evidence.statistic,
        threshold=evidence.threshold,
        categories=evidence.categories,
        first_build=evidence.first_build,
        examples=evidence.examples,
        answered=evidence.answered,
        recommendation=condition.recommendation if raised else None,
        runbook=condition.runbook if raised else None,
        author=by,
        comment=comment,
    )


def about(lit: Lit) -> dict[str, object]:
    """Return what is lit as JSON-able data, as status, board and metrics show it."""
    condition, evidence = CONDITIONS[lit.key.kind], lit.evidence
    return {
        "kind": lit.key.kind,
        "severity": condition.severity,
        "project": lit.key.scope,
        "signal": lit.key.signal,
        "since": lit.since,
        "acknowledged": lit.acknowledged,
        "by": lit.by,
        "message": sentence(Change("raised", lit)),
        "statistic": evidence.statistic,
        "threshold": evidence.threshold,
        "divergence": evidence.divergence,
        "categories": [one.model_dump(exclude_none=True) for one in evidence.categories],
        "first_build": evidence.first_build,
        "examples": list(evidence.examples),
        "recommendation": condition.recommendation,
        "action": condition.action,
        "runbook": condition.runbook,
    }
