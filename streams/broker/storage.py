"""The broker's stored data: formatted once, kept between runs, repaired where that loses nothing."""

from __future__ import annotations

import base64
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from streams.broker.config import DATA, FORMATTING
from streams.broker.errors import BrokerError

META = "meta.properties"
CLUSTER_ID = "cluster-id"


def new_cluster_id() -> str:
    """Return a fresh id in Kafka's form: 22 characters, not beginning with a dash (it is a command line argument)."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        if not text.startswith("-"):
            return text


def cluster_id_of(meta: Path) -> str | None:
    """Return the cluster id in a ``meta.properties`` file; ``None`` when the file is missing, empty or cut short."""
    try:
        lines = meta.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    whole = {"cluster.id", "node.id", "version", "directory.id"} <= values.keys()
    return values["cluster.id"] if whole else None


def kept_cluster_id(home: Path) -> str | None:
    """Return the cluster id of the storage in ``home``, or of what was there last; ``None`` when nothing was."""
    try:
        return (home / CLUSTER_ID).read_text().strip() or None
    except OSError:
        return cluster_id_of(home / DATA / META)


def in_use(home: Path) -> bool:
    """Return whether ``home`` holds stored data."""
    data = home / DATA
    return data.is_dir() and any(data.iterdir())


def prepare(home: Path, formatter: Callable[[str], object], fallback_id: str = "") -> str:
    """Make sure that ``home`` holds formatted storage and return its cluster id.

    ``fallback_id``: the cluster id of new storage, where ``home`` never had one; empty: a fresh one.
    ``formatter``: formats ``home/data.new`` with the cluster id it is given. Only complete storage gets its real name,
    so that an interrupted format is simply done again. A lost ``meta.properties`` is restored from the copy kept
    beside the data.

    Raises ``BrokerError`` when there is data that no ``meta.properties`` goes with.
    """
    data, copy = home / DATA, home / META
    if not in_use(home):
        _format(home, formatter, fallback_id)
    elif cluster_id_of(data / META) is None:
        if cluster_id_of(copy) is None:
            raise BrokerError(
                f"{data} holds Kafka data but no usable {META}, and no copy of it is kept; move {data} away to begin"
                " empty, or put the file back"
            )
        shutil.copyfile(copy, data / META)
    shutil.copyfile(data / META, copy)
    cluster_id = cluster_id_of(data / META)
    if cluster_id is None:
        raise BrokerError(f"Kafka's StorageTool left no usable {META} in {data}; remove that folder and try again")
    (home / CLUSTER_ID).write_text(cluster_id)
    return cluster_id


def _format(home: Path, formatter: Callable[[str], object], fallback_id: str) -> None:
    data, formatting = home / DATA, home / FORMATTING
    shutil.rmtree(formatting, ignore_errors=True)
    formatter(kept_cluster_id(home) or fallback_id or new_cluster_id())
    if data.exists():
        data.rmdir()
    formatting.replace(data)
