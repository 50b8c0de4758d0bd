"""``jidoka worker`` on a bad day, as a program: files in its data folder say what goes wrong.

``hang``: how the next chunk never ends, once; ``clock``: seconds by which the wall clock is off; ``no-dns``: nothing
resolves.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from streams.cli import main
from streams.line import Line


def use_faulty_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever starts ``python -m streams.cli`` start this program instead, with the same arguments."""
    start = subprocess.Popen

    def popen(arguments: list[str], **options: Any) -> Any:
        ours = arguments[1:3] == ["-m", "streams.cli"]
        return start([sys.executable, __file__, *arguments[3:]] if ours else arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", popen)


def break_everything(folder: Path) -> None:
    """Replace the step, the clock and the resolver by ones that look into ``folder`` first."""
    step_through, now, resolve = Line._step_through, time.time, socket.getaddrinfo

    async def hang(self: Line, chunk: Any, kind: Any) -> Any:
        file = folder / "hang"
        if file.exists():
            how = file.read_text()
            file.unlink()  # the next worker does not
            if how == "await":
                await asyncio.Event().wait()
            elif how == "loop":
                time.sleep(3600)  # noqa: ASYNC251 - the hang itself
            elif how == "interpreter":
                re.match("(a|a)*b", "a" * 60)  # keeps the interpreter's lock for longer than anybody waits
        return await step_through(self, chunk, kind)

    def wrong() -> float:
        file = folder / "clock"
        return now() + (float(file.read_text()) if file.exists() else 0.0)

    def fail(*arguments: Any, **options: Any) -> Any:
        if (folder / "no-dns").exists():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve(*arguments, **options)

    Line._step_through = hang  # type: ignore[method-assign]
    time.time = wrong
    socket.getaddrinfo = fail
    asyncio.base_events._ipaddr_info = lambda *_, **__: None  # the test's broker is a number: look that up too


if __name__ == "__main__":
    break_everything(Path(os.environ["JIDOKA_DATA_DIR"]))
    main()
