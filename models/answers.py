"""An answer as it goes on the topic: the documents of a build's classifications, with runners-up and deciding words.

``models.records.Prediction`` says what the documents hold; a test reads every one back through it. They are made as
plain values, because everything in them is ours and bounded here: objects that validate would cost as much as the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.diagnostics import Diagnostic
from models.explanations import WEAK, told
from models.features import COUNTED
from models.feedback import SHOWN
from models.fixes import Fixes
from models.hybrid import Build, Decision, Observation
from models.novelty import Sighting
from models.sparse import Floats
from models.state import LineState
from models.taxonomy import PARENTS, UNKNOWN

MAX_WORDS = 5
MAX_DECIDING = 12  # features that an explanation is made of: the pairs and triples of one phrase are several
MAX_WORD_CHARS = 250
RUNNERS_UP = 2

Document = dict[str, Any]
Deciding = tuple[tuple[str, ...], int]  # names, the strongest first, and how many of them speak clearly


def documents(state: LineState, build: Build, decisions: Sequence[Decision], met: Sequence[Sighting]) -> list[Document]:
    """Return one classification per diagnostic as JSON-able values, those that are nothing left out.

    ``met`` says of each diagnostic how often its kind was met before this build; nothing where that was not counted.
    """
    labels = state.classifier.labels
    columns = state.classifier.columns([decision.label for decision in decisions])
    speaks = state.classifier.contributions(build.batch, columns)
    return [
        _document(index, seen, decision, _top(labels, seen.probabilities, decision, column), _deciding(seen, of_one))
        | ({"novelty": _novelty(met[index])} if met else {})
        | (_fix(state.fixes, seen.diagnostic) if state.fixes else {})
        for index, (seen, decision, column, of_one) in enumerate(
            zip(build.seen, decisions, columns, speaks, strict=True)
        )
    ]


def _fix(fixes: Fixes, diagnostic: Diagnostic) -> Document:
    best = fixes.best(diagnostic.code, diagnostic.message[:SHOWN])
    return {} if best is None else {"fix": best._asdict()}


def _novelty(sighting: Sighting) -> Document:
    return {"template": sighting.template_id, "seen": sighting.seen, "first": sighting.first}


def _document(index: int, seen: Observation, decision: Decision, top: list[Document], deciding: Deciding) -> Document:
    names, clearly = deciding
    label, code = decision.label, seen.diagnostic.code
    document: Document = {"index": index}
    if code is not None:
        document["code"] = code
    document["message"] = seen.diagnostic.message[:SHOWN]
    document["category"] = PARENTS.get(label, label)
    if label in PARENTS:
        document["subcategory"] = label
    document["confidence"] = min(1.0, decision.confidence)
    document["top"] = top
    document["source"] = decision.source
    document["words"] = [name[:MAX_WORD_CHARS] for name in names[:MAX_WORDS]]
    document["explanation"] = told(label, names[:clearly])
    document["reason"] = decision.reason
    return document


def _top(labels: Sequence[str], probabilities: Sequence[float], decision: Decision, column: int) -> list[Document]:
    """Return the decided label first, then the model's best others with their share of what confidence is left."""
    top = [] if decision.label == UNKNOWN else [_ranked(decision.label, decision.confidence)]
    others = list(probabilities)
    if column >= 0:
        others[column] = 0.0
    mass = sum(probabilities) if decision.source == "model" else sum(others)
    left = 1.0 if decision.source == "model" else 1.0 - decision.confidence
    scale = left / mass if mass > 0 else 0.0
    for _ in range(min(RUNNERS_UP, len(others) - (column >= 0)) if scale else 0):
        share = max(others)
        place = others.index(share)
        if place == column:  # all others are zero too
            break
        top.append(_ranked(labels[place], share * scale))
        others[place] = -1.0
    return top


def _ranked(label: str, probability: float) -> Document:
    probability = min(1.0, max(0.0, probability))
    if label in PARENTS:
        return {"category": PARENTS[label], "subcategory": label, "probability": probability}
    return {"category": label, "probability": probability}


def _deciding(seen: Observation, contributions: Floats) -> Deciding:
    """Return the features that speak most for the decided label.

    A count (``COUNTED``, the first part) decides too, but it is no word.
    """
    speaks = contributions[len(COUNTED) :]
    best = speaks.argsort()[: -MAX_DECIDING - 1 : -1]
    amounts = speaks[best].tolist()
    readable: list[str] = []
    for part in seen.parts[1:]:
        readable += part.names
    names = tuple([readable[place] for place, amount in zip(best.tolist(), amounts, strict=True) if amount > 0])
    return names, sum([amount >= WEAK * amounts[0] for amount in amounts[: len(names)]])
