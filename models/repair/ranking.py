"""Which candidate first: a success rate per pattern and template, learned online from what was accepted.

Beta posteriors with two levels: a pattern's rate over all templates is the prior of its rate for one template, so that
a template never met before starts from the pattern's record (empirical Bayes, as in Robbins 1956).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from models.repair.candidates import Candidate
from models.tables import Row, parse_table, read_table

COLUMNS = ("kind", "accepted", "rejected")  # kind: the pattern, a blank, and the template
FILE = "repair_rates.tsv"
PRIOR = 2.0  # outcomes that the level above counts for
# Before any outcome: what suggestions alone have fixed elsewhere (docs/decisions/0021), a half for everything else.
START = {"rustc-machine-applicable": 0.3, "rustc-maybe-incorrect": 0.15, "regenerate-functions": 0.8}
MAX_PAIRS = 20_000
MAX_COUNT = 1e9


@dataclass
class Rates:
    """Accepted and rejected by (pattern, template); ``""`` as template is all of a pattern's."""

    counts: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def update(self, pattern: str, template: str, *, accepted: bool) -> None:
        """Take in one outcome."""
        for key in {(pattern, template), (pattern, "")}:
            good, bad = self.counts.get(key, (0.0, 0.0))
            if key in self.counts or len(self.counts) < MAX_PAIRS:
                self.counts[key] = (good + accepted, bad + (not accepted))

    def rate(self, pattern: str, template: str) -> float:
        """Return the expected share of successes."""
        good, bad = self.counts.get((pattern, ""), (0.0, 0.0))
        above = (good + PRIOR * START.get(pattern, 0.5)) / (good + bad + PRIOR)
        good, bad = self.counts.get((pattern, template), (0.0, 0.0))
        return (good + PRIOR * above) / (good + bad + PRIOR)

    def rank(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Return the candidates, the likeliest first; of equal ones, in the order given."""
        return sorted(candidates, key=lambda one: -self.rate(one.pattern, one.template))

    def lines(self) -> list[str]:
        """Return the rates as the lines of a table, for ``read_rates``."""
        rows = sorted(self.counts.items())
        return ["\t".join(COLUMNS), *(f"{' '.join(key).strip()}\t{good:g}\t{bad:g}" for key, (good, bad) in rows)]


def parse_rates(name: str, lines: Iterable[str]) -> Rates:
    """Return the rates of a table; raises ``TableError`` for what is none."""
    return _rates(parse_table(name, list(lines), COLUMNS))


def shipped_rates() -> Rates:
    """Return the rates that ship with the package: outcomes on a corpus of depyler's failures."""
    return _rates(read_table(FILE, COLUMNS))


def _rates(rows: Iterable[Row]) -> Rates:
    found = Rates()
    for row in rows:
        pattern, _, template = row.text("kind").partition(" ")
        found.counts[pattern, template] = (_count(row, "accepted"), _count(row, "rejected"))
    return found


def _count(row: Row, column: str) -> float:
    return row.number(column, MAX_COUNT) if row.cells[column] != "0" else 0.0
