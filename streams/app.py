"""The Faust app of a worker: settings, agents, and what happens when partitions come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faust.types import TP

from models.records import CompilerErrors, Feedback, ModelCommand
from models.state import LineState
from streams.agents import intake, programs
from streams.kafka import client_options, faust_credentials
from streams.line import Line
from streams.metrics import Metrics
from streams.programs import Programs, Work
from streams.settings import Settings
from streams.topics import MAX_MESSAGE_BYTES
from streams.transactions import LineApp, PromptTableManager

# A killed worker's partitions move after the session timeout (Faust's default of 60 s was measured as 60-72 s). Three
# heartbeats fit in, and a rebalance waits for the slowest step, which is far below it.
SESSION_TIMEOUT_S, HEARTBEAT_S, REBALANCE_TIMEOUT_S = 6.0, 2.0, 12.0
PRODUCER_BATCH_BYTES = 1 << 20  # a chunk's predictions; Kafka's acknowledgement of one batch is awaited by the next
FAUST_TIMER_S = 1.0  # of Faust's own checks; commits keep their own time


def build(settings: Settings, metrics: Metrics, fresh: Callable[[], LineState]) -> tuple[LineApp, Line]:
    """Return the app with its agents registered (no autodiscovery: a module that fails to import would be silent)."""
    app = _app(settings, settings.app_id, settings.batch_size)
    line = Line(app, settings, metrics, fresh)
    intake.attach(app, line, "classify", CompilerErrors)
    intake.attach(app, line, "feedback", Feedback)
    intake.attach(app, line, "commands", ModelCommand)
    _follow_rebalances(app, line, client_options(settings))
    return app, line


def build_programs(settings: Settings, metrics: Metrics, work: Work) -> tuple[LineApp, Programs]:
    """Return the app of a worker that does ``work`` with programs, one after the other.

    Its group is its own, so that such workers are as many as the programs need. One program is one chunk: a killed
    worker's successor does again what was in hand, and nothing else.
    """
    app = _app(settings, f"{settings.app_id}-transpile", 1)
    found = Programs(app, settings, metrics, work)
    programs.attach(app, found)
    _follow_rebalances(app, found, client_options(settings))
    return app, found


def _app(settings: Settings, group: str, records: int) -> LineApp:
    """Return an app without agents; ``records`` are fetched together at most."""
    return LineApp(
        group,
        broker=[f"kafka://{server}" for server in (settings.broker or "").split(",")],
        broker_credentials=faust_credentials(settings),
        processing_guarantee="exactly_once",
        store="memory://",
        datadir=settings.data_dir / "faust",
        web_enabled=False,
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=1,  # no tables; but 0 would trade Faust's co-partitioning assignor for a round robin
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=MAX_MESSAGE_BYTES,
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_rebalance_timeout=REBALANCE_TIMEOUT_S,
        broker_commit_interval=FAUST_TIMER_S,
        broker_max_poll_records=records,
        commit_interval_s=settings.commit_interval_s,
        producer_linger=0.0,  # batches are put together before
        producer_max_batch_size=PRODUCER_BATCH_BYTES,
        producer_max_request_size=MAX_MESSAGE_BYTES,
        stream_wait_empty=False,
        TableManager=PromptTableManager,
    )


def _follow_rebalances(app: LineApp, line: Line | Programs, options: dict[str, Any]) -> None:
    @app.on_partitions_revoked.connect(weak=False)
    async def revoked(app: LineApp, revoked: set[TP], **_: Any) -> None:  # noqa: ARG001 - the signal's arguments
        await line.release()

    @app.on_partitions_assigned.connect(weak=False)
    async def assigned(app: LineApp, assigned: set[TP], **_: Any) -> None:  # noqa: ARG001
        line.begin_take_over(assigned, options)
