"""The whole way with rustc and the oracle: programs that compile afterwards and do what their Python does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from producers.fix.inputs import InputError, read_inputs
from producers.fix.output import cargo_messages, sarif, unified_diff, write_repaired
from producers.fix.repair import Repaired, document, repair
from producers.verify.oracle import verify

if TYPE_CHECKING:
    from tests.command import Jidoka

pytestmark = pytest.mark.skipif(shutil.which("rustc") is None, reason="needs rustc")

PYTHON = """
def ratio(hits: int, total: int) -> float:
    return hits / total


def first(words: list[str]) -> str:
    result = ""
    for word in words:
        if len(word) > len(result):
            result = word.upper().replace("A", "b")
    return result


def shift(xs: list[int], by: int) -> int:
    count: int = 0
    i: int = 0
    while i < len(xs):
        xs[i] = xs[i] % by
        count = count + xs[-1]
        i = i + 1
    return count
"""
RUST = """pub fn ratio(hits: i32, total: i32) -> f64 {
    (hits as f64).join(total)
}
pub fn first(words: &Vec<String>) -> String {
    words
}
pub fn shift(xs: &Vec<i32>, by: i32) -> i32 {
    xs[0] = 1.5;
    0
}
"""


@pytest.fixture(scope="module")
def done() -> Repaired:
    """Return a program repaired with its Python."""
    return repair("program.rs", RUST, PYTHON, budget_s=120)


def test_compiles_and_behaves(done: Repaired) -> None:
    """Zero errors, the same behaviour as the Python, nothing silenced, and no stub."""
    assert (done.errors_after, done.behaviour) == (0, "equal"), done.why
    assert "todo!" not in done.text
    assert document(done)["compiles"] is True


def test_without_the_python() -> None:
    """Patterns alone mend what they know; the behaviour is then said to be untestable, and why."""
    text = "pub fn ratio(hits: i32, total: f64) -> f64 {\n    (hits as f64).join(total)\n}\n"
    found = repair("program.rs", text, budget_s=60)
    assert found.compiles
    assert (found.behaviour, found.why) == ("untestable", "no Python source was given")


def test_wrong_suggestions_are_refused() -> None:
    """The ``PathBuf::new()`` that rustc offers for ``PathBuf(x)`` is not taken: the argument stays."""
    text = "pub fn f(x: &str) -> std::path::PathBuf {\n    std::path::PathBuf(x)\n}\n"
    assert "PathBuf::from(x)" in repair("program.rs", text, budget_s=60).text


def test_output(done: Repaired, tmp_path: Path) -> None:
    """Diff, SARIF and cargo's JSON say what changed; the file is written with the old one beside it."""
    assert unified_diff(done).startswith("--- a/program.rs")
    assert sarif([done])["runs"][0]["results"]
    assert cargo_messages(done)[0]["reason"] == "compiler-message"
    path = tmp_path / "program.rs"
    path.write_text(done.before)
    assert write_repaired(path, done).read_text() == done.before
    assert path.read_text() == done.text
    with pytest.raises(ValueError, match="has changed"):
        write_repaired(path, done)


def test_inputs(tmp_path: Path) -> None:
    """A Rust file takes the Python beside it; what is none is refused with what is allowed."""
    (tmp_path / "a.rs").write_text("fn a() {}")
    (tmp_path / "a.py").write_text("def a(): pass")
    (found,) = read_inputs(tmp_path)
    assert found.python == "def a(): pass"
    with pytest.raises(InputError, match=r"\.rs"):
        read_inputs(tmp_path / "a.py")


def test_command(tmp_path: Path, jidoka: Jidoka) -> None:
    """The command prints one document a file, and its exit status says whether all compile."""
    path = tmp_path / "a.rs"
    path.write_text("pub fn f() -> i32 {\n    1\n}\n")
    ran = jidoka("fix", path, "--json")
    assert ran.status == 0, ran.err
    assert ran.lines[0]["errors_before"] == 0
    assert jidoka("fix", tmp_path / "none.rs").status == 2


def test_what_can_be_mended_is_kept() -> None:
    """A program that cannot be mended as a whole keeps the functions that could be."""
    python = "def half(n: int) -> float:\n    return n / 2\n\ndef other(x):\n    return x.a\n"
    text = "pub fn half(n: i32) -> f64 {\n    n.half(2)\n}\npub fn other(x: i32) -> i32 {\n    x.a\n}\n"
    found = repair("program.rs", text, python, budget_s=60)
    assert (found.errors_before, found.errors_after) == (2, 1)
    assert "x.a" in found.text


def test_nothing_is_said_past_the_deadline() -> None:
    """A comparison whose time is over runs nothing and says that it knows nothing."""
    assert verify(PYTHON, RUST, deadline=0.0).why == "the time ran out"
