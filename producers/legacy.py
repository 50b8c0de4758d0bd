"""Published corpora of pairs, as they are: what is not what its column says is refused, and told why.

The layout is that of ``paiml/depyler-citl``: a Python program a row, beside it the Rust that a transpiler made of it,
or nothing. A ``rust_code`` that holds a compiler's or transpiler's log is a known case. Nothing in a row is executed.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from producers.oip.sanitise import clean, relative

COLUMNS = {"example_name": "text", "python_file": "text", "python_code": "text", "rust_code": "text"}
CHECKED = {"has_rust": "boolean", "python_lines": "integer", "rust_lines": "integer"}  # where they are there
MAX_COLUMNS = 200
MAX_ROW_GROUP_BYTES = 1 << 30  # uncompressed
MAX_FILE_BYTES = 8 << 30
MAX_ROWS = 10_000_000
MAX_TEXT = 1 << 20  # characters of a program
LINES_OFF = 2  # by which a count of lines may differ: how the last line ends is counted either way
BATCH_ROWS = 64
SCHEMA_VERSION = "1"

Refuse = Callable[[int, str], None]
_PROBLEMS = (pa.ArrowException, OSError, MemoryError, ValueError)

# A line of a log, or of a rendered message; Rust has none that begins so outside of texts and comments.
_LOG = re.compile(
    r"^\s*(?:\x1b\[|error(?:\[E\d{4}\])?:|warning:|thread '.*' panicked|\s*Compiling \S+ v\d|\s*Finished |"
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\[?(?:INFO|WARN|ERROR|DEBUG|TRACE)\b|Traceback \(most recent|Caused by:|"
    r"(?:Transpil\w+|Generated|Parsing|Source|Output): |[📄📝✅❌⏱🔧⚠])"
)
_ITEM = re.compile(r"^\s*(?:pub(?:\([^)]*\))?\s+)?(?:async\s+|unsafe\s+|const\s+|extern\s+)*"
                   r"(?:fn|struct|enum|impl|trait|mod|use|static|const|type|macro_rules!)\b", re.MULTILINE)  # fmt: skip
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|\'(?:[^\'\\]|\\.)\'', re.DOTALL)


class LegacyError(ValueError):
    """A file that is no corpus of pairs, or must not be unpacked; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A program and what was made of it; names are without what tells of a machine, secrets in texts are masked."""

    id: str
    pair_origin: str
    project: str
    file: str
    python_code: str
    rust_code: str | None
    category: str | None


def read_pairs(path: Path, refuse: Refuse) -> Iterator[Pair]:
    """Yield the rows that are what they claim; ``refuse`` is told of each other one, by its number from 1.

    Raises ``LegacyError`` for a file that is none, has other columns, or would unpack to too much.
    """
    try:
        table = pq.ParquetFile(path, pre_buffer=False)
        names = _checked(path, table)
        number = 0
        for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=names):
            for row in batch.to_pylist():
                number += 1
                if (why := _why_not(row)) is not None:
                    refuse(number, why)
                else:
                    yield _pair(row, path)
    except LegacyError:
        raise
    except _PROBLEMS as error:
        raise LegacyError(f"{path}: not readable as Parquet: {error}") from None


def _checked(path: Path, table: Any) -> list[str]:
    """Return the columns to read, after a look at schema and sizes: nothing has been unpacked by then."""
    types = {one.name: one.type for one in table.schema_arrow}
    if len(types) > MAX_COLUMNS or len(types) < len(table.schema_arrow):
        raise LegacyError(f"{path}: {len(table.schema_arrow)} columns, some twice, or more than {MAX_COLUMNS}")
    if missing := [name for name in COLUMNS if name not in types]:
        raise LegacyError(f"{path}: no column {', '.join(missing)}; a corpus of pairs has {', '.join(COLUMNS)}")
    wanted = COLUMNS | {name: kind for name, kind in CHECKED.items() if name in types}
    if "category" in types:
        wanted |= {"category": "text"}
    if wrong := [f"{name} is {types[name]}, not {kind}" for name, kind in wanted.items() if not _is(types[name], kind)]:
        raise LegacyError(f"{path}: {'; '.join(wrong)}")
    groups = [table.metadata.row_group(number) for number in range(table.metadata.num_row_groups)]
    sizes = [group.total_byte_size for group in groups]
    if max(sizes, default=0) > MAX_ROW_GROUP_BYTES or sum(sizes) > MAX_FILE_BYTES:
        raise LegacyError(f"{path}: unpacks to {sum(sizes):,} bytes; at most {MAX_FILE_BYTES:,} are read")
    if table.metadata.num_rows > MAX_ROWS:
        raise LegacyError(f"{path}: {table.metadata.num_rows:,} rows; at most {MAX_ROWS:,} are read")
    return list(wanted)


def _is(kind: Any, wanted: str) -> bool:
    if wanted == "text":
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
    return bool(pa.types.is_boolean(kind) if wanted == "boolean" else pa.types.is_integer(kind))


def _why_not(row: dict[str, Any]) -> str | None:
    """Return why a row is not what its columns say; nothing where it is."""
    python, rust = row["python_code"], row["rust_code"]
    if not python or not row["python_file"]:
        return "no python_code, or no python_file"
    if len(python) > MAX_TEXT or len(rust or "") > MAX_TEXT:
        return f"a text of more than {MAX_TEXT:,} characters"
    if (problem := no_python(python)) is not None:
        return f"python_code is no Python: {problem}"
    if rust and (problem := no_rust(rust)) is not None:
        return f"rust_code is no Rust: {problem}"
    return _miscounted(row, python, rust or "")


def _miscounted(row: dict[str, Any], python: str, rust: str) -> str | None:
    """Return which count of a row is not that of its texts."""
    if row.get("has_rust") is not None and row["has_rust"] != bool(rust.strip()):
        return f"has_rust says {row['has_rust']}, and rust_code is {'there' if rust else 'empty'}"
    for name, text in (("python_lines", python), ("rust_lines", rust)):
        counted = row.get(name)
        if counted is not None and abs(counted - len(text.splitlines())) > LINES_OFF:
            return f"{name} says {counted}, and there are {len(text.splitlines())}: cut short, or of something else"
    return None


def no_python(text: str) -> str | None:
    """Return why a text is no Python program, nothing where it is one; it is parsed, never run."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {str(error)[:100]}"
    return None


def no_rust(text: str) -> str | None:
    r"""Return why a text cannot be a Rust program, nothing where it may be one.

    It is looked at, not compiled: programs that do not compile are what a corpus is for.

    >>> no_rust("fn main() {}\n"), no_rust("error[E0308]: mismatched types\n --> src/main.rs:1:1\n")
    (None, 'line 1 is of a log: error[E0308]: mismatched types')
    >>> no_rust("just words")
    'no item of Rust in it (fn, struct, use, …)'
    """
    plain = _QUOTED.sub(lambda found: "\n" * found[0].count("\n"), text)
    for number, line in enumerate(plain.splitlines(), 1):
        if _LOG.match(line):
            return f"line {number} is of a log: {line.strip()[:80]}"
    return None if _ITEM.search(plain) else "no item of Rust in it (fn, struct, use, …)"


def _pair(row: dict[str, Any], path: Path) -> Pair:
    python, rust = row["python_code"], row["rust_code"]
    digest = hashlib.sha256(f"{python}\0{rust or ''}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    project = relative(row["example_name"] or "unknown")
    name = relative(f"{project}/{Path(row['python_file']).name}")
    kept = rust if rust and rust.strip() else None
    return Pair(digest, path.stem, project, name, clean(python), kept and clean(kept), row.get("category"))


def write_pairs(path: Path, pairs: Iterable[Pair]) -> int:
    """Write pairs as Parquet in the columns of the line's own corpora; the file appears when it is complete.

    Raises ``OSError``.
    """
    schema = pa.schema(
        [(name, pa.string()) for name in Pair.__dataclass_fields__], {"jidoka.pairs.schema_version": SCHEMA_VERSION}
    )
    partial, left, count = path.with_name(f".{path.name}.{os.getpid()}"), iter(pairs), 0
    try:
        with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            while batch := [asdict(one) for one in islice(left, BATCH_ROWS)]:
                writer.write_table(pa.Table.from_pylist(batch, schema=schema))
                count += len(batch)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count
