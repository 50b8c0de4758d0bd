"""Python to Rust for what a repair writes anew; rustc and the oracle judge the result in ``tests/producers/fix``."""

from __future__ import annotations

import ast

import pytest

from models.repair.items import Places
from models.repair.translate.as_emitted import as_emitted, pieces
from models.repair.translate.program import class_text, function_code, read_program
from models.repair.translate.types import Unsupported


def translated(python: str, rust: str = "", name: str = "f") -> str:
    """Return a function of ``python`` in Rust."""
    return function_code(read_program(ast.parse(python), Places(rust)), name)[0]


def test_types_decide() -> None:
    """True division is one of floats, and what is emitted stays in the signature."""
    rust = "pub fn f(a: i32, b: i32) -> f64 { a.join(b) }"
    assert translated("def f(a: int, b: int) -> float:\n    return a / b\n", rust).startswith(
        "pub fn f(a: i32, b: i32)"
    )


def test_changed_lists_are_lent_to_be_changed() -> None:
    """A list that Python changes for its caller is ``&mut`` in Rust, whatever was emitted."""
    code = translated("def f(xs: list[int]) -> None:\n    xs[0] = 1\n", "pub fn f(xs: &Vec<i32>) { }")
    assert "xs: &mut Vec<i32>" in code


def test_types_found_later() -> None:
    """An empty list learns its type from what is put into it."""
    code = translated("def f(n: int) -> list[str]:\n    out = []\n    out.append(str(n))\n    return out\n")
    assert "let mut out: Vec<String> = Vec::<String>::new();" in code


@pytest.mark.parametrize(
    "python",
    [
        "def f(xs: list[int]) -> list[int]:\n    ys = xs\n    ys.append(1)\n    return xs\n",  # two names, one list
        "def f(x: int) -> int:\n    return unknown(x)\n",
        "def f(*xs: int) -> int:\n    return 1\n",
        "def f(x):\n    return x\n",
        "async def f(x: int) -> int:\n    return x\n",
    ],
)
def test_what_is_not_known_is_refused(python: str) -> None:
    """Nothing is guessed: a construct that is not known is refused."""
    with pytest.raises(Unsupported):
        translated(python)


def test_classes() -> None:
    """A dataclass is a struct, an enumeration an enum, with its methods."""
    python = "class Color(Enum):\n    RED = 1\n\n@dataclass\nclass P:\n    x: int\n"
    python += "    def up(self) -> None:\n        self.x += 1\n"
    found = read_program(ast.parse(python), Places(""))
    assert "pub fn up(&mut self)" in class_text(found, "P")[0]
    assert "RED," in class_text(found, "Color")[0]


def test_command_line() -> None:
    """``argparse`` becomes a struct and a function that fills it."""
    python = (
        "def f():\n    parser = argparse.ArgumentParser()\n    parser.add_argument('n', type=int)\n"
        "    args = parser.parse_args()\n    print(args.n)\n"
    )
    assert "parse_arguments()" in translated(python)


def test_elements_that_are_changed_are_lent() -> None:
    """What is appended to an element of a list goes into the list, not into a copy."""
    python = "def f(xs: list[list[int]], i: int) -> None:\n"
    code = translated(python + "    if i > 9:\n        raise ValueError('i')\n    xs[i].append(1)\n")
    assert "xs.get_mut(at)" in code


def test_arguments_come_before_what_is_lent() -> None:
    """A list that is lent to be changed is not read in the same call."""
    python = "def g(xs: list[int], n: int) -> None:\n    xs[0] = n\n"
    python += "def f(xs: list[int]) -> None:\n    g(xs, len(xs) - 1)\n"
    code = translated(python, "pub fn f(xs: &mut Vec<i32>) { }")
    assert "let given_1 = ((xs.len() as i32) - 1i32); g(&mut *xs, given_1)" in code


def test_large_numbers_widen_the_signature() -> None:
    """Where a program has numbers beyond 32 bits, an emitted ``i32`` cannot stay."""
    code = translated("def f(x: int) -> int:\n    return x & 4294967295\n", "pub fn f(x: i32) -> i32 { x }")
    assert "fn f(x: i64) -> i64" in code


def test_methods_one_by_one() -> None:
    """A method is written anew where it stands although its class as a whole cannot be."""
    python = (
        "class P:\n    def one(self, n: int) -> int:\n        return n + self.x\n    def two(self, *n):\n        pass\n"
    )
    rust = "pub struct P {\n    pub x: i32,\n}\nimpl P {\n    pub fn one(&self, n: i32) -> i32 { n.y }\n"
    rust += "    pub fn two(&self) { }\n}\n"
    kept = as_emitted(read_program(ast.parse(python), Places(rust)))
    ((label, item, code, _),) = pieces(kept, "P", {"one", "two"})
    assert (label, item.name) == ("P.one", "one")
    assert code.startswith("pub fn one(&self, n: i32) -> i32 {")
    assert "self.x" in code
