"""From Python to Rust to diagnostics: whatever a tool does is a result, and nothing is done twice."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from producers.sandbox import Limits
from producers.transpile.cache import Cache
from producers.transpile.crates import extern_options, wanted_crates
from producers.transpile.inputs import InputsError, open_inputs
from producers.transpile.pipeline import in_parallel, transpile
from producers.transpile.rustc import compile_rust
from producers.transpile.table import TableError, read_results, writing
from producers.transpile.tools import ToolError, find
from producers.transpile.transpiler import Depyler, run_transpiler, transpiler

ADD = "def add(a: int, b: int) -> int:\n    return a + b\n"


class Script:
    """A transpiler that is a Python script, for what depyler rarely does; it notes each of its runs in ``log``."""

    name = "script"
    helpers = ""

    def __init__(self, body: str, log: Path, version: str = "1") -> None:
        self.version = version
        self._source = f"import os, pathlib, signal, sys\nprint('x', file=open({str(log)!r}, 'a'))\n{body}\n"

    def command(self, source: str) -> list[str]:
        """Return the command."""
        return [sys.executable, "-S", "-c", self._source, source]

    def settle(self, rust: str) -> str:
        """Return the output as it is."""
        return rust


WRITES = "pathlib.Path('program.rs').write_text('pub fn add(a: i32, b: i32) -> i32 { a + b }')"


class TestDepyler:
    def test_a_program_that_compiles(self) -> None:
        """A simple function becomes Rust that compiles."""
        result = transpile(ADD, Depyler())
        assert result.outcome == "compiled", result.diagnostics
        assert "pub fn add" in (result.rust or "")
        assert result.transpiler_version == "4.1.1"

    def test_a_program_that_does_not_compile(self) -> None:
        """What rustc refuses comes back as diagnostics, with code, place and the lines around it."""
        result = transpile("def pair(a: int, b: str) -> tuple[int, str]:\n    return (a, b)\n", Depyler())
        assert (result.outcome, result.stage) == ("compile_failed", "compile")
        primary = result.diagnostics[0].primary
        assert result.diagnostics[0].code == "E0308"
        assert primary is not None
        assert (primary.file, bool(primary.before)) == ("program.rs", True)

    def test_a_program_that_it_refuses(self) -> None:
        """What depyler does not take is an outcome with its words, no exception."""
        result = transpile("def broken(:\n", Depyler())
        assert (result.outcome, result.stage) == ("transpile_failed", "transpile")
        assert result.message.startswith("error")

    def test_the_same_program_gives_the_same_rust(self) -> None:
        """Two runs of the tool give the same text."""
        first, second = (run_transpiler(Depyler(), ADD).rust for _ in range(2))
        assert first == second


class TestTools:
    def test_a_crash_is_an_outcome(self, tmp_path: Path) -> None:
        """A tool that a signal ends has crashed on this program."""
        made = run_transpiler(Script("os.kill(os.getpid(), signal.SIGSEGV)", tmp_path / "log"), ADD)
        assert (made.outcome, made.message) == ("crashed", "ended by signal 11")

    def test_a_hang_is_an_outcome(self, tmp_path: Path) -> None:
        """A tool that does not end is stopped."""
        limits = Limits(wall_s=0.5, cpu_s=10, memory_bytes=1 << 30)
        assert run_transpiler(Script("signal.pause()", tmp_path / "log"), ADD, limits=limits).outcome == "timeout"

    def test_no_output_is_a_failure(self, tmp_path: Path) -> None:
        """A tool that ends well but wrote nothing has failed."""
        assert run_transpiler(Script("pass", tmp_path / "log"), ADD).outcome == "failed"

    def test_a_missing_tool_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A tool that is nowhere is named, with the command that installs it."""
        for name in ("PATH", "HOME", "XDG_CACHE_HOME"):
            monkeypatch.setenv(name, str(tmp_path))
        with pytest.raises(ToolError, match="cargo install depyler"):
            find("depyler")

    def test_an_unknown_transpiler_is_refused(self) -> None:
        """An unknown name is refused with those that there are."""
        with pytest.raises(ToolError, match="depyler"):
            transpiler("py2many")


class TestRustc:
    def test_errors_alone_are_kept(self) -> None:
        """Warnings and the closing summary are left out."""
        said = compile_rust('pub fn f() -> i32 { let x = 1; "a" }')
        assert [one.code for one in said.diagnostics] == ["E0308"]
        assert not said.ok

    def test_messages_name_no_place_of_this_machine(self) -> None:
        """Neither the temporary folder nor the toolchain's stands in what comes back."""
        said = compile_rust("pub fn f() { let x: Vec<i32> = (0..3).map(|x| x as f64).collect(); }")
        assert said.diagnostics
        assert not [text for text in (str(said.diagnostics),) if "/tmp" in text or ".rustup" in text]  # noqa: S108

    def test_a_wild_type_is_bounded(self) -> None:
        """What rustc itself gives up on is an outcome."""
        deep = "pub fn f() {" + "(" * 20_000 + "}"
        assert compile_rust(deep).outcome in ("failed", "crashed")

    def test_only_known_crates_are_asked_for(self) -> None:
        """A crate that depyler never writes is not fetched, whatever a Cargo.toml says; a damaged one asks for none."""
        assert wanted_crates('[dependencies]\nhex = "0.4"\nevil = { git = "https://example.com/x" }\n') == ["hex"]
        assert wanted_crates("[dependencies\n") == []
        assert wanted_crates("dependencies = 3") == []
        assert extern_options("") == []

    def test_a_crate_is_built_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A crate that a program asks for is built on first use; afterwards nothing but rustc runs."""
        monkeypatch.setenv("JIDOKA_CACHE_DIR", str(tmp_path))
        code = "pub fn f(x: &[u8]) -> String { hex::encode(x) }"
        toml = '[dependencies]\nhex = "0.4"\n'
        assert compile_rust(code).diagnostics[0].code == "E0433"
        assert compile_rust(code, toml).ok
        monkeypatch.setattr("producers.transpile.crates.find", pytest.fail)
        assert compile_rust(code, toml).ok


class TestCache:
    def test_the_same_is_never_done_twice(self, tmp_path: Path) -> None:
        """The same program with the same version runs the tool once; another version runs it again."""
        log, cache = tmp_path / "log", Cache(tmp_path / "cache")
        first, again = (transpile(ADD, Script(WRITES, log), cache=cache) for _ in range(2))
        assert (first.cached, again.cached, again.outcome, log.read_text()) == (False, True, "compiled", "x\n")
        assert transpile(ADD, Script(WRITES, log, version="2"), cache=cache).outcome == "compiled"
        assert log.read_text() == "x\nx\n"

    def test_failures_are_kept_too(self, tmp_path: Path) -> None:
        """What a tool refused is not tried again, and reads back the same."""
        log, cache = tmp_path / "log", Cache(tmp_path / "cache")
        tool = Script("sys.exit('error: no')", log)
        first, again = (transpile(ADD, tool, cache=cache) for _ in range(2))
        assert (first.message, again.message, again.cached, log.read_text()) == ("error: no", "error: no", True, "x\n")

    def test_damage_is_done_anew(self, tmp_path: Path) -> None:
        """A damaged file of the cache costs time, nothing else."""
        log, folder = tmp_path / "log", tmp_path / "cache"
        transpile(ADD, Script(WRITES, log), cache=Cache(folder))
        for path in folder.glob("??/*"):
            path.write_bytes(b"damaged")
        assert transpile(ADD, Script(WRITES, log), cache=Cache(folder)).outcome == "compiled"
        assert log.read_text() == "x\nx\n"

    def test_it_is_bounded(self, tmp_path: Path) -> None:
        """A sweep drops what was longest unused until the folder is below its bound."""
        cache = Cache(tmp_path, max_bytes=4_000)
        for number in range(20):
            cache.put(str(number), bytes(range(256)) * 2)
        dropped = cache.sweep()
        size = sum(path.stat().st_size for path in tmp_path.glob("??/*"))
        assert (dropped > 0, size <= 4_000) == (True, True)
        assert any(cache.get(str(number)) for number in range(20))

    def test_readers_see_whole_results(self, tmp_path: Path) -> None:
        """While others write the same key, a reader finds a whole content or none."""
        cache, contents = Cache(tmp_path), [bytes([number]) * 100_000 for number in range(4)]
        writers = [threading.Thread(target=lambda c=c: [cache.put("k", c) for _ in range(30)]) for c in contents]
        for writer in writers:
            writer.start()
        seen = {cache.get("k") for _ in range(200)}
        for writer in writers:
            writer.join()
        assert seen <= {None, *contents}


class TestInputsAndTable:
    def test_a_folder_comes_in_order(self, tmp_path: Path) -> None:
        """A folder's programs come by name, and what is no UTF-8 is passed over with its reason."""
        for name, content in (("b.py", b"1"), ("a.py", b"2"), ("c.py", b"\xff"), ("d.txt", b"")):
            (tmp_path / name).write_bytes(content)
        inputs = open_inputs(tmp_path)
        assert [one.name for one in inputs] == ["a.py", "b.py"]
        assert [name for name, _ in inputs.refused] == ["c.py"]

    @pytest.mark.parametrize("name", ["nothing.py", "notes.txt", "."])
    def test_what_holds_no_programs_is_refused(self, tmp_path: Path, name: str) -> None:
        """A missing file, another kind of file and an empty folder are refused with what is allowed."""
        (tmp_path / "notes.txt").write_text("x")
        with pytest.raises(InputsError, match="column source"):
            open_inputs(tmp_path / name)

    def test_results_go_round_through_parquet(self, tmp_path: Path) -> None:
        """What is written is read back, and can itself be an input."""
        path = tmp_path / "r.parquet"
        result = transpile(ADD, Script(WRITES, tmp_path / "log"), name="one")
        with writing(path, {"seed": 1}) as writer:
            writer.add(result)
        rows = list(read_results(path))
        assert [(row["program_id"], row["outcome"], row["diagnostics"]) for row in rows] == [("one", "compiled", "[]")]
        assert [(one.name, one.text) for one in open_inputs(path)] == [("one", ADD)]

    def test_a_failed_run_leaves_no_file(self, tmp_path: Path) -> None:
        """A file appears when all results are in it, else not at all."""

        def fail() -> None:
            with writing(tmp_path / "r.parquet", {}):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert list(tmp_path.iterdir()) == []

    def test_another_parquet_is_refused(self, tmp_path: Path) -> None:
        """A file of another kind is refused, not guessed at."""
        (tmp_path / "r.parquet").write_bytes(b"PAR1")
        with pytest.raises(TableError, match="Parquet"):
            list(read_results(tmp_path / "r.parquet"))

    def test_parallel_work_keeps_its_order(self) -> None:
        """Results come in the order of the items, and the source is read only a little ahead."""
        read: list[int] = []

        def items() -> object:
            for number in range(100):
                read.append(number)
                yield number

        results = in_parallel(lambda number: number * 2, items(), 4)  # type: ignore[arg-type]
        assert next(results) == 0
        assert len(read) <= 20
        assert list(results) == list(range(2, 200, 2))
