"""Python to Rust for what a repair writes anew; rustc and the oracle judge the result in ``tests/producers/fix``."""

from __future__ import annotations

import ast

import pytest

from models.repair.items import Places
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
