"""Statics that depyler emits empty: what they hold stands in the Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from models.repair.candidates import Candidate, Subject, pattern
from models.repair.edits import Edit
from models.repair.errors import RustError
from models.repair.rust_text import closing

_EMPTY = re.compile(
    r"(?:pub\s+)?static\s+(?P<name>\w+)\s*:\s*std::sync::LazyLock<(?P<type>.*?)>\s*=\s*"
    r"std::sync::LazyLock::new\(\|\|\s*(?P<value>Vec::new\(\)|Default::default\(\)|String::new\(\))\s*\);"
)

_WORDS = re.compile(r"let cmd_list\s*=\s*\(?\s*vec!\s*\[")
_QUOTED = re.compile(r'format!\("(\{:\?\})"')


@pattern("E0599", "E0277", "E0308", "E0282", "E0283")
def path_static(subject: Subject, error: RustError) -> Iterator[Candidate]:
    """``SCRIPT = Path(__file__).parent / "x.py"`` is a path beside the program's own source."""
    if subject.module is None or "LazyLock<" not in error.message:
        return
    start, end = error.place
    around = subject.text[max(0, start - 200) : end]
    for node in subject.module.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        code = path_code(node.value)
        emitted = next((each for each in _EMPTY.finditer(subject.text) if each["name"] == name), None)
        if code is None or emitted is None or not re.search(rf"\b{name}\b", around):
            continue
        edits = (
            Edit(*emitted.span("type"), "std::path::PathBuf"),
            Edit(*emitted.span("value"), code),
            *_unquoted(subject.text),
        )
        yield Candidate("path-static", f"{name} holds what the Python says", edits, (error,))


def _unquoted(text: str) -> list[Edit]:
    """Return the edits that take the quotes from the words of a command, which ``{:?}`` puts around them."""
    edits = []
    for words in _WORDS.finditer(text):
        end = closing(text, words.end() - 1) or words.end()
        edits += [Edit(*quoted.span(1), "{}") for quoted in _QUOTED.finditer(text, words.end(), end)]
    return edits


def path_code(node: ast.expr) -> str | None:
    """Return a Python path expression in Rust, or nothing for what is none."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        base, part = path_code(node.left), node.right
        if base and isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isprintable():
            escaped = part.value.replace("\\", "\\\\").replace('"', '\\"')
            return f'{base}.join("{escaped}")'
        return None
    if isinstance(node, ast.Attribute) and node.attr == "parent":
        base = path_code(node.value)
        return f'{base}.parent().unwrap_or(std::path::Path::new("")).to_path_buf()' if base else None
    if isinstance(node, ast.Call) and not node.keywords:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in ("resolve", "absolute") and isinstance(node.func, ast.Attribute) and not node.args:
            base = path_code(node.func.value)
            return f"std::path::absolute({base}).unwrap_or_default()" if base else None
        if called == "Path" and len(node.args) == 1:
            given = node.args[0]
            if isinstance(given, ast.Name) and given.id == "__file__":
                return "std::path::PathBuf::from(file!())"
            if isinstance(given, ast.Constant) and isinstance(given.value, str) and given.value.isprintable():
                escaped = given.value.replace("\\", "\\\\").replace('"', '\\"')
                return f'std::path::PathBuf::from("{escaped}")'
    return None
