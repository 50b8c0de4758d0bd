"""What the board counts by itself: the mix of categories now and before, and builds a minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from streams.web.recent import Entry

NOW_BUILDS = 500  # of the mix that is shown as the present one
BEFORE_BUILDS = 2_500  # those before them, where no baseline is known
ENOUGH = 200  # builds, for a mix to compare with
SHOWN = 8  # categories; the rest is one line
MINUTES = 30
MINUTE_MS = 60_000

Shares = Mapping[str, float]


def shares(builds: Iterable[Sequence[str]]) -> dict[str, float]:
    """Return each kind's share of the votes; a build votes once for each kind that it has."""
    votes = Counter(kind for kinds in builds for kind in kinds)
    total = votes.total()
    return {kind: count / total for kind, count in votes.items()}


def mix(entries: Sequence[Entry], baseline: Shares | None) -> dict[str, Any] | None:
    """Return the mix of the newest builds beside the baseline; ``entries`` come newest first.

    Without a baseline of the workers', the builds before them are one, once there are ``ENOUGH``.
    """
    if not entries:
        return None
    newest, older = entries[:NOW_BUILDS], entries[NOW_BUILDS : NOW_BUILDS + BEFORE_BUILDS]
    now = shares(one.kinds for one in newest)
    own = shares(one.kinds for one in older) if len(older) >= ENOUGH else None
    before = baseline or own
    names = sorted({*now, *(before or {})}, key=lambda name: (-_most(name, now, before), name))
    rows = [_row(name, now.get(name, 0.0), (before or {}).get(name, 0.0)) for name in names[:SHOWN]]
    if rest := names[SHOWN:]:
        rows.append(_row("", *(sum((part or {}).get(name, 0.0) for name in rest) for part in (now, before))))
    against = "baseline" if baseline else "before" if own else None
    return {"builds": len(newest), "against": against, "older": len(older), "rows": rows}


def _most(name: str, now: Shares, before: Shares | None) -> float:
    return max(now.get(name, 0.0), (before or {}).get(name, 0.0))


def _row(label: str, now: float, before: float) -> dict[str, Any]:
    return {"label": label, "now": round(now, 4), "before": round(before, 4)}


class Rate:
    """Builds answered in each of the last ``MINUTES`` minutes; what is read a second time is counted once."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._newest_ms = self._counted_ms = 0

    def begin_again(self) -> None:
        """Say that what was counted may come once more."""
        self._counted_ms = self._newest_ms

    def add(self, timestamp_ms: int) -> None:
        """Count a build."""
        if timestamp_ms <= self._counted_ms:
            return
        self._newest_ms = max(self._newest_ms, timestamp_ms)
        minute = timestamp_ms // MINUTE_MS
        self._counts[minute] += 1
        if len(self._counts) > 2 * MINUTES:
            for old in sorted(self._counts)[:-MINUTES]:
                del self._counts[old]

    def view(self, now_ms: int) -> list[int]:
        """Return the counts, the oldest minute first, the one that is not over yet last."""
        minute = now_ms // MINUTE_MS
        return [self._counts.get(one, 0) for one in range(minute - MINUTES + 1, minute + 1)]
