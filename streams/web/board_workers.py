"""What the workers of the line say of themselves, put together for the board."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

ASK_S = 2.0
WORKERS = 32  # asked at most

Partition = Mapping[str, Any]


class BoardWorkers:
    """Asks workers for ``/v1/state``; use as a context manager."""

    async def __aenter__(self) -> BoardWorkers:
        """Open the connections."""
        self._session = ClientSession(timeout=ClientTimeout(total=ASK_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        await self._session.close()

    async def ask(self, workers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return how the line is; ``workers`` are those of its run file, each with ``pid`` and ``url``."""
        states = await asyncio.gather(*(self._ask(str(one.get("url"))) for one in workers[:WORKERS]))
        found = list(zip([one.get("pid") for one in workers], states, strict=False))
        partitions = [part for _, state in found if state for part in state.get("partitions", ())]
        lags = [state.get("lag") for _, state in found if state]
        return {
            "workers": len(states),
            "ready": sum(bool(state and state.get("ready")) for state in states),
            "problems": [text for pid, state in found if (text := _problem(pid, state))],
            "lag": sum(lags) if lags and None not in lags else None,
            "accuracy": scores(partitions),
            "drift": drift(partitions),
        }

    async def _ask(self, url: str) -> dict[str, Any] | None:
        try:
            async with self._session.get(f"{url}/v1/state") as response:
                state = orjson.loads(await response.read())
        except (ClientError, OSError, TimeoutError, ValueError):
            return None
        return state if isinstance(state, dict) else None


def _problem(pid: Any, state: Mapping[str, Any] | None) -> str | None:
    if state is None:
        return f"worker {pid} does not answer"
    liveness = state.get("liveness", {})
    if liveness.get("state", "ok") != "ok":
        return f"worker {pid} is {liveness['state']}: {liveness.get('reason', '')}"
    return None if state.get("ready") else f"worker {pid} is taking its partitions over"


def scores(partitions: Iterable[Partition]) -> dict[str, Any] | None:
    """Return accuracy and baselines over all partitions, each by how much it has scored; ``None``: nothing scored."""
    scored = [(int(one["scored"]), one) for one in partitions if one.get("scored")]
    total = sum(number for number, _ in scored)
    if not total:
        return None
    baselines: Counter[str] = Counter()
    for number, one in scored:
        for name, accuracy in one["baselines"].items():
            baselines[name] += accuracy * number / total
    recent = [(min(number, 500), one["rolling_accuracy"]) for number, one in scored]
    return {
        "scored": total,
        "model": sum(number * one["accuracy"] for number, one in scored) / total,
        "recent": sum(number * value for number, value in recent) / sum(number for number, _ in recent),
        "baselines": dict(baselines),
    }


def drift(partitions: Iterable[Partition]) -> dict[str, Any] | None:
    """Return the largest divergence, and the baselines as one mix; ``None`` when no worker tells of either.

    Reads ``models.drift.monitor.DriftMonitor.view`` where a partition's state has it: as ``drift``, by itself or in
    ``andon``.
    """
    largest: dict[str, Any] = {}
    mixed: Counter[str] = Counter()
    for one in partitions:
        told = one.get("drift") or (one.get("andon") or {}).get("drift") or {}
        mix = told.get("overall", {}).get("categories", {})
        for label, share in (mix.get("baseline") or {}).items():
            mixed[label] += share * max(1, int(mix.get("builds") or one.get("failures") or 1))
        divergence = mix.get("divergence", one.get("divergence"))
        if divergence is not None and divergence >= largest.get("divergence", -1.0):
            largest = {"divergence": divergence, "threshold": mix.get("threshold")}
    total = mixed.total()
    baseline = {label: count / total for label, count in mixed.items()} if total else None
    return {"baseline": baseline, **largest} if baseline or largest else None
