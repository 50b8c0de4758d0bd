"""The scheduler's process: whoever holds the partition of ``andon-events`` runs the batch job, nobody else.

The group's assignment is the lease: one partition, one holder. What is planned is kept as metadata of the group's
offset, so that it moves with the lease. A job that fails is an event of the andon; the process goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry, Counter, Gauge

from models.archive.files import chain_of, partition_folder, partitions
from models.archive.tables import FAILURES
from models.cloudevents import headers
from models.records import AndonEvent, RecordError, parse
from streams.kafka import client_options
from streams.schedule.job import Command, Job, JobError, batch_commands
from streams.schedule.plan import Plan, load
from streams.schedule.told import event_of_failure, event_of_success
from streams.settings import Settings
from streams.topics import MAX_MESSAGE_BYTES, topic_name

log = logging.getLogger(__name__)

POLL_MS = 500
SESSION_TIMEOUT_MS = 15_000
PLACE = TopicPartition(topic_name(AndonEvent), 0)  # it has one partition
LOST = "the process that ran it ended before the job did"

Commands = Callable[[Settings, datetime], list[Command]]


class Trainer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Runs the batch job when it is due; a ``sidecar.Service``."""

    def __init__(self, settings: Settings, commands: Commands = batch_commands) -> None:
        self.settings, self._commands = settings, commands
        self.registry = CollectorRegistry()
        self._runs = Counter("jidoka_batch_runs", "Runs of the batch job", ("outcome",), registry=self.registry)
        self._running = Gauge("jidoka_batch_running", "Whether the batch job runs here", registry=self.registry)
        self._plan: Plan | None = None  # while the lease is ours
        self._known: Plan | None = None  # as it is kept
        self._task: asyncio.Task[None] | None = None
        self._joined = False

    @property
    def ready(self) -> bool:
        """Return whether it is in the group, holding the lease or waiting for it."""
        return self._joined

    async def work(self, stopping: asyncio.Event) -> None:
        """Follow the andon and the schedule until told to stop; a job that runs then is given up, and wanted again."""
        options = client_options(self.settings)
        self._producer = AIOKafkaProducer(bootstrap_servers=self.settings.broker, acks="all", **options)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.broker,
            group_id=self.group,
            isolation_level="read_committed",
            auto_offset_reset="latest",  # drift of before the first start is no reason to train
            enable_auto_commit=False,
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 3,
            **options,
        )
        self._consumer.subscribe([PLACE.topic], listener=self)
        async with self._producer, self._consumer:
            while not stopping.is_set():
                found = await self._consumer.getmany(timeout_ms=POLL_MS)
                if self._plan is not None:
                    self._hear(message.value for message in found.get(PLACE, []))
                    await self._tend(datetime.now(UTC), moved=bool(found))
            await self._let_go()

    @property
    def group(self) -> str:
        """Return the consumer group whose one partition is the lease."""
        return f"{self.settings.app_id}-train"

    def _hear(self, values: Iterable[bytes | None]) -> None:
        for value in values:
            try:
                event = parse(AndonEvent, value)
            except RecordError:
                continue
            self._plan = self._plan.asked(event) if self._plan else None

    async def _tend(self, now: datetime, *, moved: bool) -> None:
        """Take in the end of a job, and begin one that is due."""
        if self._plan and self._plan.running and (self._task is None or self._task.done()):
            await self._conclude(now)
        if self._plan and (why := self._plan.due(self.settings.train_schedule, now)) is not None:
            await self._begin(why, now)
        if moved or self._plan != self._known:
            await self._keep()

    async def _begin(self, why: str, now: datetime) -> None:
        if self._plan is None:
            return
        if not _archived(self.settings):
            log.info("not trained (%s): the archive is empty", why)
            self._plan = self._plan.started(why, now).ended(failed=self._plan.failed)
            return
        job = Job(self.settings, self._commands(self.settings, now))
        if not job.acquire():
            return  # of a scheduler that was killed, a step still runs; it ends by itself
        self._plan = self._plan.started(why, now)
        await self._keep()  # first: a job that takes the process with it is not begun again and again
        log.info("the batch job begins: %s", why)
        self._running.set(1)
        self._task = asyncio.create_task(job.run())

    async def _conclude(self, now: datetime) -> None:
        """Tell how the job ended: a failure to the andon, and the first success after one."""
        if self._plan is None or self._plan.running is None:
            return
        why, error = self._plan.running, LOST
        if self._task is not None:
            problem = None if self._task.cancelled() else self._task.exception()
            error = "" if problem is None else str(problem)
            if problem is not None and not isinstance(problem, JobError | OSError):
                log.error("the batch job broke", exc_info=problem)
        self._task = None
        self._running.set(0)
        self._runs.labels("failed" if error else "done").inc()
        if error:
            log.error("the batch job failed (%s): %s", why, error)
            await self._tell(event_of_failure(why, error, now))
        elif self._plan.failed:
            await self._tell(event_of_success(now))
        self._plan = self._plan.ended(failed=bool(error))

    async def _tell(self, event: AndonEvent) -> None:
        try:
            await self._producer.send_and_wait(
                PLACE.topic, event.to_bytes(), key=b"jidoka", partition=0, headers=headers(event, "/jidoka/batch")
            )
        except KafkaError as error:
            log.error("the andon was not told: %r", error)  # noqa: TRY400

    async def _keep(self) -> None:
        """Keep the plan with the group's offset."""
        if self._plan is None or PLACE not in self._consumer.assignment():
            return
        try:
            position = await self._consumer.position(PLACE)
            await self._consumer.commit({PLACE: (position, self._plan.dump())})
            self._known = self._plan
        except KafkaError as error:  # a rebalance is under way: the next holder decides by what was kept before
            log.warning("the plan was not kept: %r", error)

    async def _let_go(self) -> None:
        """Give up a job that runs, and say that it is wanted."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
            self._running.set(0)
            if self._plan is not None:
                self._plan = self._plan.given_up()
                await self._keep()
        self._plan = None

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Give up the job: the lease goes to another."""
        if PLACE in set(revoked):
            await self._let_go()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take the plan over with the lease."""
        self._joined = True
        if PLACE in set(assigned):
            self._plan = load(await self._kept(), datetime.now(UTC))
            log.info("this process schedules the batch job (%s): %s", self.settings.train_schedule, self._plan)

    async def _kept(self) -> str | None:
        admin: Any = AIOKafkaAdminClient(bootstrap_servers=self.settings.broker, **client_options(self.settings))
        await admin.start()
        try:
            found = (await admin.list_consumer_group_offsets(self.group)).get(PLACE)
        finally:
            await admin.close()
        return None if found is None else found.metadata


def _archived(settings: Settings) -> bool:
    """Return whether any failure is in the archive."""
    folders = (partition_folder(settings.archive, FAILURES, one) for one in partitions(settings.archive, FAILURES))
    return any(chain_of(folder).links for folder in folders)
