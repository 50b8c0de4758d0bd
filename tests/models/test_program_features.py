"""Features of Python programs: what is looked at, what never is, and that no source can do harm."""

from __future__ import annotations

import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.hashing import name_hash
from models.programs.features import MAX_NAME, MAX_NAMES, MAX_SOURCE, UNPARSABLE, constructs, parse, program_parts
from models.programs.shapes import sketch
from models.programs.types import Types, annotation


def names(source: str) -> set[str]:
    """Return the names of a program's features."""
    return {name for part in program_parts(source) for name in part.names}


CONSTRUCTS = [
    ("async def f(): await g()", {"async def", "await"}),
    ("def f(*rest: int, **more: int) -> None: pass", {"*args", "**kwargs"}),
    ("def f(a, b: int = 1) -> None: pass", {"untyped parameter", "default argument"}),
    ("def f(a: list[int] = []) -> None: pass", {"mutable default"}),
    ("def f(a: Any) -> None: pass", {"Any parameter"}),
    ("def f(): yield 1", {"yield", "untyped return"}),
    ("class A(B): pass", {"class with bases", "class of C"}),
    ("class A(Exception): pass", {"class of Exception"}),
    ("@dataclass\nclass A: pass", {"class", "decorator dataclass"}),
    ("[x for x in y]\n{x: 1 for x in y}", {"list comprehension", "dict comprehension"}),
    ("import os.path\nfrom re import sub", {"import os.path", "import re"}),
    ("try:\n    pass\nexcept:\n    pass\nfinally:\n    pass", {"except", "bare except", "finally"}),
    ("for a, b in c:\n    pass\nelse:\n    pass", {"for", "for with unpacking", "loop else"}),
    ("a[-1]\nb[1:-2]\nc[::2]", {"negative index", "negative slice", "slice with step"}),
    ("0 < a < 2 in b is c", {"chained comparison", "in", "is"}),
    ("print(f'{a:>8}{b!r}')", {"f-string", "format specification", "format conversion"}),
    ("a = b = 2**40\nc = 99999999999", {"chained assignment", "power", "big integer"}),
    ("a, b = b, a", {"unpacking"}),
    ("x = a ^ b", {"bit operation"}),
]


class TestConstructs:
    @pytest.mark.parametrize(("source", "expected"), CONSTRUCTS)
    def test_named(self, source: str, expected: set[str]) -> None:
        """Each construct is called by its name."""
        assert expected <= set(constructs(source))

    def test_only_what_is_there(self) -> None:
        """A program without any of them has none, and they come in alphabetical order, each once."""
        assert constructs("x = 1") == ()
        assert constructs("lambda: 0\nlambda: 1\nassert x") == ("assert", "lambda")


class TestFeatures:
    def test_types_that_meet(self) -> None:
        """Annotations, literals and loops say which types meet."""
        found = names(
            "def f(a: dict[str, int], b: str) -> int:\n    for k in a:\n        b += k\n    return a[b] / 2\n"
        )
        assert {"type:str Add= str", "type:Div int int", "type:return int <- float"} <= found
        assert "signature:(dict[str,int],str) -> int" in found

    def test_a_name_has_its_old_type_on_the_right(self) -> None:
        """In ``x = x.split()`` the ``x`` that is split is still a text."""
        assert "type:method str.split/0" in names("def f(x: str) -> None:\n    x = x.split()\n")

    def test_types_end_with_their_function(self) -> None:
        """What a name is in one function says nothing of the same name in the next."""
        found = names("def f(x: str) -> None:\n    x + x\ndef g(x) -> None:\n    x * x\n")
        assert {"type:Add str str", "type:Mult ? ?"} <= found

    def test_shape_of_a_comparison(self) -> None:
        """A comparison is described by what stands on its sides and by where it stands."""
        assert "shape:If.test : v[v] Gt v[(Add)]" in names("if a[i] > a[i + 1]:\n    pass\n")

    def test_size(self) -> None:
        """How often a kind of statement stands there is told in powers of two; how long the program is, is not."""
        found = {name for name in names("if x: pass\n" * 5) if name.startswith("size:If")}
        assert found == {"size:If 1", "size:If 2", "size:If 4"}
        assert names("x = 1\n") == names("x = 1\n" * 99) - {"order:Assign Assign"}

    def test_own_names_texts_and_comments_are_no_features(self) -> None:
        """Identifiers of the program's own, its texts and its comments change nothing: they would name the project."""
        one = (
            'def parse(line: str) -> int:\n    """Zebra."""\n    rest = line + "zebra"  # zebra\n    return len(rest)\n'
        )
        two = 'def zebra(zed: str) -> int:\n    """Lion!"""\n    yak = zed + "lions"\n    return len(yak)\n'
        assert names(one) == names(two)

    def test_hashes_belong_to_names(self) -> None:
        """Every feature stands once, in one part, with the hash of its name."""
        found = program_parts("def f(a: int) -> int:\n    return [a for a in range(a)][0]\n")
        listed = [name for part in found for name in part.names]
        assert len(listed) == len(set(listed))
        assert b"".join(part.hashes for part in found) == b"".join(name_hash(name) for name in listed)

    def test_asked_twice(self) -> None:
        """The same program has the same features every time, and what is returned can be changed without harm."""
        first = program_parts("x = 1")
        kept = list(first)
        first.clear()
        assert program_parts("x = 1") == kept


NESTED = [
    "(" * 5_000,
    "-" * 100_000 + "1",
    "not " * 50_000 + "x",
    "~ " * 300 + "1",
    "x = " + "a." * 50_000 + "b",
    "x = " + "a[" * 150 + "0" + "]" * 150,
    "x = " + "1 + " * 3_000 + "1",
    "x = 1" + " ** 1" * 5_000,
    "x = " + "f(" * 90 + ")" * 90,
    "if x:\n    pass\n" + "elif x:\n    pass\n" * 2_000,
    "".join(" " * depth + "if x:\n" for depth in range(99)) + " " * 99 + "pass\n",
    "lambda: " * 5_000 + "0",
    "x = '''",
    "\0",
    "x = 1\0",
    "\ud800",
    "x = '\ud800'",
    "# -*- coding: nonsense -*-\nx = 1",
    "x = " + "9" * 10_000,
    "def f(:",
    "",
]


class TestHostile:
    @pytest.mark.parametrize("source", NESTED, ids=range(len(NESTED)))
    def test_nesting_and_nonsense(self, source: str) -> None:
        """Whatever comes is described: deep nesting, broken text, no program at all."""
        assert isinstance(constructs(source), tuple)
        assert all(part.hashes for part in program_parts(source))

    @given(st.text(max_size=200))
    @example("x = 0777")
    @example("x = '\\d'")
    def test_any_text(self, source: str) -> None:
        """Any text has features or none, and raises nothing, not even a warning."""
        assert all(len(name) <= MAX_NAME for name in names(source))

    def test_unparsable_is_said(self) -> None:
        """What is no program says so, and is described by its tokens without the names it uses."""
        assert constructs("def f(:") == (UNPARSABLE,)
        assert {"construct:unparsable", "token:v (", "token:( :"} <= names("def f(:")
        assert "def" not in " ".join(names("zebra def f(:"))

    def test_no_warning_is_anyone_elses(self) -> None:
        """A program's own deprecated escapes are not reported: warnings are errors in these tests."""
        assert parse("x = '\\d'") is not None

    def test_a_very_long_program_is_cut_between_its_functions(self) -> None:
        """Of a program beyond the limit, what comes before the cut is read as if it stood alone."""
        one = "def f(a: int) -> int:\n    return a\n\n"
        whole = parse(one * (MAX_SOURCE // len(one) + 99))
        assert whole is not None
        assert 0 < len(whole.body) <= MAX_SOURCE // len(one)

    def test_a_very_long_program_without_functions_is_described_by_its_tokens(self) -> None:
        """Where nothing can be cut off, nothing is parsed."""
        assert constructs("x = 1\n" * MAX_SOURCE) == (UNPARSABLE,)

    def test_features_are_bounded(self) -> None:
        """However many different things a program does, each group of features has its bound."""
        source = "".join(f"import m{number}\n" for number in range(9_000))
        assert max(len(part.names) for part in program_parts(source)) <= MAX_NAMES

    def test_nothing_is_run(self) -> None:
        """A program is read, never executed."""
        assert "construct:raise" in names("raise SystemExit(3)")


TYPES = [
    ("1", "int"),
    ("None", "None"),
    ("[1.5]", "list[float]"),
    ("{'a': [1]}", "dict[str,list[int]]"),
    ("{'a': [1]}['a'][0]", "int"),
    ("('a', 1)[0]", "str"),
    ("1 / 2", "float"),
    ("not 1", "bool"),
    ("'a'.split()", "list[str]"),
    ("sorted('ab')", "list[str]"),
    ("max([1, 2])", "int"),
    ("[1][1:]", "list[int]"),
    ("{1: 'a'}.get(1)", "str"),
    ("f'{x}'", "str"),
    ("x", "?"),
    ("own(1)", "tuple[int,str]"),
    ("Own()", "C"),
    ("lambda: 1", "lambda"),
]


class TestTypes:
    @pytest.mark.parametrize(("source", "expected"), TYPES)
    def test_of_expressions(self, source: str, expected: str) -> None:
        """Expressions have the type that literals, annotations and known calls say."""
        tree = ast.parse("class Own: pass\ndef own(a: int) -> tuple[int, str]: pass\n" + source)
        last = tree.body[-1]
        assert isinstance(last, ast.Expr)
        assert Types(ast.walk(tree)).of(last.value, {}) == expected

    @pytest.mark.parametrize(
        ("source", "expected"),
        [("List[int]", "list[int]"), ("typing.Optional[Token]", "Optional[C]"), ("int | None", "int|None"), ("1", "?")],
    )
    def test_of_annotations(self, source: str, expected: str) -> None:
        """Annotations have one spelling."""
        assert annotation(ast.parse(source, mode="eval").body) == expected

    @pytest.mark.parametrize(
        ("source", "expected"),
        [("x", "v"), ("len", "len"), ("2", "2"), ("7", "int"), ("-x", "USub(v)"), ("a.b", "v.a"), ("self.b", "self.a")],
    )
    def test_sketches(self, source: str, expected: str) -> None:
        """A sketch has no names but those of builtins and methods."""
        assert sketch(ast.parse(source, mode="eval").body) == expected
