"""The watch over a worker: a thread that looks at it, asks the broker, and ends the process when it is stalled.

A thread, because a blocked event loop cannot watch itself. Code that blocks the interpreter as a whole (a C function
that keeps the GIL) stops this thread too; then ``faulthandler``'s own timer, which needs no interpreter, writes every
thread's stack to the log and ends the process with status 1.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from aiokafka.errors import KafkaError
from mode import Service

from streams.held import Held
from streams.liveness import Place, Seen, StallDetector, Verdict
from streams.offsets import BrokerOffsets, Offsets

log = logging.getLogger(__name__)

STALLED = 75  # exit status (EX_TEMPFAIL): start this worker again
PERIOD, ASK, INTERPRETER = 1 / 10, 1 / 6, 1.5  # of the limit: between looks, for an answer, until faulthandler
THREAD = "watch"
EVERY_S, KINDS = 30.0, 1000
LAST_WORDS_S = 2.0  # a log that blocks is one of the things that may have stopped the worker


class Watch(Service):
    """Looks at ``line`` all the time; ``verdict`` and ``offsets`` are what it saw last."""

    def __init__(self, line: Held, options: Mapping[str, Any], end: Callable[[Verdict], None] | None = None) -> None:
        super().__init__()
        self.line, self.limit_s = line, line.settings.stall_limit_s
        self.verdict = Verdict()
        self.offsets: dict[Place, Offsets] = {}
        self._end = end or end_process
        self._broker = BrokerOffsets(line.settings.broker or "", options, line.app.conf.id)
        self._detector = StallDetector(self.limit_s)
        self._beats, self._beaten = 0, True
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
        self._main: asyncio.AbstractEventLoop | None = None
        self._away_since: float | None = None
        self._told = False  # of its being away

    @property
    def broker_answers(self) -> bool:
        """Return whether the broker answered the last question."""
        return self._away_since is None

    async def on_start(self) -> None:
        """Begin to watch."""
        self._main = asyncio.get_running_loop()
        for handler in logging.getLogger().handlers:
            handler.addFilter(ClientNoise())
        self._thread.start()

    async def on_stop(self) -> None:
        """Stop watching."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join, self.limit_s * ASK)

    def positions(self) -> dict[Place, int]:
        """Return the next offset to take in, of each source partition held, where it is known.

        Without a checkpoint and a commit that is the first there is.
        """
        found = {}
        for number, partition in list(self.line.partitions.items()):
            own = dict(partition.offsets)  # in one go: the main thread writes it
            for topic in self.line.sources:
                known = self.offsets.get((topic, number))
                at = own.get(topic, known.start if known else None)
                if at is not None:
                    found[topic, number] = at
        return found

    def lags(self) -> dict[Place, int]:
        """Return how many records of each source partition wait, where it is known."""
        offsets = self.offsets
        return {
            place: max(0, offsets[place].end - offsets[place].clamp(at))
            for place, at in self.positions().items()
            if place in offsets
        }

    def _run(self) -> None:
        try:
            asyncio.run(self._watch())
        except Exception:
            log.exception("the watch over this worker ended; nothing tells any more when it is stalled")

    async def _watch(self) -> None:
        while not self._stop.is_set():
            faulthandler.dump_traceback_later(self.limit_s * INTERPRETER, exit=True)
            problem = await self._ask()
            self._tell(problem)
            self._beat()
            self._judge(self._look(answers=problem is None))
            await asyncio.to_thread(self._stop.wait, self.limit_s * PERIOD)
        faulthandler.cancel_dump_traceback_later()
        await self._broker.close()

    async def _ask(self) -> str | None:
        """Bring ``offsets`` up to date; returns why that was not possible."""
        places = [(topic, number) for number in list(self.line.partitions) for topic in self.line.sources]
        limit = self.limit_s * ASK
        try:
            async with asyncio.timeout(limit):
                self.offsets = await self._broker.read(places, self.positions())
        except TimeoutError:
            names = self._broker.brokers()
            problem = f"no answer within {limit:.1f} s" + (f"; it names itself {', '.join(names)}" if names else "")
        except (KafkaError, OSError) as error:
            problem = str(error) or type(error).__name__
        else:
            return None
        await self._broker.close()  # the next question starts from the bootstrap addresses again
        return problem

    def _tell(self, problem: str | None) -> None:
        """Log when the broker goes (a single question may go wrong: there is a second one) and when it comes back."""
        now = time.monotonic()
        if problem is None:
            if self._told:
                log.warning("the broker answers again, after %.0f s", now - (self._away_since or now))
            self._away_since, self._told = None, False
        elif self._away_since is None:
            self._away_since = now
        elif not self._told:
            log.warning("the broker %s does not answer: %s; waiting for it", self.line.settings.broker, problem)
            self._told = True

    def _beat(self) -> None:
        """Ask the event loop for a sign of life, unless the last one is still to come."""
        if self._beaten and self._main is not None:
            self._beaten = False
            with suppress(RuntimeError):  # it is closed: the process ends
                self._main.call_soon_threadsafe(self._on_beat)

    def _on_beat(self) -> None:
        self._beats, self._beaten = self._beats + 1, True

    def _look(self, *, answers: bool) -> Seen:
        app, offsets = self.line.app, self.offsets
        return Seen(
            broker_answers=answers,
            ready=self.line.restored.is_set(),
            stopping=app.should_stop,
            poisoned=app.gate.poisoned,
            beats=self._beats,
            signs=self.line.signs,
            positions={place: offsets[place].clamp(at) for place, at in self.positions().items() if place in offsets},
            ends={place: one.end for place, one in offsets.items()},
            committed={place: one.committed for place, one in offsets.items()},
        )

    def _judge(self, seen: Seen) -> None:
        before, self.verdict = self.verdict, self._detector.update(time.monotonic(), seen)
        if self.verdict.state == "stalling" != before.state:
            log.warning("this worker may be stalled: %s", self.verdict.reason)
        if self.verdict.state == "stalled" and not self._stop.is_set():
            self._end(self.verdict)


def end_process(verdict: Verdict) -> None:
    """Say why, with the stack of every thread, and end the process: what is not committed is read again."""
    words = threading.Thread(target=_last_words, args=(verdict,), daemon=True)
    words.start()
    words.join(LAST_WORDS_S)
    os._exit(STALLED)


def _last_words(verdict: Verdict) -> None:
    log.critical("this worker is stalled: %s; it ends with status %d to be started again", verdict.reason, STALLED)
    faulthandler.dump_traceback(sys.stderr)
    logging.shutdown()


class ClientNoise(logging.Filter):
    """Lets Kafka's clients say a thing once in ``EVERY_S``, and the watch's own ones nothing, for ``_tell`` does.

    While a broker is away they write 70 lines a second (measured), which fills a disk when it is away for a night.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to keep the record."""
        if not record.name.startswith("aiokafka"):
            return True
        if record.threadName == THREAD:
            return False
        what, now = (record.name, str(record.msg)), time.monotonic()
        if now - self._said.get(what, -EVERY_S) < EVERY_S:
            return False
        if len(self._said) > KINDS:
            self._said.clear()
        self._said[what] = now
        return True
