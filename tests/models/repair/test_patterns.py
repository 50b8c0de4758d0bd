"""Each pattern: the shape it mends, and what it leaves alone."""

from __future__ import annotations

import models.repair.patterns  # noqa: F401 - registers them
from models.repair.candidates import Subject, from_patterns
from models.repair.edits import apply
from models.repair.errors import Mark, RustError


def mended(text: str, marked: str, code: str, message: str, label: str = "", *, python: str | None = None) -> list[str]:
    """Return what the patterns make of ``text`` with an error at ``marked``."""
    at = text.index(marked)
    error = RustError(code, message, (Mark(at, at + len(marked), True, label),), (), ())
    return [apply(text, one.edits) for one in from_patterns(Subject(text, (error,), python))]


def test_division_written_as_join() -> None:
    """A ``join`` between numbers is a division in floats."""
    message = "no method named `join` found for type `f64` in the current scope"
    assert mended("let x = (a as f64).join(b);", "join", "E0599", message) == ["let x = (((a as f64)) / ((b) as f64));"]


def test_path_called() -> None:
    """``PathBuf(x)`` keeps its argument."""
    text = "f(& std::path::PathBuf(name));"
    message = "expected function, tuple struct or tuple variant, found struct `std::path::PathBuf`"
    assert mended(text, "std::path::PathBuf(name)", "E0423", message) == ["f(& std::path::PathBuf::from(name));"]


def test_dynamic_number() -> None:
    """A dynamic number where a plain one is expected is the plain one; a text is left alone."""
    text = "v[0] = DepylerValue::Int(1);"
    label = "expected `i32`, found `DepylerValue`"
    assert mended(text, "DepylerValue::Int(1)", "E0308", "mismatched types", label) == ["v[0] = 1;"]
    assert not mended(text, "DepylerValue::Int(1)", "E0308", "mismatched types", "expected `String`, found `D`")


def test_floats_are_not_cut() -> None:
    """A float becomes an integer only where it was rounded."""
    label = "expected `i32`, found `f64`"
    assert mended("x.floor()", "x.floor()", "E0308", "mismatched types", label) == ["((x.floor()) as i32)"]
    assert not mended("x + y", "x + y", "E0308", "mismatched types", label)


def test_renamed_methods_and_flags() -> None:
    """A map's ``contains`` and a flag's ``is_empty`` get what they mean."""
    found = "no method named `contains` found for struct `HashMap<K, V, S, A>` in the current scope"
    assert mended("m.contains(&k)", "contains", "E0599", found) == ["m.contains_key(&k)"]
    flag = "no method named `is_empty` found for type `bool` in the current scope"
    assert mended("if !args.debug.is_empty() {", "is_empty", "E0599", flag) == ["if !(!args.debug) {"]


def test_empty_static() -> None:
    """A path that was emitted as an empty list is read from the Python."""
    text = (
        "pub static SCRIPT: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| Vec::new());\n"
        "fn f() { (& SCRIPT).display(); }"
    )
    python = 'SCRIPT = Path(__file__).parent / "x.py"'
    (fixed,) = mended(text, "display", "E0599", "no method `display` for `&LazyLock<Vec<String>>`", python=python)
    assert "LazyLock<std::path::PathBuf>" in fixed
    assert 'join("x.py")' in fixed
