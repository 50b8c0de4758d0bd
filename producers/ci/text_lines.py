"""A line of a terminal or of a CI system's log brought down to what the compiler wrote."""

from __future__ import annotations

import re

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
# GitHub: "2024-01-01T00:00:00.0000000Z ", in `gh run view --log` after job and step; GitLab: a stream's number, "01O ".
_STAMP = re.compile(
    r"(?:[^\t]{0,200}\t[^\t]{0,200}\t)?\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z (?:[0-9a-f]{2}[OE][ +])?"
)
_BUILDKIT = re.compile(r"#\d{1,6} \d{1,6}\.\d{1,6} ")
_COMMAND = re.compile(r"##\[(?:error|warning|debug|notice)\]")
_PREFIXES = (_STAMP, _BUILDKIT, _COMMAND)


def plain(line: str) -> str:
    """Return ``line`` without colours, without time stamps, and only what was left standing after a carriage return."""
    if "\x1b" in line:
        line = _ANSI.sub("", line)
    for prefix in _PREFIXES:
        if match := prefix.match(line):
            line = line[match.end() :]
    return line.rstrip("\r").rpartition("\r")[2]
