"""The bundled failures: enough of them, of many kinds, free of machine paths, and made again by the real tools."""

from __future__ import annotations

import ast
import gzip
import os
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from models.records import CompilerErrors
from models.taxonomy import rule_for
from producers.demo import failures, failures_path
from producers.demo.build import main
from producers.demo.compose import programs
from producers.demo.toolchain import INSTALL, stable_order

MACHINE_PATH = re.compile(
    rb"/(?:home|Users|root|tmp|var|work|opt|mnt|private|github|builds)/"
    rb"|/rustc/|\.rustup|\.cargo/|jidoka-demo-\w|long-type-|[A-Za-z]:\\\\\\\\?(?:Users|Windows)"
)
REBUILT = 5


@pytest.fixture(scope="module")
def bundled() -> list[CompilerErrors]:
    """Return the bundled records, parsed once."""
    return list(failures())


def test_there_are_at_least_300_failures_with_unique_ids(bundled: list[CompilerErrors]) -> None:
    """The bundle parses to 300 records or more, in order of time, and no two share an id or a program."""
    assert len(bundled) >= 300
    assert len({record.id for record in bundled}) == len(bundled)
    assert len({record.program_id for record in bundled}) == len(bundled)
    assert [record.time for record in bundled] == sorted(record.time for record in bundled)


def test_every_record_says_where_it_comes_from(bundled: list[CompilerErrors]) -> None:
    """Each record names project, tool, toolchain, source language and a program that the composer still makes."""
    known = {program.id for program in programs()}
    origins = {(r.project, r.tool, r.toolchain, r.source_language) for r in bundled}
    assert origins == {("depyler-demo", "rustc", "rustc 1.95.0", "python")}
    assert {record.program_id for record in bundled} <= known


def test_the_failures_are_varied(bundled: list[CompilerErrors]) -> None:
    """There are 25 codes and 8 labels or more, and no code has more than 40 % of the diagnostics."""
    diagnostics = [diagnostic for record in bundled for diagnostic in record.diagnostics]
    codes = Counter(diagnostic.code for diagnostic in diagnostics)
    rules = [rule_for(diagnostic.code, diagnostic.message) for diagnostic in diagnostics]
    assert len(codes.keys() - {None}) >= 25
    assert max(codes.values()) <= 0.4 * len(diagnostics)
    assert len({rule.label for rule in rules if rule}) >= 8


def test_only_errors_are_kept(bundled: list[CompilerErrors]) -> None:
    """Warnings and rustc's closing summary line are in no record."""
    diagnostics = [diagnostic for record in bundled for diagnostic in record.diagnostics]
    assert {diagnostic.level for diagnostic in diagnostics} == {"error"}
    assert not [diagnostic for diagnostic in diagnostics if diagnostic.message.startswith("aborting due to")]


def test_no_text_holds_a_path_of_a_machine() -> None:
    """No byte of the bundle names a folder of the machine that made it."""
    content = gzip.decompress(failures_path().read_bytes())
    assert MACHINE_PATH.search(content) is None


def test_the_bundle_is_small() -> None:
    """The bundle stays under a megabyte, because it ships in the wheel."""
    assert failures_path().stat().st_size < 1 << 20


def test_programs_are_distinct_python() -> None:
    """Composed programs are valid Python, no two alike, and the same on every call."""
    made = programs()
    assert len({program.source for program in made}) == len(made)
    assert made == programs()
    for program in made:
        ast.parse(program.source)


def test_a_program_brings_along_what_it_uses() -> None:
    """A definition of a topic that a program uses, and every module it names, is defined or imported in it."""
    sources = [program.source for program in programs()]
    life = next(source for source in sources if "def life(" in source)
    assert "def neighbours(" in life
    counting = next(source for source in sources if "def most_common(" in source)
    assert "from collections import Counter" in counting
    assert not [s for s in sources if "(Account)" in s and "class Account:" not in s]


def test_unstable_orders_of_depyler_are_sorted() -> None:
    """Two outputs that differ only in the order of lifetimes or of default declarations become one."""
    count, total = (f"    let mut {name}: i32 = Default::default();\n" for name in ("count", "total"))
    one = f"pub fn f<'b, 'a>(x: &'a str) {{\n{total}{count}}}\n"
    two = f"pub fn f<'a, 'b>(x: &'a str) {{\n{count}{total}}}\n"
    assert stable_order(one) == stable_order(two) == two


def test_a_missing_tool_is_named_with_its_install_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without depyler on the PATH the script ends with 1, says how to install it and writes nothing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--limit", "1", "--output", str(tmp_path / "out.gz")]) == 1
    assert INSTALL["depyler"] in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out.gz").exists()


def test_a_part_never_overwrites_the_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    """A limited build without an output file is refused."""
    before = failures_path().read_bytes()
    assert main(["--limit", "1"]) == 1
    assert "--output" in capsys.readouterr().err
    assert failures_path().read_bytes() == before


def test_a_program_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """--show prints the Python source behind a record; an unknown id names the ones there are."""
    assert main(["--show", "p0000"]) == 0
    assert capsys.readouterr().out == programs()[0].source
    assert main(["--show", "nothing"]) == 1
    assert "p0000" in capsys.readouterr().err


@pytest.mark.integration
def test_depyler_and_rustc_make_the_same_records_again(tmp_path: Path, bundled: list[CompilerErrors]) -> None:
    """The first programs, run through the real tools once more, give byte for byte the bundled records."""
    missing = [name for name in INSTALL if shutil.which(name) is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"not on the PATH: {', '.join(missing)}; install: {'; '.join(INSTALL[name] for name in missing)}")
    output = tmp_path / "part.jsonl.gz"
    assert main(["--limit", str(REBUILT), "--output", str(output)]) == 0
    first = {program.id for program in programs()[:REBUILT]}
    wanted = [record.to_bytes() for record in bundled if record.program_id in first]
    assert wanted
    assert gzip.decompress(output.read_bytes()).splitlines() == wanted
