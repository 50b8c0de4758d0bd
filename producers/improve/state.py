"""What an improvement run knows, on disk after each program: cut off anywhere, it goes on where it was."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from models.repair.ranking import Rates, parse_rates
from models.tables import TableError

VERSION = 1
MAX_STATE_BYTES = 256 << 20
MAX_RATES_BYTES = 64 << 20

Status = Literal["not transpiled", "broken", "compiles"]
Behaviour = Literal["equal", "different", "untestable"]


class ImproveError(ValueError):
    """A run that cannot go on as asked; the text says what is in the way and what would do."""


@dataclass
class Program:
    """A program of the run: ``rust`` is the best text so far (nothing where it was not transpiled).

    ``errors`` counts those of ``rust``; ``tries`` the epochs that repaired it; ``verdict`` is the oracle's of what
    compiles, ``by_fix`` whether it took repairs to compile. ``examined`` says that its diagnostics were learned.
    """

    name: str
    digest: str
    status: Status = "not transpiled"
    rust: str | None = None
    cargo_toml: str = ""
    errors: int = 0
    tries: int = 0
    by_fix: bool = False
    verdict: Behaviour | None = None
    message: str = ""
    examined: bool = False


@dataclass
class Epoch:
    """One line of the table: programs transpiled, compiling, and repaired ones that do what their Python does."""

    number: int
    programs: int
    transpiled: int
    compile: int
    equal: int
    delta: float
    status: str
    seconds: float

    @property
    def rate(self) -> float:
        """Return the share of programs that compile."""
        return self.compile / self.programs if self.programs else 0.0


@dataclass
class Run:
    """All of a run. ``rows`` are those of the corpus, as JSON-able data."""

    input: str
    tool: str
    programs: dict[str, Program] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    rates: Rates = field(default_factory=Rates)

    def count(self, status: Status) -> int:
        """Return how many programs are in that state."""
        return sum(one.status == status for one in self.programs.values())

    def save(self, folder: Path) -> None:
        """Write the run; a reader sees the old one or the new one. Raises ``OSError``."""
        folder.mkdir(parents=True, exist_ok=True)
        document = {
            "version": VERSION,
            "input": self.input,
            "tool": self.tool,
            "programs": [asdict(one) for one in self.programs.values()],
            "epochs": [asdict(one) for one in self.epochs],
            "rows": self.rows,
        }
        put(folder / "rates.tsv", "\n".join([*self.rates.lines(), ""]).encode())
        put(folder / "run.json", orjson.dumps(document))


def load(folder: Path) -> Run | None:
    """Return the run in a folder, nothing where there is none; raises ``ImproveError`` for what is none."""
    path = folder / "run.json"
    if not path.is_file():
        return None
    try:
        document = orjson.loads(_bounded(path, MAX_STATE_BYTES))
        if document["version"] != VERSION:
            raise ImproveError(f"{path}: version {document['version']}; this jidoka knows {VERSION}: give --restart")
        rates = _bounded(folder / "rates.tsv", MAX_RATES_BYTES).decode().splitlines()
        return Run(
            str(document["input"]),
            str(document["tool"]),
            {one["name"]: Program(**one) for one in document["programs"]},
            [Epoch(**one) for one in document["epochs"]],
            list(document["rows"]),
            parse_rates("rates.tsv", rates),
        )
    except (OSError, ValueError, KeyError, TypeError, TableError) as error:
        if isinstance(error, ImproveError):
            raise
        raise ImproveError(
            f"{path}: no run of `jidoka improve` ({error}); give --restart, or another --output"
        ) from None


def put(path: Path, content: bytes) -> None:
    """Write a file in one step."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(content)
    partial.replace(path)


def digest(text: str) -> str:
    """Return what tells a program's text from another."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _bounded(path: Path, limit: int) -> bytes:
    if path.stat().st_size > limit:
        raise ImproveError(f"{path}: more than {limit:,} bytes; this is no run of `jidoka improve`")
    return path.read_bytes()
