"""What a tool's gate has to tell the line: an event for the andon, where a line is up to hear it."""

from __future__ import annotations

from typing import Any

from streams.cli.console import UserError, err, find_line, load_settings, run_async


def tell_andon(kind: str, message: str, statistic: float, threshold: float) -> bool:
    """Put an event of the condition ``kind`` on the andon's topic; return whether a line was there to be told.

    Without a line nothing is missing: the command says it, and its exit status.
    """
    from datetime import UTC, datetime

    from models.andon.conditions import CONDITIONS
    from models.records import AndonEvent, content_id
    from streams.kafka import client_options

    condition, now = CONDITIONS[kind], datetime.now(UTC)
    try:
        settings, _ = find_line(load_settings())
    except UserError:
        return False
    event = AndonEvent(
        id=content_id(kind, message, now.isoformat()),
        time=now,
        project="jidoka",
        kind=kind,
        severity=condition.severity,
        message=message,
        statistic=statistic,
        threshold=threshold,
        recommendation=condition.recommendation,
        runbook=condition.runbook,
    )
    run_async(_send(event, settings.broker or "", client_options(settings)))
    err.print(f"told the andon: {kind}; `jidoka andon list` shows it", soft_wrap=True)
    return True


async def _send(event: Any, broker: str, options: dict[str, Any]) -> None:
    from producers.sender import Sender, SenderError
    from streams.cli.console import as_user_error

    with as_user_error(SenderError):
        async with Sender(broker, options, "/jidoka/gate") as sender:
            await sender.send(event)
