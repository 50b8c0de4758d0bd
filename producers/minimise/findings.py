"""Findings: distinct failures, each with a folder that anyone can run again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from producers.minimise.failure import Failure, constructs, failures
from producers.minimise.reproduction import main_rust, readme
from producers.minimise.shrink import MAX_SECONDS, MAX_TRIED, minimise
from producers.transpile.tools import find_rustc
from producers.transpile.transpiler import Transpiler
from producers.verify.driver import MAIN

DOCUMENT = "finding.json"


class FindingError(ValueError):
    """A folder that holds no finding; the message says why."""


@dataclass(frozen=True)
class Finding:
    """A distinct failure: the program, the input on which the sides part, and what each of them does.

    ``cause`` is what a person says is wrong, where one has looked; two findings of one cause are one.
    """

    id: str
    stage: str
    kind: str
    function: str
    template: str
    constructs: tuple[str, ...]
    program: str
    call: str
    expected: str
    got: str
    flaky: bool
    transpiler: str
    rustc: str
    seen: int = 1  # programs that failed so
    cause: str = ""

    @property
    def cluster(self) -> str:
        """Return what tells this defect from others: how it fails, and with which constructs."""
        marks = self.constructs if self.stage == "verify" else ()
        return " · ".join((self.stage, self.kind, self.template, *marks))

    @property
    def title(self) -> str:
        """Return a line for people."""
        return (
            f"{self.call} is {self.expected}, and {self.got} in Rust" if self.call else f"{self.kind}: {self.template}"
        )


def shrunk(
    source: str, failure: Failure, tool: Transpiler, *, tried: int = MAX_TRIED, seconds: float = MAX_SECONDS
) -> tuple[Finding, Failure] | None:
    """Return the finding for a failing program, shrunk, with its failure as seen last; nothing if it went away."""

    def again(candidate: str) -> Failure | None:
        if failure.function not in ("", MAIN) and f"def {failure.function}(" not in candidate:
            return None
        found = failures(candidate, tool, None, failure.function or None)
        return next((one for one in found if failure.like(one)), None)

    smallest = minimise(source, lambda candidate: again(candidate) is not None, tried=tried, seconds=seconds)
    last = again(smallest)
    return (described(smallest, last, tool), last) if last else None


class Collection:
    """Distinct findings by cluster; of a cluster the smallest program is kept, and how many there were."""

    def __init__(self) -> None:
        self._best: dict[str, tuple[Finding, Failure]] = {}

    def add(self, finding: Finding, failure: Failure) -> bool:
        """Add one; return whether nothing like it was there."""
        before = self._best.get(finding.cluster)
        seen = finding.seen + (before[0].seen if before else 0)
        smaller = before is None or len(finding.program) < len(before[0].program)
        best, of = (finding, failure) if smaller or before is None else before
        self._best[finding.cluster] = (replace(best, seen=seen), of)
        return before is None

    def __iter__(self) -> Iterator[tuple[Finding, Failure]]:
        """Yield the findings, those that most programs showed first."""
        yield from sorted(self._best.values(), key=lambda pair: (-pair[0].seen, pair[0].id))


def write(folder: Path, finding: Finding, failure: Failure, *, rust: bool = True) -> Path:
    """Write a finding's folder, which needs nothing but Python, the transpiler and rustc; return where it is.

    Without ``rust`` it lacks what the transpiler wrote, which is thousands of lines: the commands make it anew.
    """
    place = folder / finding.id
    place.mkdir(parents=True, exist_ok=True)
    (place / "program.py").write_text(finding.program + "\n", encoding="utf-8")
    if failure.rust and rust:
        (place / "program.rs").write_text(failure.rust, encoding="utf-8")
    main = main_rust(failure)
    if main:
        (place / "main.rs").write_text(main, encoding="utf-8")
    (place / "README.md").write_text(readme(finding, failure, has_main=bool(main)), encoding="utf-8")
    (place / DOCUMENT).write_bytes(orjson.dumps(asdict(finding), option=orjson.OPT_INDENT_2))
    return place


def read(folder: Path) -> list[Finding]:
    """Return the findings below ``folder``; raises ``FindingError`` for a document that is none."""
    found = []
    for path in sorted(folder.glob(f"*/{DOCUMENT}")):
        try:
            document = orjson.loads(path.read_bytes())
            document["constructs"] = tuple(document["constructs"])
            found.append(Finding(**document))
        except (OSError, orjson.JSONDecodeError, TypeError, KeyError) as error:
            raise FindingError(f"{path}: no finding: {error}") from None
    return found


def holds(finding: Finding, tool: Transpiler) -> bool:
    """Return whether a finding is still true with the tools of this machine: both sides are run again.

    It fails in the same way, with the same message; the input may be another where the Rust is not always the same.
    """
    wanted = (finding.stage, finding.kind, finding.function, finding.template)
    return any(one.key == wanted for one in failures(finding.program, tool, None, finding.function or None))


def described(source: str, failure: Failure, tool: Transpiler) -> Finding:
    """Return a program's failure as a finding."""
    marks = constructs(source, failure.function)
    digest = hashlib.sha256("\0".join((*failure.key, source)).encode()).hexdigest()[:8]
    slug = re.sub(r"[^a-z0-9]+", "-", f"{failure.kind} {failure.function}".lower()).strip("-")
    found = failure.found
    return Finding(
        id=f"{slug}-{digest}",
        stage=failure.stage,
        kind=failure.kind,
        function=failure.function,
        template=failure.template,
        constructs=marks,
        program=source,
        call=found.call if found else "",
        expected=found.expected if found else "",
        got=found.got if found else "",
        flaky=found.flaky if found else False,
        transpiler=f"{tool.name} {tool.version}, {tool.helpers}",
        rustc=find_rustc().version,
    )
