"""What benchmarks share: command line and errors, a broker in a folder that goes away, processes that end with us."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.records import ModelCheckpoint, Prediction
from streams.broker import BrokerError, EmbeddedBroker, ports
from streams.settings import Settings
from streams.supervisor import LineError, Supervisor, child_environment, last_lines
from streams.topic_admin import delete_topics, ensure_topics
from streams.topics import TOPICS

INTERRUPTED, USAGE = 130, 2
STOP_S = 10.0


class BenchmarkError(RuntimeError):
    """The benchmark cannot go on; the text says why and what to do."""


def tell(text: str) -> None:
    """Print progress where it does not mix with results."""
    print(text, file=sys.stderr, flush=True)


def parser(name: str, text: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that all benchmarks have; ``text`` is a module's docstring."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=(text or "").split("\n", 1)[0])
    made.add_argument(
        "--corpus",
        nargs="*",
        type=Path,
        default=[],
        metavar="FILE",
        help="recorded failures; default: the bundled ones",
    )
    made.add_argument("--output", type=Path, metavar="FILE", help="write the figures to it too, as JSON")
    made.add_argument("--json", action="store_true", help="print the figures as JSON instead of text")
    return made


def main(
    arguments: argparse.Namespace,
    run: Callable[[argparse.Namespace], dict[str, Any]],
    report: Callable[[dict[str, Any]], str],
) -> None:
    """Run a benchmark and tell its figures.

    Ctrl-C and SIGTERM interrupt it: everything is stopped, exit status 130. What a person can mend is told in one
    line, exit status 2.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        figures = run(arguments)
        if arguments.output:
            arguments.output.parent.mkdir(parents=True, exist_ok=True)
            arguments.output.write_text(json.dumps(figures, indent=1) + "\n")
        print(json.dumps(figures) if arguments.json else report(figures))
    except KeyboardInterrupt:
        tell("interrupted; everything is stopped")
        sys.exit(INTERRUPTED)
    except (BenchmarkError, BrokerError, LineError, ValueError, OSError) as error:
        tell(f"{Path(sys.argv[0]).stem}: {error}")
        sys.exit(USAGE)


@contextmanager
def broker(partitions: int, **settings: Any) -> Iterator[Settings]:
    """Start a broker with the line's topics in a folder of its own; yield the settings that reach it."""
    with tempfile.TemporaryDirectory(prefix="jidoka-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with EmbeddedBroker(folder / "broker", port=ports.any_free()) as one:
            given: dict[str, Any] = {"app_id": "bench", "warm_start": False, "http_port": 0} | settings
            made = Settings(broker=one.bootstrap, data_dir=folder / "line", partitions=partitions, **given)
            asyncio.run(ensure_topics(one.bootstrap, made))
            tell(f"broker {one.bootstrap}, {partitions} partitions, files in {folder}")
            yield made


def fresh_topics(settings: Settings) -> None:
    """Empty the topics that a worker writes; the input stays."""
    written = [topic for topic in TOPICS if topic.record in (Prediction, ModelCheckpoint)]
    asyncio.run(delete_topics(settings.broker or "", settings, written))
    asyncio.run(ensure_topics(settings.broker or "", settings))


@contextmanager
def contender(settings: Settings, name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``benchmarks.contenders.<name>`` as a process, with its options as arguments, until the context is left."""
    log = log_of(settings, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", f"benchmarks.contenders.{name}", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=child_environment(settings),
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()


def log_of(settings: Settings, name: str) -> Path:
    """Return the file with what a contender printed."""
    return settings.data_dir / "logs" / f"{name}.log"


@contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Run one worker as ``jidoka up`` does, until the context is left; yields its process once it is ready."""
    with Supervisor(settings, 1, lambda _text: None, web=False) as line:
        process = line.children[0].process
        if process is None:
            raise BenchmarkError("the worker did not start")
        yield process


def check_alive(process: subprocess.Popen[bytes], log: Path) -> None:
    """Raise ``BenchmarkError`` with the end of its log when a process has ended by itself."""
    if process.poll() is not None:
        raise BenchmarkError(f"it ended with status {process.returncode}: {last_lines(log)}")
