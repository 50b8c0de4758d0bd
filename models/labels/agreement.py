"""What a labelling function's vote is worth, learned online from agreement and from words of people.

A naive Bayes model of the true label behind votes, as in Dawid and Skene (Applied Statistics 1979) and data programming
(Ratner et al., NeurIPS 2016), with one accuracy for every function and label that it votes for: when the function says
``l`` it is right with that probability, else the truth is spread as the labels' balance. Abstaining says nothing. So a
single vote's confidence is the accuracy itself. Stepwise EM (Cappé and Moulines, JRSS B 2009) learns the accuracies:
expected hits under the present ones are added to statistics that forget.

Functions that read the same text agree because they read the same text. They are in one block: for a label only the
best vote of a block counts, of several blocks the best counts in full and each other by ``temper``, and a function is
judged by itself with the other blocks, never with its own. Else ten patterns on one message would make each other sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np

from models.labels.expectation import Expectation, Pattern, Pin, Weighted
from models.labels.functions import LabellingFunction

CERTAIN = 0.99  # the most that one vote is trusted
UNIFORM = 0.25  # part of the balance that is spread evenly: rare labels stay possible, few votes do not make one sure
MOST = 0.5  # of the balance for one label: in a stream of one kind, votes for it must still count as evidence
BALANCE_HORIZONS = 5  # the labels' balance forgets this many times more slowly than accuracies do


@dataclass(slots=True)
class Tally:
    """What is known of one slot: votes judged by agreement and the hits among them, words of people and the hits."""

    hits: float = 0.0
    votes: float = 0.0
    confirmed: float = 0.0
    words: float = 0.0

    def forget(self, horizon: float) -> None:
        """Scale down what exceeds the horizon: older votes fade."""
        if self.votes > horizon:
            self.hits, self.votes = self.hits * horizon / self.votes, horizon
        if self.words > horizon:
            self.confirmed, self.words = self.confirmed * horizon / self.words, horizon


_NOTHING = Tally()


class _Weights(dict[int, float]):
    """What a vote of each slot adds to the log-odds of its label, 0 or more; made when it is asked for."""

    def __init__(self, agreement: Agreement) -> None:
        super().__init__()
        self._agreement = agreement

    def __missing__(self, slot: int) -> float:
        agreement = self._agreement
        self[slot] = weight = agreement.log_odds(agreement.accuracy(slot), slot % len(agreement.labels))
        return weight


class Agreement:
    """Accuracies per function and label, the labels' balance, and the posterior of votes under them.

    A slot is the number of a function's vote for a label: ``function's place * len(labels) + label's column``; columns
    are places in ``labels``. ``dump`` keeps names, so functions may be added, removed and reordered between versions.
    """

    def __init__(
        self, functions: Sequence[LabellingFunction], labels: Sequence[str], horizon: float, temper: float
    ) -> None:
        self.functions, self.labels, self.horizon, self.temper = tuple(functions), tuple(labels), horizon, temper
        self._places = {function.name: place for place, function in enumerate(self.functions)}
        self._columns = {label: column for column, label in enumerate(self.labels)}
        sources = list(dict.fromkeys([function.reads for function in self.functions]))
        self._blocks = np.array([sources.index(function.reads) for function in self.functions], np.intp)
        size = len(self.labels)  # by slot: its block and column in one number
        self._where = [block * size + column for block in self._blocks.tolist() for column in range(size)]
        self._tallies: dict[int, Tally] = {}
        self._counts = np.zeros(len(self.labels))
        self._refresh()

    def _refresh(self) -> None:
        counts = self._counts + 1.0
        shares = (1.0 - UNIFORM) * counts / counts.sum() + UNIFORM / len(counts)
        largest = shares.argmax()
        if len(shares) > 1 and shares[largest] > MOST:
            shares *= (1.0 - MOST) / (1.0 - shares[largest])
            shares[largest] = MOST
        self.shares: list[float] = shares.tolist()
        self.weights = _Weights(self)

    def slot(self, function: str, label: str) -> int:
        """Return the number of a function's vote for a label; ``KeyError`` where there is none."""
        return self._places[function] * len(self.labels) + self._columns[label]

    def slots(self, named: Iterable[Sequence[str]]) -> tuple[int, ...]:
        """Return the slots of function and label by name, ascending; those that are no more are left out."""
        known = [(name, label) for name, label in named if name in self._places and label in self._columns]
        return tuple(sorted([self.slot(name, label) for name, label in known]))

    def column(self, label: str) -> int:
        """Return the label's column, -1 for a label that is none."""
        return self._columns.get(label, -1)

    def name(self, slot: int) -> str:
        """Return the name of the function that a slot belongs to."""
        return self.functions[slot // len(self.labels)].name

    def accuracy(self, slot: int) -> float:
        """Return the share of such votes that is believed to be right."""
        function, tally = self.functions[slot // len(self.labels)], self._tallies.get(slot, _NOTHING)
        hits = function.prior_votes * function.prior + tally.hits + tally.confirmed
        return hits / (function.prior_votes + tally.votes + tally.words)

    def accuracies(self) -> dict[str, dict[str, float]]:
        """Return the accuracies of all slots that were judged at least once, by function and label."""
        found: dict[str, dict[str, float]] = {}
        for slot in sorted(self._tallies):
            found.setdefault(self.name(slot), {})[self.labels[slot % len(self.labels)]] = self.accuracy(slot)
        return found

    def log_odds(self, accuracy: float, column: int) -> float:
        """Return what a vote of this accuracy adds to a label's log-odds; one worse than chance adds nothing."""
        share = self.shares[column]
        if accuracy <= share:
            return 0.0
        accuracy = min(accuracy, CERTAIN)
        return log(accuracy * (1.0 - share) / ((1.0 - accuracy) * share))

    def posterior(self, votes: Weighted, pin: Pin | None = None) -> dict[int, float]:
        """Return the probability by column of the labels that have evidence or are pinned.

        What is left belongs to the other labels, in the proportions of ``shares``. The pinned label has its least
        probability or more.
        """
        evidence = self._evidence(votes)
        most = max(evidence.values(), default=0.0)
        mass = {column: self.shares[column] * exp(score - most) for column, score in evidence.items()}
        rest = max(0.0, 1.0 - sum([self.shares[column] for column in evidence])) * exp(-most)
        total = sum(mass.values()) + rest
        found = {column: one / total for column, one in mass.items()}
        return found if pin is None else self._pinned(found, pin)

    def _pinned(self, found: dict[int, float], pin: Pin) -> dict[int, float]:
        column, least = pin
        others = 1.0 - sum([self.shares[one] for one in found])
        left = 1.0 - sum(found.values())
        before = found.get(column, left * self.shares[column] / others if others > 0 else 0.0)
        if before < least:
            found = {one: share * (1.0 - least) / (1.0 - before) for one, share in found.items()}
        return {**found, column: max(before, least)}

    def _evidence(self, votes: Weighted) -> dict[int, float]:
        """Return by column what the votes add to the log-odds: the best of each block, tempered."""
        best: dict[int, float] = {}
        size, where_of = len(self.labels), self._where
        for slot, weight in votes:
            where = where_of[slot]
            if weight > best.get(where, 0.0):
                best[where] = weight
        total: dict[int, float] = {}
        most: dict[int, float] = {}
        for where, weight in best.items():
            column = where % size
            if column in total:
                total[column] += weight
                most[column] = max(most[column], weight)
            else:
                total[column] = most[column] = weight
        temper = self.temper
        return {column: temper * total[column] + (1.0 - temper) * most[column] for column in total}

    def learn(self, patterns: Sequence[Pattern]) -> None:
        """Take one step of EM over votes that were seen."""
        patterns = [pattern for pattern in patterns if pattern.votes]
        if patterns:
            step = Expectation(patterns, np.array(self.shares), self._blocks, self.temper)
            self._counts += step.labels()
            total = float(self._counts.sum())
            self._counts *= min(1.0, BALANCE_HORIZONS * self.horizon / total)
            for slot, hits, votes in step.hits():
                tally = self._tallies.setdefault(slot, Tally())
                tally.hits, tally.votes = tally.hits + hits, tally.votes + votes
                tally.forget(self.horizon)
            self._refresh()

    def told(self, slots: Iterable[int], label: str, words: float) -> None:
        """Take in that the truth of votes at ``slots`` was ``label``, which counts as ``words`` votes."""
        for slot in slots:
            tally = self._tallies.setdefault(slot, Tally())
            tally.words += words
            tally.confirmed += words if slot % len(self.labels) == self._columns[label] else 0.0
            tally.forget(self.horizon)
        self._refresh()

    def dump(self) -> dict[str, Any]:
        """Return accuracies and balance as JSON-able data, by name."""
        tallies: dict[str, dict[str, list[float]]] = {}
        for slot, tally in sorted(self._tallies.items()):
            numbers = [tally.hits, tally.votes, tally.confirmed, tally.words]
            tallies.setdefault(self.name(slot), {})[self.labels[slot % len(self.labels)]] = numbers
        return {"tallies": tallies, "balance": dict(zip(self.labels, self._counts.tolist(), strict=True))}

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace everything by what ``dump`` returned; functions and labels that are no more are left out."""
        self._tallies = {
            self.slot(name, label): Tally(*numbers)
            for name, by_label in data["tallies"].items()
            for label, numbers in by_label.items()
            if name in self._places and label in self._columns
        }
        self._counts = np.array([float(data["balance"].get(label, 0.0)) for label in self.labels])
        self._refresh()
