"""The improvement loop: what an epoch does, when it ends, and that it goes on where it was cut off."""

from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from models.repair.candidates import Candidate
from models.repair.edits import Edit
from models.repair.errors import RustError
from models.repair.ranking import Rates
from producers.fix.loop import Applied
from producers.fix.repair import Repaired
from producers.improve.corpus import export
from producers.improve.loop import Improvement, programs_of
from producers.improve.state import ImproveError, Run, load
from producers.transpile.inputs import Source
from producers.transpile.pipeline import Result
from tests.builders import NOW, diagnostic, span

ABOUT = {"transpiler": "t 1", "rustc": "r 1", "timestamp": "2026-01-01T00:00:00+00:00"}
BROKEN = diagnostic("mismatched types", "E0308", spans=(span(),))


def result(source: Source) -> Result:
    """Return what became of a program, which its text says."""
    outcome, rust = {"good": ("compiled", "fn"), "bad": ("compile_failed", "fn"), "none": ("transpile_failed", None)}[
        source.text.split("-")[0]
    ]
    said = (BROKEN,) if outcome == "compile_failed" else ()
    stage = "transpile" if rust is None else "compile"
    return Result(source.name, source.text, outcome, stage, rust, "", said, "", "t", "1", "r 1", 1.0, 1.0)  # type: ignore[arg-type]


class Repairs:
    """Repairs a program at the try that its text asks for, and counts its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, float]] = []

    def __call__(
        self,
        file: str,
        text: str,
        python: str | None,
        cargo_toml: str,  # noqa: ARG002
        *,
        rates: Rates,
        budget_s: float,
    ) -> Repaired:
        self.calls.append((file, budget_s))
        tries = [name for name, _ in self.calls].count(file)
        done = str(tries) == (python or "").rpartition("-")[2]
        rates.update("cast", "E0308 mismatched types", accepted=done)
        error = RustError("E0308", "mismatched types", (), (), ())
        fix = Applied(Candidate("cast", "a cast", (Edit(0, 0, "x as i32"),), (error,)), text, first=True)
        return Repaired(file, text, "fixed", 1, 0 if done else 1, "equal" if done else "untestable", "", [fix] * done)


def improvement(run: Run | None = None, target: float = 1.0, iterations: int = 50, **programs: str) -> Improvement:
    """Return a run over programs whose texts say what becomes of them."""
    sources = {name: Source(name, text) for name, text in programs.items()}
    run = run or Run("d", "t 1")
    run.programs = programs_of(sources, run.programs)
    return Improvement(run, sources, result, Repairs(), ABOUT, target, iterations)


def table(work: Improvement) -> list[tuple[int, int, str]]:
    return [(one.transpiled, one.compile, one.status) for one in work.run.epochs]


class TestEpochs:
    def test_go_on_until_the_target(self) -> None:
        """Each epoch repairs what does not compile yet; it ends at the target, and the table says how it went."""
        work = improvement(a="good", b="bad-1", c="bad-2", d="none", target=0.75)
        assert work.epochs() == "target"
        assert table(work) == [(3, 1, "as transpiled"), (3, 2, "+1"), (3, 3, "+1")]
        assert [round(one.delta, 2) for one in work.run.epochs] == [0.0, 0.25, 0.25]
        assert (work.run.epochs[-1].equal, work.run.rates.counts["cast", ""]) == (2, (2.0, 1.0))

    def test_end_at_a_plateau(self) -> None:
        """When two epochs in a row gained nothing, the last with all the time there is, it ends."""
        work = improvement(a="good", b="bad-99")
        assert work.epochs() == "plateau"
        assert isinstance(work.repair, Repairs)
        assert [budget for _, budget in work.repair.calls][-1] == 20.0
        assert 3 <= len(work.run.epochs) <= 5

    def test_end_with_the_iterations_or_with_nothing_left(self) -> None:
        """It ends after so many epochs of repair, and when nothing is left that could be repaired."""
        work = improvement(a="bad-9", iterations=1)
        assert (work.epochs(), len(work.run.epochs)) == ("iterations", 2)
        assert improvement(a="none", b="good").epochs() == "nothing left to repair"
        assert improvement(a="good").epochs() == "target"

    def test_end_with_the_time(self) -> None:
        """A budget in seconds ends it after the epoch in which it ran out."""
        work = improvement(a="bad-9", b="bad-9")
        work.budget_s = 0.0
        assert work.epochs() == "budget"


class TestResume:
    def test_goes_on_where_it_was(self, tmp_path: Path) -> None:
        """What was transpiled and repaired is not done again; new and changed programs are taken in."""
        first = improvement(a="good", b="bad-1", c="bad-9", iterations=1)
        first.epochs()
        first.run.save(tmp_path)
        run = load(tmp_path)
        assert run is not None
        second = improvement(run, a="good", b="bad-1", c="bad-9", d="bad-1", iterations=2)
        second.epochs()
        assert isinstance(second.repair, Repairs)
        assert {name for name, _ in second.repair.calls} == {"c", "d"}
        assert (second.run.epochs[-1].programs, second.run.epochs[-1].compile) == (4, 3)
        assert run.rates.counts == second.run.rates.counts

    def test_what_is_no_run_is_refused(self, tmp_path: Path) -> None:
        """Another version, or a file that is something else, is refused with what to do."""
        assert load(tmp_path) is None
        for content in (b"{}", b"x", b"[]", orjson.dumps({"version": 99})):
            (tmp_path / "run.json").write_bytes(content)
            with pytest.raises(ImproveError, match="--restart"):
                load(tmp_path)


class TestCorpus:
    def test_has_a_row_for_each_error(self, tmp_path: Path) -> None:
        """Errors stand there with code, line, category and, where a repair was verified, what it put there."""
        work = improvement(**{"src/a.py": "bad-1", "b.py": "bad-9", "c.py": "good"}, iterations=1)
        work.epochs()
        lines, parquet = export(tmp_path, work.run.rows, NOW)
        rows = [orjson.loads(line) for line in lines.read_bytes().splitlines()]
        assert lines.name == "corpus-20260102T030405.jsonl"
        assert [(row["file"], row["error_code"], row["line"], row["suggestion"]) for row in rows] == [
            ("src/a.py", "E0308", 7, "x as i32"),
            ("b.py", "E0308", 7, None),
        ]
        assert {row["category"] for row in rows} == {"TypeErrors"}
        assert (rows[0]["pattern"], rows[0]["source"], rows[0]["rust_file"]) == (
            "cast",
            "verified by rustc",
            "src/a.rs",
        )
        assert pq.read_table(parquet).to_pylist() == rows
