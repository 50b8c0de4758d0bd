"""What a sink has in hand of one partition: rows that are not yet in a file, and the offsets that they come from."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord

from models.archive.files import chain_of, partition_folder, write_piece
from models.archive.pieces import Piece
from models.archive.tables import Row, Table
from models.records import RecordError, parse
from streams.topics import MAX_MESSAGE_BYTES

log = logging.getLogger(__name__)

MAX_ROWS = 50_000  # of a file; then it is written, however young
MAX_BYTES = 64 << 20  # of messages that a file is made from


class Hand:
    """Rows of one partition from the offset ``start`` on; ``end`` is the one to read next."""

    def __init__(self, archive: Path, table: Table[Any], partition: int, start: int) -> None:
        self.table, self.partition = table, partition
        self.folder = partition_folder(archive, table, partition)
        self.start = self.end = start
        self.refused = 0
        self._rows: list[Row] = []
        self._bytes, self._since = 0, 0.0

    def take(self, message: ConsumerRecord[bytes, bytes]) -> None:
        """Take a message in; one that is no record makes no row: the worker has made it a dead letter."""
        try:
            record = parse(self.table.record, message.value, MAX_MESSAGE_BYTES)
        except RecordError:
            self.refused += 1
        else:
            self._rows += self.table.rows(record, message.offset)
        if self.end == self.start:
            self._since = time.monotonic()
        self._bytes += len(message.value or b"")
        self.end = message.offset + 1

    def due(self, interval_s: float) -> bool:
        """Return whether a file should be written now."""
        if self.end == self.start:
            return False
        full = len(self._rows) >= MAX_ROWS or self._bytes >= MAX_BYTES
        return full or time.monotonic() - self._since >= interval_s

    def write(self) -> int:
        """Write what is in hand as one file, whole and on disk on return, and return how many rows it has."""
        if self.end == self.start:
            return 0
        piece, rows = Piece(self.start, self.end), self._rows
        about = {"jidoka.topic": self.table.record.topic, "jidoka.partition": str(self.partition)}
        write_piece(self.folder, self.table, piece, rows, about | {"jidoka.refused": str(self.refused)})
        self.start, self.refused, self._rows, self._bytes = self.end, 0, [], 0
        return len(rows)


def resume(archive: Path, table: Table[Any], partition: int, first: int, last: int) -> Hand:
    """Return the hand that goes on where the archive's files end; ``first`` and ``last`` are the log's offsets now.

    Files that reach beyond the log are of another topic of that name (it was made anew): they are put aside, with a
    name that no reader takes for a partition.
    """
    folder = partition_folder(archive, table, partition)
    end = chain_of(folder).end
    if end is not None and end > last:
        aside = folder.with_name(f"before-{int(time.time())}-{folder.name}")
        folder.rename(aside)
        log.error("%s ends at %d, but its topic at %d: another topic's; put aside as %s", folder, end, last, aside.name)
        end = None
    for partial in folder.glob(".*.parquet.*") if folder.is_dir() else ():
        partial.unlink(missing_ok=True)  # of a writer that was killed
    if end is not None and end < first:
        log.error(
            "%s: the topic has no offsets from %d to %d any more: they are not in the archive", folder, end, first
        )
    return Hand(archive, table, partition, first if end is None else max(end, first))
