"""Real compile failures made by this project: its own Python programs through depyler and rustc.

``python -m producers.demo.build`` makes the bundled file anew; docs/demo-data.md says how and counts what is in it.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

from models.records import CompilerErrors, parse

PROJECT = "depyler-demo"


def failures_path() -> Path:
    """Return the bundled file: gzip, one ``compiler-errors`` record per line, sorted by program."""
    return Path(__file__).with_name("failures.jsonl.gz")


def failures() -> Iterator[CompilerErrors]:
    """Yield the bundled failures, oldest first."""
    with gzip.open(failures_path(), "rb") as lines:
        for line in lines:
            yield parse(CompilerErrors, line)
