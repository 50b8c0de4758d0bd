"""``status``, ``doctor`` and ``topics``: how the line is."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import (
    AsJson,
    DataDir,
    as_user_error,
    find_line,
    load_settings,
    out,
    print_json,
    run_async,
    safe,
)
from streams.cli.status_view import show_status

if TYPE_CHECKING:
    from streams.runfile import RunFile
    from streams.settings import Settings
    from streams.topic_admin import TopicState

FAILED = 1


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(status)
    app.command()(doctor)
    app.command()(topics)


def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show the line that is up: workers, lag, scores, what was learned. Exit status 1: a worker does not answer."""
    settings, running = find_line(load_settings(data_dir=data_dir))
    found = run_async(_status(settings, running))
    if as_json:
        print_json(found)
    else:
        show_status(found)
    if not all(worker["ready"] for worker in found["workers"]):
        raise typer.Exit(FAILED)


async def _status(settings: Settings, running: RunFile | None) -> dict[str, Any]:
    from streams.kafka import silent_addresses
    from streams.topic_admin import describe_topics

    states = await describe_topics(settings.broker or "", settings)
    workers = [_ask(worker) for worker in running.workers] if running else []
    partitions = [partition for worker in workers for partition in worker["state"]]
    return {
        "broker": settings.broker,
        "silent_brokers": silent_addresses(settings.broker or ""),
        "web": running.web if running else None,
        "workers": [_brief(worker) for worker in workers],
        "lag": _lag(states, partitions, await _committed(settings)),
        # Counted by the workers, with their state: nothing is known of what a silent one holds.
        "predictions": _total(workers, "failures", "repeats"),
        "dead_letters": _total(workers, "dead_letters"),
        "unmatched_feedback": _total(workers, "unmatched_feedback"),
        "expired_feedback": _total(workers, "expired_feedback"),
        "models": partitions,
    }


def _total(workers: list[dict[str, Any]], *names: str) -> int | None:
    if not workers or not all(worker["ready"] for worker in workers):
        return None
    return sum(int(one[name]) for worker in workers for one in worker["state"] for name in names)


def _brief(worker: dict[str, Any]) -> dict[str, Any]:
    held = [one["partition"] for one in worker["state"]]
    brief = {name: worker[name] for name in ("pid", "url", "ready", "problem")}
    return brief | {"partitions": held}


def _ask(worker: dict[str, Any]) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{worker['url']}/v1/state", timeout=5) as response:  # noqa: S310 - our own worker
            body = json.load(response)
    except (OSError, ValueError):
        return {"pid": worker["pid"], "url": worker["url"], "ready": False, "problem": "does not answer", "state": []}
    liveness = body["liveness"]
    problem = "" if liveness["state"] == "ok" else f"{liveness['state']}: {liveness['reason']}"
    found = {"ready": body["ready"], "problem": problem, "state": body["partitions"]}
    return {"pid": worker["pid"], "url": worker["url"]} | found


async def _committed(settings: Settings) -> Mapping[tuple[str, int], int]:
    """Return what the group has committed, for the partitions that nobody holds; nothing before the first group."""
    from aiokafka.errors import GroupCoordinatorNotAvailableError

    from streams.kafka import client_options
    from streams.restore import committed_offsets

    try:
        return await committed_offsets(settings.broker or "", client_options(settings), settings.app_id)
    except GroupCoordinatorNotAvailableError:
        return {}


def _lag(states: list[TopicState], partitions: list[dict[str, Any]], committed: Mapping[tuple[str, int], int]) -> int:
    """Return how many source records no worker has taken in.

    A partition that nobody holds counts from what was committed, one without a commit from its first record.
    """
    from streams.restore import SOURCES

    held = {(topic, one["partition"]): offset for one in partitions for topic, offset in one["offsets"].items()}
    known = dict(committed) | held
    return sum(
        max(0, end - max(known.get((state.name, number), 0), state.earliest.get(number, 0)))
        for state in states
        if state.name in SOURCES
        for number, end in state.latest.items()
    )


def doctor(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Check what the line needs on this machine; says what to do about each thing that is missing."""
    from streams.doctor import checks

    marks = {"ok": "[green]ok  [/green]", "warn": "[yellow]warn[/yellow]", "fail": "[red]FAIL[/red]"}
    found = []
    for check in checks(load_settings(data_dir=data_dir)):
        found.append(check)
        if not as_json:
            advice = f"\n       → {safe(check.fix)}" if check.fix else ""
            out.print(f"{marks[check.status]}  {safe(check.name)}: {safe(check.detail)}{advice}", soft_wrap=True)
    if as_json:
        print_json([{"name": c.name, "status": c.status, "detail": c.detail, "fix": c.fix} for c in found])
    if any(check.status == "fail" for check in found):
        raise typer.Exit(FAILED)


def topics(
    action: Annotated[str, typer.Argument(help="list, or create what is missing.")] = "list",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the topics of the line with their partitions and offsets, or create those that are missing."""
    from streams.cli.console import UserError
    from streams.topic_admin import TopicError, describe_topics, ensure_topics

    if action not in ("list", "create"):
        raise UserError(f"no action {safe(action)}; there are list and create")
    settings, _ = find_line(load_settings(data_dir=data_dir))
    with as_user_error(TopicError):
        work = describe_topics if action == "list" else ensure_topics
        states = run_async(work(settings.broker or "", settings))
    if as_json:
        print_json([{"name": s.name, "partitions": s.partitions, "latest": s.latest} for s in states])
        return
    for state in states:
        out.print(f"{state.name:32} {state.partitions} partitions  {state.records} offsets in use")
