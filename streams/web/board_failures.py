"""The newest failed compilations, kept in memory for whoever clicks on one."""

from __future__ import annotations

import logging
from collections import OrderedDict

import orjson

from models.records import MAX_RECORD_BYTES, CompilerErrors, RecordError, parse

log = logging.getLogger(__name__)

MAX_ENTRIES = 10_000
MAX_BYTES = 64 << 20
MAX_NAME = 128  # characters of an id or a project, as in ``models.diagnostics``

Key = tuple[str, str]  # project, id: ids count within a project


class FailureRing:
    """The newest failures as they stand on the topic, bounded in number and bytes; read only when one is asked for."""

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._max_entries, self._max_bytes = max_entries, max_bytes
        self._entries: OrderedDict[Key, bytes] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, raw: bytes | None, _timestamp: int = 0) -> None:
        """Take in a record of the topic; what is no failure is passed over: the worker makes a dead letter of it."""
        key = _key(raw)
        if raw is None or key is None:
            return
        self._drop(key)
        self._entries[key] = raw
        self.bytes += len(raw)
        while len(self._entries) > self._max_entries or (self.bytes > self._max_bytes and len(self._entries) > 1):
            self._drop(next(iter(self._entries)))

    def find(self, project: str, failure_id: str) -> CompilerErrors | None:
        """Return a failure, or nothing when it is not held (any more), or breaks a rule of its schema."""
        raw = self._entries.get((project, failure_id))
        try:
            return parse(CompilerErrors, raw) if raw else None
        except RecordError as error:
            log.warning("failure %s cannot be shown: %s", failure_id, error)
            return None

    def _drop(self, key: Key) -> None:
        gone = self._entries.pop(key, None)
        if gone is not None:
            self.bytes -= len(gone)


def _key(raw: bytes | None) -> Key | None:
    if not raw or len(raw) > MAX_RECORD_BYTES:
        return None
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    names = (document.get("project"), document.get("id")) if isinstance(document, dict) else (None, None)
    project, failure_id = names
    if not (isinstance(project, str) and isinstance(failure_id, str)):
        return None
    return (project, failure_id) if max(len(project), len(failure_id)) <= MAX_NAME else None
