"""Diagnostics gathered into records: one record is one failed compilation."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import AwareDatetime

from models.change import Change
from models.diagnostics import Diagnostic, Part, Project, Short
from models.records import MAX_DIAGNOSTICS, MAX_RECORD_BYTES, CompilerErrors, content_id
from producers.ci.report import Report

MAX_PART_BYTES = MAX_RECORD_BYTES - (1 << 16)  # diagnostics of one record, leaving room for its other fields
MAX_OPEN = 256  # compilations at once; cargo runs one per core
MAX_HELD_BYTES = 32 << 20  # diagnostics of all open compilations, as JSON
MAX_SEEN = 10_000  # digests kept for telling repetitions, per compilation

WARNINGS, NOTES, SUMMARIES, REPEATED = "warnings", "notes", "summaries", "repeated diagnostics"
CUT_SHORT = "compilations emitted before their end"

ERROR_LEVELS = ("error", "error: internal compiler error")
_SUMMARY = re.compile(
    r"aborting due to |could not compile `|build failed|\d+ warnings? emitted|`[^`]+` \([^)]*\) generated \d+ warning"
    r"|Some errors (?:have detailed explanations|occurred)|For more information about|\d+ targets? failed"
    r"|(?:doc)?test failed, to rerun"
)


class Context(Part):
    """What all records of one input share."""

    project: Project
    time: AwareDatetime
    run: Short | None = None
    commit: Short | None = None
    change: Change | None = None  # of the commit


class Key(NamedTuple):
    """Which compilation a diagnostic belongs to; ``package`` tells apart but is not kept, the others are."""

    package: str = ""
    target: str | None = None
    program: str | None = None


@dataclass
class _Compilation:
    diagnostics: list[Diagnostic] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    part: int = 1
    failed: bool = False
    size: int = 0


def passed_over(level: str, code: str | None, message: str, *, warnings: bool) -> str | None:
    """Return why a message is not kept (a kind to count it by), or nothing if it is."""
    if code is None and _SUMMARY.match(message):
        return SUMMARIES
    if level in ERROR_LEVELS or (warnings and level == "warning"):
        return None
    return WARNINGS if level == "warning" else NOTES


class Grouper:
    """Gathers diagnostics by compilation and gives back the records that are complete.

    A compilation with more than ``MAX_DIAGNOSTICS`` (or with too many bytes) comes in parts, the last of which says
    how many there are. What is held is bounded: beyond ``max_open`` compilations or ``max_held`` bytes, the one
    longest untouched is given back as it stands, and counted in the report.
    """

    def __init__(
        self,
        context: Context,
        report: Report,
        *,
        warnings: bool = False,
        max_open: int = MAX_OPEN,
        max_held: int = MAX_HELD_BYTES,
    ) -> None:
        self._context, self._report, self._warnings = context, report, warnings
        self._max_open, self._max_held = max_open, max_held
        self._open: OrderedDict[Key, _Compilation] = OrderedDict()
        self._held = 0

    def wanted(self, level: str, code: str | None, message: str) -> bool:
        """Return whether such a message is kept; count it if it is not."""
        kind = passed_over(level, code, message, warnings=self._warnings)
        if kind is not None:
            self._report.skip(kind)
        return kind is None

    def add(self, key: Key, diagnostic: Diagnostic, line: int) -> list[CompilerErrors]:
        """Take a diagnostic that is wanted; return the records that this completes, mostly none."""
        content = diagnostic.model_dump_json().encode()
        if len(content) > MAX_PART_BYTES:
            self._report.reject(line, f"a diagnostic of {len(content)} bytes: at most {MAX_PART_BYTES} fit a record")
            return []
        group = self._open.setdefault(key, _Compilation())
        self._open.move_to_end(key)
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        if digest in group.seen:
            self._report.skip(REPEATED)
            return []
        return self._take(key, group, diagnostic, digest, len(content))

    def finish(self, key: Key, target: str | None = None) -> list[CompilerErrors]:
        """Return the last record of a compilation that is over, or nothing if it did not fail."""
        group = self._open.pop(key, None)
        return [] if group is None else self._close(key if target is None else key._replace(target=target), group)

    def flush(self) -> list[CompilerErrors]:
        """Return the last records of all compilations that are open, in the order of their last message."""
        return [record for key in list(self._open) for record in self.finish(key)]

    def _take(
        self, key: Key, group: _Compilation, diagnostic: Diagnostic, digest: str, size: int
    ) -> list[CompilerErrors]:
        done: list[CompilerErrors] = []
        fails = diagnostic.level in ERROR_LEVELS or (diagnostic.code or "").startswith("clippy::")
        if len(group.diagnostics) == MAX_DIAGNOSTICS or group.size + size > MAX_PART_BYTES:
            if not (group.failed or fails):  # so far a build with warnings only, which may well succeed
                self._report.skip(WARNINGS)
                return done
            done.append(self._record(key, group, last=False))
            self._begin_part(group)
        group.diagnostics.append(diagnostic)
        group.digests.append(digest)
        if len(group.seen) < MAX_SEEN:
            group.seen.add(digest)
        group.failed |= fails
        group.size += size
        self._held += size
        return done + self._evict()

    def _begin_part(self, group: _Compilation) -> None:
        self._held -= group.size
        group.diagnostics, group.digests, group.size, group.part = [], [], 0, group.part + 1

    def _evict(self) -> list[CompilerErrors]:
        done: list[CompilerErrors] = []
        while len(self._open) > 1 and (len(self._open) > self._max_open or self._held > self._max_held):
            self._report.skip(CUT_SHORT)
            done += self.finish(next(iter(self._open)))
        return done

    def _close(self, key: Key, group: _Compilation) -> list[CompilerErrors]:
        self._held -= group.size
        if group.failed:
            return [self._record(key, group, last=True)]
        for _ in group.diagnostics:
            self._report.skip(WARNINGS)
        return []

    def _record(self, key: Key, group: _Compilation, *, last: bool) -> CompilerErrors:
        self._report.accepted += 1
        self._report.diagnostics += len(group.diagnostics)
        clippy = any((diagnostic.code or "").startswith("clippy::") for diagnostic in group.diagnostics)
        shared = self._context
        record = CompilerErrors(
            id="-",
            time=shared.time,
            project=shared.project,
            run=shared.run,
            commit=shared.commit,
            change=shared.change,
            tool="clippy" if clippy else "rustc",
            target=key.target,
            program_id=key.program,
            part=group.part,
            parts=group.part if last and group.part > 1 else None,
            diagnostics=tuple(group.diagnostics),
        )
        return identified(record, group.digests)


def identified(record: CompilerErrors, digests: Sequence[str] | None = None) -> CompilerErrors:
    """Return ``record`` with the id of its content: when and in which run it was seen plays no part in it."""
    if digests is None:
        digests = [
            hashlib.blake2b(item.model_dump_json().encode(), digest_size=16).hexdigest() for item in record.diagnostics
        ]
    key = (record.project, record.commit, record.toolchain, record.tool, record.target, record.program_id, record.part)
    return record.model_copy(update={"id": content_id(*key, list(digests))})
