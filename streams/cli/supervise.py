"""Running a line from the terminal: the frame around ``Supervisor`` that people see."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.control import Control
from rich.segment import ControlType

from streams.cli.console import UserError, err, out, safe
from streams.settings import Settings
from streams.supervisor import LineError, Supervisor

WATCH_S = 0.5
STDIN = 0
COUNTED = "Downloading"


def run_line(settings: Settings, workers: int, brokers: int = 1, roles: Sequence[str] = ()) -> None:
    """Start the line, print where it is, keep it up until Ctrl-C or SIGTERM."""
    supervisor = Supervisor(settings, workers, progress, brokers=brokers, roles=roles)
    with line_errors(), interruptible(), supervisor as line, stop_signals() as stopping:
        out.print(f"[green]the line is up[/green]  broker kafka://{line.settings.broker}  web {line.web_url}")
        out.print(f"logs in {settings.data_dir / 'logs'}; Ctrl-C stops everything", soft_wrap=True)
        while not stopping.wait(WATCH_S):
            line.watch()
        progress("Stopping")
        line.stop()
    out.print("stopped")


@contextmanager
def line_errors() -> Iterator[None]:
    """Turn a line that does not come up or stay up into a ``UserError``."""
    try:
        yield
    except LineError as error:
        raise UserError(safe(error)) from None


def progress(text: str) -> None:
    """Show one step of a longer work; on a terminal the counts of a download replace each other."""
    counting = err.is_terminal and text.startswith(COUNTED)
    if err.is_terminal:
        err.control(Control((ControlType.ERASE_IN_LINE, 2)))  # what is left of a longer count
    err.print(f"[dim]{safe(text)}[/dim]", end="\r" if counting else "\n")


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM interrupt the work like Ctrl-C does, so that what was started is stopped on the way out."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGINT and SIGTERM set; a second one does not disturb the stopping."""
    stopping = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop_with_parent() -> None:
    """Ask this process to stop when its standard input ends: the supervisor is gone, even if it was killed."""

    def wait() -> None:
        while os.read(STDIN, 4096):  # not sys.stdin: its lock would be held while the interpreter shuts down
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
