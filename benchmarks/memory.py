"""Memory of a worker over millions of diagnostics: ``make bench-memory``; ``--diagnostics 200000`` for a short check.

Builds, ids and the names in them are new all the time, so that no cache can hide growth. What is sent waits for the
answers: at most ``--ahead`` builds lie before the worker, and what it has answered is deleted from the topics, so that
the disk does not fill. Growth is that of the median resident size from the fifth of the run after the warm-up (a fifth
too) to the last fifth.
"""

from __future__ import annotations

import argparse
import time
from collections import deque
from pathlib import Path
from subprocess import Popen
from typing import Any

import psutil

from benchmarks import figures, inputs, stage, wire
from models.records import CompilerErrors, Prediction
from streams.settings import Settings
from streams.topics import topic_name

TARGET = 0.05
SAMPLE_S, DELETE_S, TELL_S, PATIENCE_S = 1.0, 20.0, 15.0, 60.0
AT_ONCE, POLL_S = 200, 0.02  # builds pushed between two looks at the answers
SOURCE, SINK = topic_name(CompilerErrors), topic_name(Prediction)


class Feed:
    """Pushes builds to a line of one partition while few enough lie before the worker; counts what it has answered."""

    def __init__(self, settings: Settings, documents: list[inputs.Document], ahead: int) -> None:
        self._bootstrap, self._ahead = settings.broker or "", ahead
        self._producer = wire.producer(self._bootstrap, **{"enable.idempotence": True, "linger.ms": 20})
        self._reader = wire.reader(self._bootstrap, SINK, 1)
        self._builds = inputs.passes(documents)
        self._waiting: deque[int] = deque()  # diagnostics of each build that is not answered
        self.builds, self.diagnostics = 0, 0  # answered
        self._read = 0  # offset

    def turn(self) -> bool:
        """Push what there is room for, take in what was answered; return whether anything was."""
        for _ in range(min(AT_ONCE, self._ahead - len(self._waiting))):
            build = next(self._builds)
            wire.send(self._producer, SOURCE, inputs.line(build), build["project"].encode())
            self._waiting.append(len(build["diagnostics"]))
        self._producer.poll(0)
        messages = self._reader.consume(wire.MESSAGES, POLL_S)
        for message in messages:
            if not message.error():
                self.builds, self.diagnostics = self.builds + 1, self.diagnostics + self._waiting.popleft()
                self._read = message.offset() + 1
        return bool(messages)

    def delete_answered(self) -> None:
        """Delete the answers that have been read and the builds that they answer: their offsets are committed."""
        wire.delete_records(self._bootstrap, {(SINK, 0): self._read, (SOURCE, 0): self.builds})

    def close(self) -> None:
        """Disconnect."""
        self._producer.flush(wire.LIMIT_S)
        self._reader.close()


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the figures."""
    documents = inputs.corpus(arguments.corpus)
    machine, begun = figures.machine(), time.monotonic()
    with stage.broker(1) as settings, stage.worker(settings) as process:
        log = stage.log_of(settings, "worker-1")
        feed = Feed(settings, documents, arguments.ahead)
        try:
            samples = sample(feed, process, log, arguments.diagnostics)
        finally:
            feed.close()
    seconds = time.monotonic() - begun
    series = samples[:: max(1, len(samples) // 20)]
    return {
        "machine": machine,
        "diagnostics": samples[-1][0],
        "seconds": round(seconds, 1),
        **figures.growth(samples, samples[-1][0]),
        "series": series,
    }


def sample(feed: Feed, process: Popen[bytes], log: Path, diagnostics: int) -> list[figures.Size]:
    """Feed the worker and note its resident size, until it has answered so many diagnostics."""
    samples: list[figures.Size] = []
    looked_at = psutil.Process(process.pid)
    begun = answered = sampled = deleted = told = time.monotonic()
    while feed.diagnostics < diagnostics:
        now = time.monotonic()
        if feed.turn():
            answered = now
        stage.check_alive(process, log)
        if now > answered + PATIENCE_S:
            raise stage.BenchmarkError(f"no answer for {PATIENCE_S:.0f} s after {feed.builds} builds")
        if feed.builds and now > sampled + SAMPLE_S:
            samples.append(figures.Size(feed.diagnostics, looked_at.memory_info().rss))
            sampled = now
        if now > deleted + DELETE_S:
            feed.delete_answered()
            deleted = now
        if samples and now > told + TELL_S:
            rate = feed.diagnostics / (now - begun)
            stage.tell(f"{feed.diagnostics:,} diagnostics, {samples[-1][1] / 1e6:.1f} MB, {rate:,.0f} diagnostics/s")
            told = now
    return samples


def report(found: dict[str, Any]) -> str:
    """Return the figures as text."""
    verdict = "reached" if found["growth"] < TARGET else "MISSED"
    rows = [(f"{count:,}", f"{size / 1e6:.1f}") for count, size in found["series"]]
    return "\n".join(
        [
            figures.describe(found["machine"], 1),
            figures.table(("diagnostics", "MB resident"), rows),
            f"{found['after_warm_up'] / 1e6:.1f} MB after the warm-up, {found['at_end'] / 1e6:.1f} MB at the end of "
            f"{found['diagnostics']:,} diagnostics: {found['growth']:+.1%}, target < {TARGET:.0%}: {verdict}",
        ]
    )


def main() -> None:
    """Read the command line, run, print."""
    parser = stage.parser("memory", __doc__)
    parser.add_argument("--diagnostics", type=int, default=5_000_000)
    parser.add_argument("--ahead", type=int, default=5_000, help="builds that may wait for the worker")
    stage.main(parser.parse_args(), run, report)


if __name__ == "__main__":
    main()
