"""One chunk's way through the step: from bytes to what goes out, and what it came to for the metrics."""

from __future__ import annotations

import time
from collections import Counter

from aiokafka import ConsumerRecord

from models.cloudevents import attributes, event_type, headers
from models.records import CompilerErrors, Feedback, ModelCommand, Prediction, Record, RecordError, parse
from models.step import answer
from streams.andon import refuse, told
from streams.checkpoints import Partition
from streams.commands import CommandError, Shelf, obey
from streams.dead_letters import dead_letter, letter_key
from streams.delivery import Outgoing
from streams.metrics import Metrics
from streams.restore import Source, arrival
from streams.score_metrics import Calibration
from streams.tracing import Step, stepping

SOURCE_URI = "/jidoka/worker"
PREDICTIONS = event_type(Prediction)


class Batch:
    """Takes the messages of one chunk in, in their order.

    ``outgoing`` is what has to be sent, ``arrivals`` when each answered failure came in (UNIX seconds), with the id of
    its trace if somebody keeps that. ``shelf`` holds what the commands in it speak of.
    """

    def __init__(self, partition: Partition, kind: type[Source], shelf: Shelf | None = None) -> None:
        self.partition, self.kind, self.shelf = partition, kind, shelf or Shelf()
        self.outgoing: list[Outgoing] = []
        self.arrivals: list[tuple[float, str | None]] = []
        self._seconds: list[float] = []  # of each step
        self._decided: Counter[tuple[str, str]] = Counter()  # category, source
        self._projects: Counter[str] = Counter()  # of failures
        self._calibration = Calibration()
        self._told: Counter[tuple[str, str]] = Counter()  # andon events: kind, severity
        state = partition.state
        self._before = (state.repeats, state.unmatched_feedback, state.dead_letters, state.expired_feedback)

    def take(self, message: ConsumerRecord[bytes, bytes]) -> None:
        """Take one message in; one that cannot be read, or asks for what cannot be done, becomes a dead letter."""
        try:
            record = parse(self.kind, message.value)
            if isinstance(record, ModelCommand):
                obey(self.partition, record, self.shelf)
        except (RecordError, CommandError) as error:
            arrived = arrival(message.timestamp / 1000)
            refuse(self.partition, message.topic, message.offset, arrived)
            letter = dead_letter(message, str(error), arrived)
            self.outgoing.append(outgoing(letter, letter_key(message)))
        else:
            if not isinstance(record, ModelCommand):
                with stepping(message) as step:
                    self._answer(record, message.timestamp / 1000, step)
        self._told.update((one.kind, one.severity) for one in self.partition.state.watch.events)
        self.outgoing += told(self.partition)
        self.partition.advance(message.topic, message.offset)

    def _answer(self, record: CompilerErrors | Feedback, arrived: float, traced: Step) -> None:
        key, started = record.project.encode(), time.perf_counter()
        for one in answer(self.partition.state, record, arrival(arrived), self._calibration.watch):
            event = [*attributes(one.id, PREDICTIONS, SOURCE_URI, one.time), *traced.headers]
            self.outgoing.append(Outgoing(PREDICTIONS, key, one.value, event))
            self._decided.update(one.decided)
            self.arrivals.append((arrived, traced.exemplar))
            self._projects[record.project] += 1
        self._seconds.append(time.perf_counter() - started)

    def count(self, metrics: Metrics) -> None:
        """Put what the chunk came to on the metrics, all at once: a labelled counter costs as much as a small step."""
        state, steps = self.partition.state, len(self._seconds)
        before = self._before
        repeats, unmatched = state.repeats - before[0], state.unmatched_feedback - before[1]
        if refused := state.dead_letters - before[2]:
            metrics.dead_letters.labels(topic=self.kind.topic).inc(refused)
        if self.kind is CompilerErrors:
            metrics.failures.labels(repeat="false").inc(steps - repeats)
            metrics.failures.labels(repeat="true").inc(repeats)
        elif self.kind is Feedback:
            expired = state.expired_feedback - before[3]
            metrics.feedback.labels("learned").inc(steps - unmatched - expired)
            metrics.feedback.labels("unknown").inc(unmatched)
            metrics.feedback.labels("expired").inc(expired)
        for (category, source), count in self._decided.items():
            metrics.classifications.labels(category=category, source=source).inc(count)
        metrics.projects.count(self._projects)
        self._calibration.count(metrics.by_category)
        metrics.andon.count(self._told)
        for seconds in self._seconds:
            metrics.step.observe(seconds)


def outgoing(record: Record, key: bytes) -> Outgoing:
    """Return a record as the message that carries it."""
    return Outgoing(event_type(type(record)), key, record.to_bytes(), headers(record, SOURCE_URI))
