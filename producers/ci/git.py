"""git asked about a repository that is not trusted, without any harm that the repository or the environment could do.

Argument lists and no shell; no hooks, no file monitor, no pager, no network, from which a partial clone would fetch
what it lacks; no ``GIT_*`` variable from outside, which might name another repository or a program; a limit of time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer
from typing import IO

TIMEOUT_S = 30.0  # of one call
MAX_ANSWER_BYTES = 1 << 16

_NO_NETWORK = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_TERMINAL_PROMPT": "0"}
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_REPLACE_OBJECTS": "1", "LC_ALL": "C", **_NO_NETWORK}
_SETTINGS = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")


class ChangeError(ValueError):
    """git, the repository or the commit is not there, or not whole; the text says which and what to do."""


def ask(repo: Path, *arguments: str) -> str | None:
    """Return the first ``MAX_ANSWER_BYTES`` of what git prints, stripped; ``None`` where git fails.

    The caller sees to it that no argument from outside can be taken for an option. Raises ``ChangeError`` where there
    is no git, or where it takes too long.
    """
    found = read(repo, *arguments)
    return None if found is None else found.decode("utf-8", "replace").strip()


def read(repo: Path, *arguments: str) -> bytes | None:
    """Return what ``ask`` does, as bytes and unstripped."""
    with running(repo, *arguments) as process:
        found = output(process).read(MAX_ANSWER_BYTES)
        return found if len(found) == MAX_ANSWER_BYTES or process.wait() == 0 else None


def output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    """Return what a process that ``running`` gave prints."""
    if process.stdout is None:  # never: it is a pipe, which the type does not say
        raise ChangeError("git has no output")
    return process.stdout


@contextmanager
def running(repo: Path, *arguments: str, timeout_s: float | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run git for as long as the context lasts; it is ended with it, if it has not ended by itself.

    Raises ``ChangeError`` where there is no git, and when ``timeout_s`` (default ``TIMEOUT_S``) were not enough.
    """
    git = shutil.which("git")
    if git is None:
        raise ChangeError("git is not installed: without it there is no telling what a commit changed")
    late, limit_s = Event(), TIMEOUT_S if timeout_s is None else timeout_s
    with subprocess.Popen(  # noqa: S603 - a list
        [git, "--no-pager", *_SETTINGS, "-C", str(repo), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | _ENVIRONMENT,
    ) as process:
        clock = Timer(limit_s, _end, (process, late))
        clock.start()
        try:
            yield process
        finally:
            clock.cancel()
            process.kill()
            if late.is_set():  # whatever else was made of its silence
                raise ChangeError(f"git {arguments[0]} took longer than {limit_s:g} s in {repo}")


def _end(process: subprocess.Popen[bytes], late: Event) -> None:
    late.set()
    process.kill()
