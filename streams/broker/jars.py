"""Kafka's jars: fetched once per user with jgo, checked against the pins, kept in the platform's cache folder."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from streams.broker.errors import BrokerError
from streams.broker.locking import waiting_for
from streams.broker.pins import JARS, KAFKA_VERSION, Jar

Progress = Callable[[str], None]

CONNECTIONS = 8
ATTEMPTS = 3
TIMEOUT_S = 30
REPORT_BYTES = 1 << 20
PARTIAL = ".partial-"


def cache_dir() -> Path:
    """Return the folder of this Kafka version's jars; it may not exist yet."""
    return user_cache_path("jidoka", appauthor=False) / f"kafka-{KAFKA_VERSION}"


def missing(directory: Path) -> list[Jar]:
    """Return the jars that are absent or of the wrong size: quick, for every start."""
    paths = ((jar, directory / jar.filename) for jar in JARS)
    return [jar for jar, path in paths if not path.is_file() or path.stat().st_size != jar.size]


def damaged(directory: Path) -> list[Jar]:
    """Return the jars that are absent or whose content differs from the pinned one: reads all 43 MB."""
    absent = missing(directory)
    return absent + [jar for jar in JARS if jar not in absent and _sha256(directory / jar.filename) != jar.sha256]


def classpath(directory: Path) -> str:
    """Return the JVM's class path of exactly the pinned jars."""
    return ":".join(str(directory / jar.filename) for jar in JARS)


def fetch(progress: Progress | None = None, *, directory: Path | None = None) -> Path:
    """Return the folder that holds every jar, after downloading those that are missing or cut short.

    Each jar appears under its name only when complete and checked, so that an interrupted download loses at most the
    jars in flight. Processes that fetch at the same time wait for the first.

    Raises ``BrokerError`` with the address and the reason when a jar cannot be had.
    """
    directory = directory or cache_dir()
    report = progress or (lambda _text: None)
    if not missing(directory):
        return directory
    try:
        directory.mkdir(parents=True, exist_ok=True)
        on_wait = _saying(report, "Waiting for another process that is downloading Kafka")
        with waiting_for(directory / ".lock", on_wait), _workspace(directory) as workspace:
            _download(missing(directory), workspace, directory, report)
    except OSError as error:
        raise BrokerError(
            f"cannot keep Kafka's jars in {directory}: {error}; free space or set XDG_CACHE_HOME"
        ) from error
    return directory


def _saying(report: Progress, text: str) -> Callable[[], None]:
    return lambda: report(text)


@contextmanager
def _workspace(directory: Path) -> Iterator[Path]:
    """Give a folder on the same file system for downloads in flight; called under the lock, so older ones are stale."""
    for stale in directory.glob(f"{PARTIAL}*"):
        shutil.rmtree(stale, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=directory) as workspace:
        yield Path(workspace)


class _Meter:
    """Counts bytes and jars over all connections and says so once per MB."""

    def __init__(self, jars: Sequence[Jar], report: Progress) -> None:
        self._total, self._jars, self._report = sum(jar.size for jar in jars), len(jars), report
        self._bytes = self._said = self._done = 0
        self._lock = threading.Lock()
        self._say()

    @contextmanager
    def jar(self, _name: str, _size: int) -> Iterator[Callable[[int], None]]:
        """Give jgo what it calls with the bytes of each chunk."""
        yield self.add

    def add(self, count: int) -> None:
        with self._lock:
            self._bytes += count
            if self._bytes - self._said >= REPORT_BYTES:
                self._say()

    def finish(self) -> None:
        with self._lock:
            self._done += 1
            if self._done == self._jars:
                self._say()

    def _say(self) -> None:
        self._said = self._bytes
        received = min(self._bytes, self._total) / 1e6  # a jar that was tried twice counts twice
        self._report(
            f"Downloading Kafka {KAFKA_VERSION}: {received:.1f} of {self._total / 1e6:.1f} MB"
            f" ({self._done} of {self._jars} files)"
        )


def _download(jars: Sequence[Jar], workspace: Path, directory: Path, report: Progress) -> None:
    if not jars:
        return
    meter = _Meter(jars, report)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        waiting = [pool.submit(_download_one, jar, workspace, directory, meter) for jar in jars]
        try:
            for result in waiting:
                result.result()
        finally:
            for result in waiting:
                result.cancel()


def _download_one(jar: Jar, workspace: Path, directory: Path, meter: _Meter) -> None:
    reason: object = None
    for attempt in range(ATTEMPTS):
        try:
            path = _through_jgo(jar, workspace / str(attempt), meter)
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            reason = error
            continue
        if path.stat().st_size == jar.size and _sha256(path) == jar.sha256:
            path.replace(directory / jar.filename)
            meter.finish()
            return
        reason = f"what arrived is not the pinned file (SHA-256 {jar.sha256})"
    raise BrokerError(
        f"could not download {jar.coordinates} from the Maven repository: {reason}.\n"
        "  Check the network (a proxy is read from HTTPS_PROXY), or name a mirror under [repositories] in "
        "~/.config/jgo.conf; then run the command again: finished files are kept.\n"
        "  With JIDOKA_BROKER=kafka://host:9092 no download is needed."
    )


def _through_jgo(jar: Jar, repository: Path, meter: _Meter) -> Path:
    from jgo.config import GlobalSettings  # noqa: PLC0415 - 0.3 s that only a download is worth
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415

    logging.getLogger("jgo").setLevel(logging.ERROR)
    # The user's own repositories (a company's mirror) come first; whatever answers, the pinned hash decides.
    remotes = dict(GlobalSettings.load().repositories) | {"central": MAVEN_CENTRAL_URL}
    resolver = PythonResolver(progress_callback=meter.jar)
    context = MavenContext(resolver, repo_cache=repository, remote_repos=remotes, timeout=TIMEOUT_S)
    return context.create_dependency(jar.coordinates).artifact.resolve()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
