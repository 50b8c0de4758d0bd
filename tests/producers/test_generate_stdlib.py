"""The standard library as a source: signatures are typeshed's, behaviour is Python's own."""

from __future__ import annotations

import ast
import inspect
from random import Random

import pytest

from producers.generate.kinds import LEVELS
from producers.generate.program import Generated
from producers.generate.stdlib.docstrings import constants, examples, fit
from producers.generate.stdlib.observed import behaviour, function, outcome
from producers.generate.stdlib.schedule import SCHEDULE, Stdlib
from producers.generate.stdlib.strategies import (
    COMPOSITION,
    EDGE_CASES,
    ENUMERATION,
    ERRORS,
    EVERY,
    MINING,
    Strategy,
    pairs,
)
from producers.generate.stdlib.stubs import Signature, code_of, signatures
from producers.generate.stdlib.values import EDGES, NAN, PLAIN, written

FUNCTIONS = {one.path: one for one in signatures()}


def made(strategy: Strategy, count: int = 60) -> list[Generated]:
    """Return programs of a strategy."""
    return [strategy.make("expert", Random(seed)) for seed in range(count)]  # noqa: S311


class TestSignatures:
    def test_enough_functions(self) -> None:
        """At least forty functions of ten modules are read from the stubs."""
        assert len(FUNCTIONS) >= 100
        assert len({one.module for one in signatures()}) >= 15

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("math.atan2", ((("y", "f"), ("x", "f")), "f")),
            ("textwrap.shorten", ((("text", "s"), ("width", "i")), "s")),
            ("bisect.bisect_left", ((("a", "I"), ("x", "i")), "i")),
            ("difflib.get_close_matches", ((("word", "s"), ("possibilities", "S")), "S")),
            ("statistics.fmean", ((("data", "F"),), "f")),
            ("zlib.crc32", ((("data", "B"),), "i")),
        ],
    )
    def test_types(self, path: str, expected: tuple[object, str]) -> None:
        """Required parameters and results have the stubs' types; defaults are left to the function."""
        assert (FUNCTIONS[path].parameters, FUNCTIONS[path].returns) == expected

    def test_results_are_what_stubs_say(self) -> None:
        """What a function returns for values that it takes has the type that its signature names."""
        kinds = {"i": int, "f": float, "s": str, "b": bool, "I": list, "S": list, "F": list, "T": tuple, "P": tuple}
        for one in signatures():
            arguments = behaviour(one).good[0]
            given = [
                value.encode() if code == "B" else value
                for value, (_, code) in zip(arguments, one.parameters, strict=True)
            ]
            if one.returns and "%" not in one.squeezed(["x"] * len(given)):
                assert isinstance(function(one)(*given), kinds[one.returns]), one.path

    def test_unknown_annotations(self) -> None:
        """An annotation that programs have no type for has no code."""
        assert [code_of(ast.parse(text, mode="eval").body) for text in ("Callable[[int], str]", "bytes", "1")] == [
            None
        ] * 3
        assert code_of(None) is None


class TestBehaviour:
    def test_good_and_bad(self) -> None:
        """What a function raises is seen, by the nearest builtin exception."""
        assert behaviour(FUNCTIONS["math.sqrt"]).raises == ("ValueError",)
        assert behaviour(FUNCTIONS["statistics.mean"]).raises[-1] == "ValueError"
        assert outcome(FUNCTIONS["builtins.divmod"], (1, 0)) == "ZeroDivisionError"
        assert outcome(FUNCTIONS["builtins.divmod"], (1, 2)) is None

    def test_large_numbers_are_squeezed(self) -> None:
        """A function that would work for ages with a large number gets a small one."""
        assert outcome(FUNCTIONS["math.factorial"], (2**63,)) is None
        assert "% 20" in FUNCTIONS["math.factorial"].squeezed(["n"])

    @pytest.mark.parametrize("code", sorted(PLAIN))
    def test_values_are_written_as_they_are(self, code: str) -> None:
        """The text of a value is an expression for it."""
        for value in (*PLAIN[code], *EDGES[code]):
            text = written(value)
            if "float(" not in text:
                assert repr(ast.literal_eval(text)) == repr(value)
        assert written([NAN]) == '[float("nan")]'


class TestDocstrings:
    def test_examples(self) -> None:
        """Arguments of a docstring's examples are found, with integers as floats where floats are wanted."""
        signature = FUNCTIONS["statistics.fmean"]
        assert inspect.getdoc(function(signature))
        assert all(isinstance(value, float) for arguments in examples(signature) for value in arguments[0])
        assert examples(FUNCTIONS["difflib.get_close_matches"])[0][0] == "appel"

    def test_constants(self) -> None:
        """Numbers and quoted texts of the documentation are found."""
        assert any(constants(one) for one in signatures())
        assert all(len(values) <= 8 for one in signatures() for values in constants(one).values())

    def test_values_that_do_not_fit(self) -> None:
        """A value of another type is none."""
        assert [fit("a", "i"), fit([1, "a"], "I"), fit(True, "i"), fit("x" * 9_999, "s"), fit(1, "f")] == [
            *[None] * 4,
            1.0,
        ]

    def test_no_examples(self) -> None:
        """A function without examples has none, and mining goes by constants and types."""
        nothing = Signature("math", "acos", (("x", "f"),), "f")
        assert examples(nothing) == ()


class TestStrategies:
    @pytest.mark.parametrize("strategy", EVERY, ids=lambda one: one.name)
    def test_many_functions(self, strategy: Strategy) -> None:
        """A strategy gets round: programs call many functions, and no two seeds give one program."""
        programs = made(strategy, 120)
        assert len({one.key for one in programs}) > 60
        assert len({entry.returns for one in programs for entry in one.entries}) >= 3 or strategy is ERRORS

    def test_errors_are_raised(self) -> None:
        """Error induction tells the exceptions of its calls, each by a name that is caught."""
        for one in made(ERRORS):
            assert "except " in one.source
            assert "induce" in one.entries[0].function

    def test_edges_are_called_with_edges(self) -> None:
        """Edge cases pass values at the edges of types."""
        text = "\n".join(one.source for one in made(EDGE_CASES, 150))
        assert all(one in text for one in ('float("nan")', "-2147483648", "18446744073709551616", '""'))

    def test_composition_fits_types(self) -> None:
        """Composition gives a result to a parameter of its type, in one expression's steps."""
        assert len(pairs()) > 1_000
        assert all(inner.returns == outer.parameters[place][1] for inner, outer, place in pairs())
        assert all("middle = " in one.source for one in made(COMPOSITION))

    def test_mining_uses_the_documentation(self) -> None:
        """Mined programs have the documentation's own examples among them."""
        text = "\n".join(one.source for one in made(MINING, 1_500))
        assert '"appel"' in text

    def test_enumeration_documents(self) -> None:
        """A function that can raise says so in its entry point and in its docstring."""
        for one in made(ENUMERATION):
            for entry in one.entries:
                assert bool(entry.raises) == ('"""Raises' in one.source)

    def test_schedule(self) -> None:
        """Each level has its strategies, as the curriculum wants them, and all are on somewhere."""
        names = {level: [one.name for one in SCHEDULE[level]] for level in LEVELS}
        assert names == {
            "basic": ["docstring-mining", "type-enumeration"],
            "intermediate": ["edge-cases"],
            "advanced": ["error-induction", "edge-cases"],
            "expert": ["composition"],
        }
        assert {one for strategies in SCHEDULE.values() for one in strategies} == set(EVERY)

    def test_a_number_is_a_program(self) -> None:
        """The same seed and number give the same program."""
        assert Stdlib(3).candidate("basic", 17) == Stdlib(3).candidate("basic", 17)
