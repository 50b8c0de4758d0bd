"""``cargo … --message-format=json``: compiler messages among artifacts, build scripts and whatever stderr mixed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import orjson

from models.diagnostics import Diagnostic
from models.records import CompilerErrors
from producers.ci.bounds import MAX_SHORT, FieldError, cut, kind_of, shorten, text_of
from producers.ci.grouping import Grouper, Key
from producers.ci.lines import Line, read_lines
from producers.ci.report import OTHER_JSON, Report
from producers.ci.rustc_json import diagnostic_from_rustc
from producers.ci.text import TextReader
from producers.ci.text_lines import plain

_SKIPPED = {
    "compiler-artifact": "artifacts",
    "build-script-executed": "build scripts",
    "timing-info": "timings",
}
_EMPTY: dict[str, Any] = {}


def read_cargo(source: BinaryIO, grouper: Grouper, report: Report) -> Iterator[CompilerErrors]:
    """Yield a record for each failed target of each package.

    Lines that are no JSON come from stderr or from build scripts: counted, unless they are a rendered diagnostic
    (``--message-format=json-render-diagnostics 2>&1``), which is read as text.
    """
    yield from read_messages(source, grouper, report, _message)


Finish = Callable[[Diagnostic], Diagnostic]
Take = Callable[[dict[str, Any], Grouper, Report, int], Iterator[CompilerErrors]]


def read_messages(source: BinaryIO, grouper: Grouper, report: Report, take: Take) -> Iterator[CompilerErrors]:
    """Yield what ``take`` makes of each line's JSON object, and of rendered text between them."""
    text = TextReader(grouper, report, located=True)
    for line in read_lines(source):
        if line.problem:
            report.reject(line.number, line.problem)
        elif line.data:
            yield from _line(line, grouper, report, text, take)
    yield from text.close()
    yield from grouper.flush()


def _line(line: Line, grouper: Grouper, report: Report, text: TextReader, take: Take) -> Iterator[CompilerErrors]:
    data = json_of(line.data)
    if data is None:
        yield from text.feed(line)
        return
    try:
        yield from take(parse_object(data, complete=line.complete), grouper, report, line.number)
    except ValueError as error:
        report.reject(line.number, str(error))


def _message(message: dict[str, Any], grouper: Grouper, report: Report, number: int) -> Iterator[CompilerErrors]:
    reason = message.get("reason")
    if reason == "compiler-message":
        yield from add_rustc(message.get("message"), _key(message), grouper, number)
    elif reason == "build-finished":
        report.skip("builds finished")
        yield from grouper.flush()
    elif isinstance(reason, str) and reason in _SKIPPED:
        report.skip(_SKIPPED[reason])
    elif "$message_type" in message and reason is None:  # a wrapper calling rustc itself
        yield from add_rustc(message, Key(), grouper, number)
    else:
        report.skip(OTHER_JSON)


def json_of(data: bytes) -> bytes | None:
    """Return the JSON object that is the line, or follows a CI system's time stamp on it; ``None`` if there is none."""
    if data.startswith(b"{"):
        return data
    stripped = plain(data[:512].decode("utf-8", "replace"))
    return data[data.index(b"{") :] if stripped.startswith("{") else None


def parse_object(data: bytes, *, complete: bool) -> dict[str, Any]:
    """Return the JSON object in ``data``; raises ``ValueError`` that says why there is none."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        cause = "the line ends in the middle (input cut off?)" if not complete else "not JSON"
        raise FieldError(f"{cause}: {error}") from None
    if not isinstance(document, dict):
        raise FieldError(f"{kind_of(document)}, expected an object")
    return document


def add_rustc(
    message: Any, key: Key, grouper: Grouper, number: int, finish: Finish = lambda diagnostic: diagnostic
) -> list[CompilerErrors]:
    """Give rustc's message to the grouper if it is wanted, after ``finish`` added what only the caller knows.

    Raises ``ValueError`` if it is not as rustc writes it.
    """
    if not isinstance(message, dict):
        raise FieldError(f"message is {kind_of(message)}, expected an object")
    code = message.get("code") or _EMPTY
    name = code.get("code") if isinstance(code, dict) else ""
    level, said = text_of(message, "level", MAX_SHORT), text_of(message, "message", MAX_SHORT)
    if not grouper.wanted(level, name if isinstance(name, str) else None, said):
        return []
    return grouper.add(key, finish(diagnostic_from_rustc(message)), number)


def _key(message: dict[str, Any]) -> Key:
    package, target = message.get("package_id"), message.get("target")
    if target is None:
        return Key()
    if not isinstance(target, dict):
        raise FieldError(f"target is {kind_of(target)}, expected an object")
    package_id = package if isinstance(package, str) else ""
    return Key(cut(package_id, 1024), cut(_target_name(_package_name(package_id), target), MAX_SHORT))


def _target_name(package: str, target: dict[str, Any]) -> str:
    """Return the target in cargo's words: ``name (lib)``, ``name (bin "tool")``."""
    name, kinds = text_of(target, "name", MAX_SHORT), target.get("kind")
    kind = kinds[0] if isinstance(kinds, list) and kinds and isinstance(kinds[0], str) else "lib"
    if kind in ("lib", "rlib", "dylib", "cdylib", "staticlib", "proc-macro"):
        return f"{package or name} (lib)"
    if kind == "custom-build":
        return f"{package or name} (build script)"
    return f'{package or name} ({kind} "{name}")'


def _package_name(package_id: str) -> str:
    """Return the name in a package id: ``path+file:///x/name#0.1.0``, ``…#name@0.1.0`` or ``name 0.1.0 (…)``."""
    if "#" not in package_id:
        return shorten(package_id.partition(" ")[0]) if " " in package_id else ""
    location, _, version = package_id.rpartition("#")
    return version.rpartition("@")[0] if "@" in version else location.rpartition("/")[2]
