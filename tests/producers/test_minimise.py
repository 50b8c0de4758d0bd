"""Failing programs get smaller and keep failing; of a kind one is kept; what is written can be run again."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.demo.compose import programs
from producers.minimise.edits import candidates, size
from producers.minimise.failure import Failure, constructs, failures
from producers.minimise.findings import Collection, FindingError, described, holds, read, shrunk, write
from producers.minimise.reproduction import literal
from producers.minimise.shrink import minimise
from producers.transpile.tools import find
from producers.transpile.transpiler import Depyler
from producers.verify.rust_types import parse_type

LONG = '''
"""A program with much that does not matter."""
import math


def area(r: float) -> float:
    # a circle
    return math.pi * r * r


def pick(xs: list[int], at: int) -> int:
    """Pick one."""
    total = 0
    for x in xs:
        if x > 3:
            total += x // 2
    return total + xs[at]
'''


class TestShrink:
    def test_only_what_fails_is_left(self) -> None:
        """Of a long program little is left but the statement that the failure needs."""
        left = minimise(LONG, lambda text: "//" in text and "def pick" in text)
        assert left.splitlines()[0].startswith("def pick")
        assert len(left.splitlines()) <= 3
        assert "area" not in left

    def test_a_budget_ends_it(self) -> None:
        """No more candidates are tried than allowed, and what comes back still fails."""
        asked: list[str] = []

        def fails(text: str) -> bool:
            asked.append(text)
            return "//" in text

        assert "//" in minimise(LONG, fails, tried=5)
        assert len(asked) <= 6

    @settings(max_examples=12, deadline=None)
    @given(st.sampled_from([program.source for program in programs()[:60]]))
    def test_every_candidate_is_smaller_and_parses(self, source: str) -> None:
        """Whatever is cut, what is left is Python, smaller than before."""
        before = size(ast.unparse(ast.parse(source)))
        for candidate in list(candidates(source))[:20]:
            ast.parse(candidate)
            assert size(candidate)[0] <= before[0]


class TestFindings:
    def test_a_real_failure_becomes_a_folder_that_runs(self, tmp_path: Path) -> None:
        """A failure of depyler is shrunk to its function, written, read back, holds, and its main shows it again."""
        source = (
            "def other(a: int) -> int:\n    return a\n\n\n"
            "def pick(xs: list[int], i: int) -> int:\n    if i < len(xs):\n        return xs[i]\n    return 0\n"
        )
        (failure,) = failures(source, Depyler())
        assert (failure.stage, failure.kind, failure.function) == ("verify", "panic", "pick")
        made = shrunk(source, failure, Depyler(), tried=5)
        assert made is not None
        finding, last = made
        assert "other" not in finding.program
        place = write(tmp_path, finding, last)
        assert read(tmp_path) == [finding]
        assert holds(finding, Depyler())
        subprocess.run([find("rustc"), "--edition=2021", "main.rs"], cwd=place, check=True, capture_output=True)
        shown = subprocess.run(["./main"], cwd=place, capture_output=True, check=False)
        assert b"IndexError" in shown.stderr
        python = [sys.executable, "-c", f"from program import *; print({finding.call})"]
        assert (
            subprocess.run(python, cwd=place, capture_output=True, check=True).stdout.decode().strip()
            == finding.expected
        )

    def test_of_a_kind_the_smallest_is_kept(self) -> None:
        """Findings with equal constructs are one, counted; another construct is another finding."""
        failure = Failure("verify", "value", "f", "", "", "")
        known = Collection()
        for source in ("def f(a):\n    return a // 22", "def f(a):\n    return a // 2", "def f(a):\n    return a % 2"):
            known.add(described(source, failure, Depyler()), failure)
        assert {(one.program[-6:], one.seen) for one, _ in known} == {("a // 2", 2), (" a % 2", 1)}

    def test_constructs_tell_operators_and_methods(self) -> None:
        """A function's constructs name its operators and the methods it calls, not its names or numbers."""
        words = constructs("def f(text: str) -> int:\n    return text.find('a') // 7", "f")
        assert {".find()", "FloorDiv"} <= set(words)
        assert not [word for word in words if "text" in word or "7" in word]

    def test_a_damaged_document_is_told(self, tmp_path: Path) -> None:
        """A folder that holds something else is refused with its name."""
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "finding.json").write_text("{}")
        with pytest.raises(FindingError, match=r"finding\.json"):
            read(tmp_path)

    @pytest.mark.parametrize(
        ("value", "kind", "text"),
        [
            ([1, 2], "&Vec<i32>", "vec![1i32, 2i32]"),
            (
                {"a": [1.5]},
                "HashMap<String, Vec<f64>>",
                'std::collections::HashMap::from([("a".to_string(), vec![1.5f64])])',
            ),
            (None, "Option<&str>", "None"),
            ((True, 'q"\n'), "(bool, String)", '(true, "q\\"\\n".to_string(),)'),
        ],
    )
    def test_values_are_written_as_rust(self, value: object, kind: str, text: str) -> None:
        """A value of Python is written as Rust of its type."""
        assert literal(value, parse_type(kind)) == text
