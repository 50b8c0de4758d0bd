"""What to mend first: share x severity x trend x ease of repair, category by category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from models.commits.profiles import Profile, by_category, smoothed
from models.tables import read_table
from models.taxonomy import CATEGORIES

MOST_TREND = 4.0  # a category that is new would be infinitely on the rise
TREND_PRIOR = 5.0  # votes: a handful makes no trend
LEVELS = ((0.5, "P0"), (0.8, "P1"), (0.95, "P2"), (1.01, "P3"))  # up to this share of all scores, the highest first


class Priority(NamedTuple):
    """One category's place; ``trend`` is its share now over its share before, 1 where there is nothing to compare."""

    category: str
    level: str
    score: float
    seen: int
    share: float
    severity: float
    trend: float
    ease: float


def weights() -> dict[str, tuple[float, float]]:
    """Return severity and ease of each category."""
    rows = read_table("category_weights.tsv", ("category", "severity", "ease", "reason"))
    return {row.one_of("category", CATEGORIES): (row.number("severity", 3.0), row.number("ease", 1.0)) for row in rows}


def trends(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, float]:
    """Return each category's share after over that before, drawn to 1 where few were counted."""
    old, new = by_category(before), by_category(after)
    olds, news = sum(old.values()), sum(new.values())
    if not olds or not news:
        return dict.fromkeys(CATEGORIES, 1.0)
    mean = {name: (old[name] + new[name]) / (olds + news) for name in CATEGORIES}
    found = {}
    for name in CATEGORIES:
        expected = TREND_PRIOR * mean[name]
        was, now = (old[name] + expected) / (olds + TREND_PRIOR), (new[name] + expected) / (news + TREND_PRIOR)
        found[name] = min(max(now / was, 1 / MOST_TREND), MOST_TREND) if was else 1.0
    return found


def against(profile: Profile, counts: Mapping[str, int]) -> dict[str, float]:
    """Return each category's share over the profile's: a trend where there is no earlier time."""
    own, there = smoothed(by_category(counts)), profile.shares
    return {name: min(max(own[name] / there[name], 1 / MOST_TREND), MOST_TREND) for name in CATEGORIES}


def priorities(counts: Mapping[str, int], trend: Mapping[str, float] | None = None) -> list[Priority]:
    """Return the categories that occur, the most urgent first."""
    seen, judged = by_category(counts), weights()
    total = sum(seen.values())
    rows = []
    for name, count in seen.items():
        if not count:
            continue
        severity, ease = judged[name]
        rising = (trend or {}).get(name, 1.0)
        share = count / total
        rows.append(Priority(name, "", share * severity * rising * ease, count, share, severity, rising, ease))
    return _levels(sorted(rows, key=lambda row: (-row.score, row.category)))


def _levels(rows: Sequence[Priority]) -> list[Priority]:
    whole, before, found = sum(row.score for row in rows), 0.0, []
    for row in rows:
        level = next(name for limit, name in LEVELS if before / whole < limit)
        found.append(row._replace(level=level))
        before += row.score
    return found
