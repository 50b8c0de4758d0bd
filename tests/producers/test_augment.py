"""Variants of programs: those that promise to behave alike do, mutants differ in one place, gates turn away."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from random import Random

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.augment import Augmentation, Augmenter, Eda, GateError, Gates, Mutate, Template, check, read_gates
from producers.augment.eda import OPERATIONS
from producers.augment.flow import independent
from producers.augment.gates import Measured
from producers.augment.mutate import OPERATORS
from producers.augment.scores import distance, diversity, quality, similarity

ROOT = Path(__file__).parent.parent.parent

# Traps for who moves statements carelessly: shared lists, order of exceptions, names in comprehensions and closures.
PROGRAMS = {
    "mean": '''
def mean(values: list[int], least: int) -> int:
    """The mean of what is large enough."""
    total = 0
    count = 0
    never = 5
    for value in values:
        if value > least:
            total += value
            count += 1
    return total // count
''',
    "shared": """
def shared(values: list[int], more: int) -> list[int]:
    other = values
    other.append(more)
    size = len(values)
    copy = list(values)
    values.append(size)
    last = values[-1]
    copy.append(last)
    return copy
""",
    "order": """
def order(values: list[int], at: int) -> str:
    said = "none"
    try:
        first = values[at]
        said = "first"
        share = 10 // first
        said = "share"
        if share > 3:
            return "large"
            said = "never"
        said = said + str(share)
    except IndexError:
        said = said + " index"
    except ZeroDivisionError:
        said = said + " zero"
    return said
""",
    "names": """
def names(values: list[int], at: int) -> list[int]:
    x = at
    squares = [x * x for x in values]
    y = x
    bound = x + 1
    pick = [value for value in squares if value > bound]
    def inner(z: int) -> int:
        return z + y
    pick.append(inner(bound))
    return pick
""",
    "loop": """
def loop(values: list[int], at: int) -> list[int]:
    found: list[int] = []
    a = 1
    b = a
    a = 2
    while b < at:
        b = b + a
        a, b = b, a + 1
        found += [a]
        if len(found) > 20:
            break
            found = []
        pass
    else:
        found.append(-1)
    return found
""",
}
INPUTS = [([], 0), ([1, 2, 3], 1), ([0, 5, -7], 0), ([4], 3), ([10, 20, 0], 2), ([1], 9)]

DRIVER = """
import json, runpy, sys
inputs = json.loads(sys.argv[1])
for path in sys.stdin.read().split():
    name = path.rsplit("/", 1)[1].partition(".")[0]
    function = runpy.run_path(path)[name]
    said = []
    for values, at in inputs:
        values = list(values)
        try:
            said.append([repr(function(values, at)), values])
        except Exception as error:
            said.append([type(error).__name__, values])
    print(json.dumps(said))
"""


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - variants, not secrets


def behaviours(programs: list[tuple[str, str]], folder: Path) -> list[str]:
    """Return what each program (name and source) gives for all inputs, run in a process of its own."""
    paths = []
    for number, (name, source) in enumerate(programs):
        path = folder / f"{number}" / f"{name}.py"
        path.parent.mkdir()
        path.write_text(source)
        paths.append(str(path))
    done = subprocess.run(
        [sys.executable, "-I", "-c", DRIVER, json.dumps(INPUTS)],
        input="\n".join(paths),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


class TestEda:
    @pytest.mark.parametrize("operation", [*OPERATIONS, "all"])
    def test_variants_behave_like_their_originals(self, operation: str, tmp_path: Path) -> None:
        """Whatever is renamed, inserted, swapped or deleted: results, exceptions, changed arguments stay the same."""
        chances = dict.fromkeys(OPERATIONS, 0.5) if operation == "all" else {operation: 0.5}
        augmenter = Eda(chances)
        made = [
            (name, variant)
            for name, source in PROGRAMS.items()
            for seed in range(12)
            if (variant := augmenter.generate(source, seeded(seed)))
        ]
        assert len(made) >= 12
        found = behaviours([*PROGRAMS.items(), *made], tmp_path)
        expected = dict(zip(PROGRAMS, found, strict=False))
        assert found[len(PROGRAMS) :] == [expected[name] for name, _ in made]

    def test_all_that_is_dead_can_go(self) -> None:
        """Deleting everywhere removes what cannot run, what is never read and what does nothing."""
        deleted = Eda({"delete": 1.0}).generate(PROGRAMS["mean"], seeded(0))
        assert deleted == PROGRAMS["mean"].replace("    never = 5\n", "")
        deleted = Eda({"delete": 1.0}).generate(PROGRAMS["loop"], seeded(0)) or ""
        assert "found = []" not in deleted
        assert "pass" not in deleted

    def test_comments_and_layout_stay(self) -> None:
        """Only what was edited changes."""
        source = "def f(a: int) -> int:  # why\n    b = a   +   1  # because\n    return b\n"
        renamed = source.replace("b =", "b_1 =").replace("return b", "return b_1")
        assert Eda({"rename": 1.0}).generate(source, seeded(0)) == renamed

    @pytest.mark.parametrize("source", ["x = 1\n", "def f(a: int) -> int:\n    return a\n", "def f(:\n"])
    def test_nothing_to_do(self, source: str) -> None:
        """A program without a place, or one that does not parse, has no variant."""
        assert Eda({"swap": 1.0, "delete": 1.0, "rename": 1.0}).generate(source, seeded(0)) is None

    @pytest.mark.parametrize("chances", [{"shuffle": 0.1}, {"swap": 1.1}, {"swap": -0.1}])
    def test_options(self, chances: dict[str, float]) -> None:
        """An operation that is none, or a probability that is none, is refused."""
        with pytest.raises(ValueError, match=r"no operation|a probability is 0 to 1"):
            Eda(chances)


@pytest.mark.parametrize(
    ("first", "second", "free"),
    [
        ("x = 1", "y = 2", True),
        ("x = 1", "y = x", False),
        ("x = y", "y = 1", False),
        ("x = 1", "x = 2", False),
        ("x += 1", "y = z", True),
        ("x += z", "y = w", False),  # x may be a list that w is too
        ("xs.append(1)", "y = 0", True),
        ("xs.append(1)", "y = ys", False),  # ys may be xs
        ("x = a[0]", "y = 1", True),
        ("x = a[0]", "y = 1 // b", False),  # which of the two exceptions comes first can be seen
        ("print(1)", "print(2)", False),
        ("print(1)", "return 2", False),
        ("x = len(a)", "y = len(b)", True),
    ],
)
def test_independence(first: str, second: str, free: bool) -> None:
    """Neighbours may change places only if no run could tell, in either order."""
    one, two = (ast.parse(text).body[0] for text in (first, second))
    assert independent(one, two) is independent(two, one) is free


def test_what_a_handler_can_see() -> None:
    """Under a handler, what was written before an exception is seen: there a write does not pass what may raise."""
    one, two = ast.parse("x = a[0]\ny = 1").body
    assert independent(one, two)
    assert not independent(one, two, guarded=True)


class TestMutate:
    @pytest.mark.parametrize(
        ("operator", "source", "mutants"),
        [
            ("aor", "x = a + b\n", {"x = a - b\n", "x = a * b\n"}),
            ("aor", "x = a // b\n", {"x = a % b\n"}),
            ("ror", "x = a == b\n", {f"x = a {sign} b\n" for sign in ("<", "<=", ">", ">=", "!=")}),
            ("lor", "x = a and b\n", {"x = a or b\n"}),
            ("uoi", "if a < 1:\n    pass\n", {"if not (a < 1):\n    pass\n"}),
            ("crp", "x = 0\n", {"x = (-1)\n", "x = 1\n", "x = 2\n"}),
        ],
    )
    def test_operators(self, operator: str, source: str, mutants: set[str]) -> None:
        """Each operator makes the mutants that it is known for, and no others."""
        made = {Mutate((operator,)).generate(source, seeded(seed)) for seed in range(60)}
        assert made == mutants

    @pytest.mark.parametrize("source", ['x = "a" + b\n', "x = [1] + b\n"])
    def test_text_and_lists_have_no_minus(self, source: str) -> None:
        """What cannot be numbers is left alone."""
        assert Mutate(("aor",)).generate(source, seeded(0)) is None

    @settings(max_examples=30, deadline=None)
    @given(st.sampled_from(sorted(PROGRAMS)), st.integers(0, 1_000))
    def test_one_place(self, name: str, seed: int) -> None:
        """A mutant parses and differs in one line."""
        before, mutant = PROGRAMS[name], Mutate().generate(PROGRAMS[name], seeded(seed)) or ""
        ast.parse(mutant)
        lines = zip(before.splitlines(), mutant.splitlines(), strict=True)
        assert sum(one != other for one, other in lines) == 1

    def test_options(self) -> None:
        """An operator that is none is refused."""
        with pytest.raises(ValueError, match=f"no operator xor; there are {', '.join(OPERATORS)}"):
            Mutate(("xor",))


def test_templates_call_what_is_there(tmp_path: Path) -> None:
    """A caller of a known shape stands after the program, which is left as it was, and runs."""
    source = "def half(value: int) -> int:\n    return value // 2\n"
    made = {Template().generate(source, seeded(seed)) or "" for seed in range(60)}
    assert len(made) == 6
    assert all(one.startswith(source) and "half_all_1" in one for one in made)
    use = "\n\ndef run(values: list[int], at: int) -> object:\n    return half_all_1(values)\n"
    mapped = [one + use for one in made if "[half(value) for" in one]
    (said,) = behaviours([("run", mapped[0])], tmp_path)
    assert [one for one, _ in json.loads(said)][1] == "[0, 1, 1]"
    assert Template().generate("def two(a: int, b: int) -> int:\n    return a\n", seeded(0)) is None


@pytest.mark.parametrize("augmenter", [Eda(), Mutate(), Template()], ids=lambda one: one.name)
class TestContract:
    """What every augmenter promises."""

    def test_protocol(self, augmenter: Augmenter) -> None:
        """It is an augmenter, and its scores are shares."""
        assert isinstance(augmenter, Augmenter)
        one, two = PROGRAMS["mean"], PROGRAMS["loop"]
        assert 0.0 <= augmenter.quality_score(one, two) <= 1.0
        assert 0.0 < augmenter.diversity_score([one, two]) <= 1.0

    def test_seeded(self, augmenter: Augmenter) -> None:
        """The same seed gives the same variant; some other seed another."""
        source = PROGRAMS["mean"] + "\n\ndef g(a: int) -> int:\n    return a\n"
        made = [augmenter.generate(source, seeded(seed)) for seed in range(10)]
        assert made == [augmenter.generate(source, seeded(seed)) for seed in range(10)]
        assert len(set(made)) > 1

    def test_variants_parse_and_differ(self, augmenter: Augmenter) -> None:
        """A variant is a program, and not its original."""
        for source in PROGRAMS.values():
            for seed in range(5):
                made = augmenter.generate(source, seeded(seed))
                assert made != source
                cst.parse_module(made or "")


class TestScores:
    def test_equal_and_different(self) -> None:
        """Equal programs are similar and not distant; unlike ones are less similar; what is none is unlike all."""
        one, two = PROGRAMS["mean"], PROGRAMS["order"]
        assert (similarity(one, one), distance(one, one), diversity([one, one])) == (pytest.approx(1.0), 0.0, 0.0)
        assert 0.0 < similarity(one, two) < 1.0
        assert (similarity(one, "def ("), distance(one, "def ("), quality(one, "def (")) == (0.0, 1.0, 0.0)

    def test_quality(self) -> None:
        """A copy, another signature and another size each cost."""
        source = PROGRAMS["mean"]
        assert quality(source, source) == 0.75
        assert quality(source, source.replace("5", "6")) == 1.0
        assert quality(source, source.replace("least: int", "least: float")) == 0.75
        assert quality(source, source + source.replace("def mean", "def _more")) == pytest.approx(0.875, abs=0.01)


class TestGates:
    def test_the_projects_file_has_the_defaults(self) -> None:
        """``quality-gates.toml`` says what holds without a file."""
        assert read_gates(ROOT / "quality-gates.toml") == Gates()

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("[gates]\nqualty = 0.5", "no gate qualty; there are syntax_validity, diversity"),
            ("quality = 2", "quality = 2: a number from 0 to 1"),
            ("max_factor = true", "max_factor = True"),
            ("gates = 3", "gates is no table"),
            ("[", "Expected|Invalid"),
        ],
    )
    def test_mistakes(self, text: str, why: str, tmp_path: Path) -> None:
        """A file that cannot be meant is refused with the place."""
        path = tmp_path / "gates.toml"
        path.write_text(text)
        with pytest.raises(GateError, match=why):
            read_gates(path)

    def test_each_gate_has_its_condition(self) -> None:
        """Too many turned away is one condition of the andon, too little diversity the other."""
        found = check(Measured(syntax_validity=0.9, diversity=0.1, rejection=0.5), Gates())
        assert [(one.gate, one.condition) for one in found] == [
            ("rejection", "HighRejectionRate"),
            ("syntax_validity", "HighRejectionRate"),
            ("diversity", "DiversityCollapse"),
        ]
        assert check(Measured(1.0, 0.5, 0.25), Gates()) == []


class TestAugmentation:
    def test_factor(self) -> None:
        """On average each program gets the factor's number of programs, itself counted; none twice."""
        run = Augmentation([Eda(), Mutate()], Gates(), factor=3.5, seed=1)
        programs = [PROGRAMS["mean"].replace("5", str(number)) for number in range(60)]
        made = list(run.variants(programs))
        assert abs(len(made) / len(programs) - 2.5) < 0.3
        assert len({(one.original, one.source) for one in made}) == len(made)
        assert check(run.tally.measured(), Gates(diversity=0.0)) == []

    def test_same_seed_same_variants(self) -> None:
        """A program's variants do not depend on which programs stand before it."""
        one = list(Augmentation([Eda()], Gates(), 4.0, seed=7).variants(PROGRAMS.values()))
        other = list(Augmentation([Eda()], Gates(), 4.0, seed=7).variants(reversed(PROGRAMS.values())))
        assert sorted(one) == sorted(other)
        assert one != list(Augmentation([Eda()], Gates(), 4.0, seed=8).variants(PROGRAMS.values()))

    def test_what_is_not_good_enough_is_turned_away(self) -> None:
        """Variants that are too unlike, or behave otherwise, are turned away and counted; the gate is not passed."""
        strict = Gates(semantic_similarity=1.0)
        run = Augmentation([Template()], strict, 3.0, seed=1)
        assert list(run.variants(["def half(value: int) -> int:\n    return value // 2\n"])) == []
        assert run.tally.rejected.total() > 0
        assert check(run.tally.measured(), strict)[0].condition == "HighRejectionRate"
        run = Augmentation([Eda(), Mutate()], Gates(), 3.0, seed=1, same=lambda _, __: False)
        assert {one.augmenter for one in run.variants(PROGRAMS.values())} == {"mutate"}
        assert set(run.tally.rejected) == {"behaves otherwise"}

    def test_factor_beyond_the_gate(self) -> None:
        """More than the gates allow is refused."""
        with pytest.raises(ValueError, match="factor 11: 1 to 10"):
            Augmentation([Eda()], Gates(), 11.0, seed=1)
