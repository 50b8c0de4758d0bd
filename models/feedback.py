"""What people said: which messages they corrected, and how far each compiler code can still be trusted."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from models.diagnostics import Diagnostic
from models.masking import mask

SHOWN = 240  # characters of the compiler's message repeated in a prediction: what people see of it, and speak of
MAX_TEMPLATES = 5_000  # corrected messages kept, and codes with a tally; the one longest untouched goes first


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
    """Human feedback by kind of message, and agreement with the code table by code.

    ``verdict`` answers for a kind of message that someone has labelled. ``trusts`` says whether the code table may
    still speak for a code: it may not once feedback has contradicted it more often than it confirmed it.
    """

    def __init__(self, capacity: int = MAX_TEMPLATES) -> None:
        self.capacity = capacity
        self._templates: OrderedDict[str, dict[str, int]] = OrderedDict()
        self._codes: OrderedDict[str, list[int]] = OrderedDict()  # code -> [confirmed, contradicted]

    def learn(self, key: str, code: str | None, rule_label: str | None, label: str) -> None:
        """Take in that a diagnostic of kind ``key`` is a ``label``, where the code table said ``rule_label``."""
        votes = self._templates.setdefault(key, {})
        votes[label] = votes.pop(label, 0) + 1  # last in order: the newest wins a tie
        self._templates.move_to_end(key)
        if len(self._templates) > self.capacity:
            self._templates.popitem(last=False)
        if code and rule_label:
            self._codes.setdefault(code, [0, 0])[label != rule_label] += 1
            self._codes.move_to_end(code)
        if len(self._codes) > self.capacity:
            self._codes.popitem(last=False)

    def verdict(self, key: str) -> Verdict | None:
        """Return what people say about messages of kind ``key``, or nothing; on a tie the newest of them."""
        votes = self._templates.get(key)
        if not votes:
            return None
        label = max(reversed(votes), key=lambda name: votes[name])
        return Verdict(label, votes[label], sum(votes.values()))

    def trusts(self, code: str | None) -> bool:
        """Return whether the code table's answer for ``code`` still stands."""
        confirmed, contradicted = self._codes.get(code or "", (0, 0))
        return confirmed >= contradicted

    def dump(self) -> dict[str, Any]:
        """Return the memory as JSON-able data."""
        return {
            "templates": list(self._templates.items()),
            "codes": {code: list(counts) for code, counts in self._codes.items()},
        }

    def load(self, data: dict[str, Any]) -> None:
        """Replace the memory by what ``dump`` returned."""
        self._templates = OrderedDict((key, dict(votes)) for key, votes in data["templates"])
        self._codes = OrderedDict((code, list(counts)) for code, counts in data["codes"].items())
