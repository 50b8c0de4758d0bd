"""What people said of kinds of messages; what that means for codes and for like messages the label model learns."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from models.diagnostics import Diagnostic
from models.masking import mask

SHOWN = 240  # characters of the compiler's message repeated in a prediction: what people see of it, and speak of
MAX_TEMPLATES = 5_000  # corrected messages kept; the one longest untouched goes first


def template_key(diagnostic: Diagnostic) -> str:
    """Return a short key of the diagnostic's code and masked message: equal for messages of one kind."""
    text = f"{diagnostic.code or ''}|{mask(diagnostic.message)}"
    return blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Verdict:
    """What people say about one kind of message: the label most of them gave, and how many gave it of how many."""

    label: str
    votes: int
    total: int

    @property
    def confidence(self) -> float:
        """Return the label's share of the votes, one vote short of certainty (Laplace's rule of succession)."""
        return (self.votes + 1) / (self.total + 2)


class FeedbackMemory:
    """Labels that people gave, by kind of message; ``verdict`` answers for a kind that someone has labelled."""

    def __init__(self, capacity: int = MAX_TEMPLATES) -> None:
        self.capacity = capacity
        self._templates: OrderedDict[str, dict[str, int]] = OrderedDict()

    def learn(self, key: str, label: str) -> None:
        """Take in that a diagnostic of kind ``key`` is a ``label``."""
        votes = self._templates.setdefault(key, {})
        votes[label] = votes.pop(label, 0) + 1  # last in order: the newest wins a tie
        self._templates.move_to_end(key)
        if len(self._templates) > self.capacity:
            self._templates.popitem(last=False)

    def verdict(self, key: str) -> Verdict | None:
        """Return what people say about messages of kind ``key``, or nothing; on a tie the newest of them."""
        votes = self._templates.get(key)
        if not votes:
            return None
        label = max(reversed(votes), key=lambda name: votes[name])
        return Verdict(label, votes[label], sum(votes.values()))

    def dump(self) -> dict[str, Any]:
        """Return the memory as JSON-able data."""
        return {"templates": list(self._templates.items())}

    def load(self, data: dict[str, Any]) -> None:
        """Replace the memory by what ``dump`` returned."""
        self._templates = OrderedDict((key, dict(votes)) for key, votes in data["templates"])
