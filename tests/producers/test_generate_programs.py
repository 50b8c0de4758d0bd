"""Generated programs parse, have the types that they say, end, raise nothing undocumented, and repeat themselves."""

from __future__ import annotations

import ast
import builtins
import json
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mypy import api

from producers.generate.brackets import bare
from producers.generate.choices import CHOICES, choices_of, seed_of
from producers.generate.constants import BOUNDARY_KINDS, KINDS, literals
from producers.generate.draft import Draft
from producers.generate.fingerprint import fingerprint
from producers.generate.kinds import FEATURES, LEVEL_TYPES, LEVELS, TYPES, Level
from producers.generate.names import NAMES, RUST_WORDS
from producers.generate.profile import Profile, rules
from producers.generate.program import Generated, decode, program
from producers.generate.request import Candidate, Request
from producers.generate.run import Progress, batches
from producers.generate.tracing import TracingDraft
from producers.sandbox import Limits, run

HARNESS = Path(__file__).parent / "generated_harness.py"
LIMITS = Limits(wall_s=240, cpu_s=240, memory_bytes=4 << 30)
MODULES = {"math", "typing", "dataclasses", "asyncio"}
CALLABLE = set(dir(builtins)) - {
    *(
        "open",
        "input",
        "eval",
        "exec",
        "compile",
        "__import__",
        "globals",
        "locals",
        "vars",
        "id",
        "hash",
        "breakpoint",
    ),
    *("exit", "quit", "memoryview", "object", "dir", "getattr", "setattr", "delattr"),
}

every_level = pytest.mark.parametrize("level", LEVELS)
every_strategy = pytest.mark.parametrize(
    "strategy", ["random", "boundary", "swarm", "coverage", "stdlib", "exhaustive"]
)


def made(level: Level, count: int, depth: int = 3, *, boundary: bool = False) -> list[Generated]:
    """Return programs of a level."""
    profile = Profile(level, boundary=boundary)
    return [program(profile, seed_of(11, "test", index), depth) for index in range(count)]


def rows(strategy: str, level: Level, count: int, depth: int = 3, seed: int = 5) -> list[dict[str, Any]]:
    """Return rows of a corpus."""
    request = Request(strategy, count, depth, seed, level)
    return [row for batch in batches(request, Progress()) for row in batch.to_pylist()]


@pytest.fixture
def failures(tmp_path: Path) -> Callable[[list[dict[str, Any]]], list[str]]:
    """Return a function that runs programs in a confined process, and tells what they should not have done."""

    def harnessed(programs: list[dict[str, Any]]) -> list[str]:
        file = tmp_path / "programs.json"
        file.write_text(json.dumps(programs), encoding="utf-8")
        ran = run([sys.executable, "-I", str(HARNESS), str(file)], tmp_path, LIMITS, network=False)
        assert ran.status == 0, ran.errors
        found: list[str] = json.loads(ran.stdout)
        return found

    return harnessed


class TestRunning:
    @every_strategy
    def test_thousands_run(self, strategy: str, failures: Callable[[list[dict[str, Any]]], list[str]]) -> None:
        """Programs of all levels run, and their functions take all values of their types, or raise what they say."""
        programs = [row for level in LEVELS for row in rows(strategy, level, 100 if strategy == "coverage" else 250)]
        assert failures(programs) == []

    def test_deep_ones_run(self, failures: Callable[[list[dict[str, Any]]], list[str]]) -> None:
        """So do those that are nested as deep as can be asked for."""
        assert failures(rows("random", "expert", 80, depth=8) + rows("boundary", "expert", 80, depth=6)) == []

    def test_a_failure_would_be_seen(self, failures: Callable[[list[dict[str, Any]]], list[str]]) -> None:
        """The harness tells of a program that raises, of one that does not end, and of an exception not documented."""
        entry = {"function": "f", "parameters": [{"name": "x", "type": "int"}], "returns": "int", "raises": []}
        sources = [
            "raise ValueError",
            "def f(x: int) -> int:\n    return 1 // 0",
            "def f(x: int) -> int:\n    return x",
        ]
        found = failures([{"source": source, "entry_points": [entry]} for source in sources])
        assert len(found) == 2
        raising = entry | {"raises": ["ZeroDivisionError"]}
        assert failures([{"source": sources[1], "entry_points": [raising]}]) == []

    def test_output_does_not_depend_on_hashes(self, tmp_path: Path) -> None:
        """What programs print is the same whatever the seed of Python's hashes: no order of a set shows."""
        sources = [one.source for level in LEVELS for one in made(level, 150) if "print(" in one.source]
        script = tmp_path / "all.py"
        bodies = "\n".join(f"exec(compile({source!r}, 'x', 'exec'), {{'__name__': '__main__'}})" for source in sources)
        script.write_text(bodies, encoding="utf-8")
        outputs = {
            run(
                [sys.executable, "-S", str(script)],
                tmp_path,
                LIMITS,
                network=False,
                environment={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            ).stdout
            for seed in ("0", "1", "77")
        }
        assert len(outputs) == 1
        assert len(outputs.pop()) > 1_000


class TestText:
    @every_level
    @pytest.mark.parametrize("boundary", [False, True])
    def test_keys_are_fingerprints(self, level: Level, boundary: bool) -> None:
        """The key from the generator's own text tells the same programs apart as the one from the syntax tree."""
        programs = made(level, 400, 2, boundary=boundary)
        by_key: dict[int, set[int]] = {}
        for one in programs:
            by_key.setdefault(one.key, set()).add(fingerprint(one.source))
        assert all(len(found) == 1 for found in by_key.values())
        assert len({min(found) for found in by_key.values()}) == len(by_key)

    @every_level
    def test_entry_points(self, level: Level) -> None:
        """Entry points are the program's functions, with the names and annotations that the source has."""
        for one in made(level, 200):
            tree = ast.parse(one.source)
            functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
            for entry in one.entries:
                arguments = functions[entry.function].args.args
                written = tuple((each.arg, ast.unparse(each.annotation)) for each in arguments if each.annotation)
                assert written == tuple(entry.parameters)
                assert ast.unparse(functions[entry.function].returns or ast.Pass()) == entry.returns

    @every_level
    def test_nothing_but_printing(self, level: Level) -> None:
        """Programs import nothing that reads a clock, a file or chance, and call no builtin that could."""
        for one in made(level, 300, boundary=True):
            for node in ast.walk(ast.parse(one.source)):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    names = {node.module} if isinstance(node, ast.ImportFrom) else {each.name for each in node.names}
                    assert names <= MODULES
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and hasattr(builtins, node.func.id):
                    assert node.func.id in CALLABLE

    def test_types_hold(self, tmp_path: Path) -> None:
        """A type checker finds the annotations true; what it wants to know about empty containers aside."""
        files = []
        for level in LEVELS:
            for number, one in enumerate(made(level, 40)):
                file = tmp_path / f"{level}{number}.py"
                file.write_text(one.source, encoding="utf-8")
                files.append(str(file))
        options = ["--config-file=", f"--cache-dir={tmp_path / 'cache'}", "--no-error-summary", "--hide-error-context"]
        ignored = [f"--disable-error-code={code}" for code in ("no-redef", "var-annotated", "empty-body")]
        output, errors, _ = api.run([*options, *ignored, *files])
        assert (output, errors) == ("", "")

    def test_levels_grow(self) -> None:
        """Each level has the rules of those below it, and more."""
        tables = [{rule.number for table in Profile(level).expressions.values() for rule in table} for level in LEVELS]
        assert all(lower < higher for lower, higher in pairwise(tables))

    def test_names(self) -> None:
        """Names are lawful, of one list each, and no builtin is hidden but by the words of Rust."""
        names = [name for pool in NAMES.values() for name in pool]
        assert len(set(names)) == len(names)
        assert not set(names) & set(dir(builtins))
        assert all(name.isidentifier() for name in (*names, *RUST_WORDS))
        assert not set(names) & set(RUST_WORDS)


class TestChoices:
    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=300), st.sampled_from(LEVELS), st.booleans(), st.integers(1, 5))
    def test_all_bytes_are_a_program(self, choices: bytes, level: Level, boundary: bool, depth: int) -> None:
        """Whatever the choices are, and however few, there is a program, and always the same."""
        profile = Profile(level, boundary=boundary)
        one = decode(Draft(profile, choices), depth)
        ast.parse(one.source)
        assert decode(Draft(profile, choices), depth) == one
        assert decode(TracingDraft(profile, choices), depth) == one

    def test_seeds(self) -> None:
        """A program's choices follow from its seed; seeds of different runs, strategies and numbers differ."""
        assert len({seed_of(run, what, number) for run in (1, 2) for what in "ab" for number in range(50)}) == 200
        assert choices_of(7) == choices_of(7)
        assert len(choices_of(7)) == CHOICES

    def test_features_that_are_off_are_absent(self) -> None:
        """A profile without a feature makes no program that has it."""
        absent = {"classes": "class ", "comprehensions": "[k for", "slices": ":]", "loops": "for ", "main": "def main"}
        for feature, text in absent.items():
            kept = frozenset(FEATURES) - {feature} - ({"comprehensions", "generators"} if feature == "loops" else set())
            profile = Profile("expert", kept)
            sources = [program(profile, seed_of(3, feature, index), 3).source for index in range(150)]
            lines = [line for source in sources for line in source.splitlines()]
            assert not any(line.strip().startswith(text) if text.endswith(" ") else text in line for line in lines)


class TestTables:
    def test_every_rule_can_be_written(self) -> None:
        """No rule is dead: each is used in some program of the highest level."""
        profile, used = Profile("expert"), set()
        for index in range(4_000):
            draft = TracingDraft(profile, choices_of(seed_of(1, "rules", index)))
            decode(draft, 4)
            used |= {rule for _, rule in draft.pairs}
        there = {rule.number for table in profile.expressions.values() for rule in table}
        assert {rules()[number].template for number in there - used} == set()

    @pytest.mark.parametrize("kinds", [KINDS, BOUNDARY_KINDS])
    def test_literals_have_their_types(self, kinds: dict[str, tuple[str, ...]]) -> None:
        """There is a literal of each type, and each kind of constant has one; divisors are not zero."""
        found = literals(kinds)
        assert set(found) == set(TYPES)
        assert not {"0", "-0", "0.0"} & {*kinds["k"], *kinds["m"], *kinds["n"], *kinds["p"]}
        assert all(code in TYPES for level in LEVELS for code in LEVEL_TYPES[level])

    def test_parentheses(self) -> None:
        """Only parentheses around all of an expression go."""
        pairs = {"(a)": "a", "(a) + (b)": "(a) + (b)", "((a) + (b))": "(a) + (b)", "(a, b).x()": "(a, b).x()", "a": "a"}
        assert {text: bare(text) for text in pairs} == pairs

    def test_a_candidate_is_its_number(self) -> None:
        """A row can be made again from its seed alone."""
        request = Request("random", 10, 3, 42, "advanced")
        (batch,) = batches(request, Progress())
        for row in batch.to_pylist():
            again = Candidate(program(Profile("advanced"), row["seed"], 3), "random", row["seed"])
            assert again.program.source == row["source"]
