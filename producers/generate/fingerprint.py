"""When two programs are near-duplicates: they have one tree, whatever their names and one-digit constants are.

``key_of`` reads what a generator writes, before its names are put in; ``fingerprint`` reads any program. Both draw the
same lines: names (not those of builtins, modules and methods) count by where they come first, integers from 2 to 9 are
one, documentation is none.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

FIRST_NAME: Final = 0xE000
_NAME: Final = re.compile("([\ue000-\uf8ff])")
_DIGIT: Final = re.compile(r"[2-9](?<![\w.\"].)(?![\w.])")  # the digit first: most places are passed over at once
_KNOWN: Final = frozenset(dir(builtins)) | {"self", "math", "_"}


def key_of(pieces: list[str]) -> int:
    """Return the key of a program as ``split`` returns it: 63 bits."""
    met = {name: chr(FIRST_NAME + place) for place, name in enumerate(dict.fromkeys(pieces[1::2]))}
    return _hashed(_DIGIT.sub("2", with_names(pieces, met)))


def split(text: str) -> list[str]:
    """Return the pieces of a text around its names, single characters of the private use area, and the names."""
    return _NAME.split(text)


def with_names(pieces: list[str], names: Mapping[str, str]) -> str:
    """Return the text with other names."""
    renamed = pieces.copy()
    renamed[1::2] = map(names.__getitem__, pieces[1::2])
    return "".join(renamed)


def fingerprint(source: str) -> int:
    """Return the key of a program: equal for near-duplicates; raises ``SyntaxError`` where it does not parse."""
    tree = ast.parse(source)
    seen: dict[str, str] = {}
    own = _own_names(tree)
    for node in ast.walk(tree):
        _normalise(node, own, seen)
    return _hashed(ast.dump(tree))


def _normalise(node: ast.AST, own: frozenset[str], seen: dict[str, str]) -> None:
    for field in ("id", "name", "arg", "attr"):
        name = getattr(node, field, None)
        if name in own:
            setattr(node, field, seen.setdefault(name, f"n{len(seen)}"))
    match node:
        case ast.Nonlocal(names=names) | ast.Global(names=names):
            node.names = [seen.setdefault(name, f"n{len(seen)}") for name in names]
        case ast.Constant(value=int() as value) if 2 <= value <= 9 and value is not True:
            node.value = 2
        case ast.Module(body=[ast.Expr(value=ast.Constant(value=str())), *rest]):
            node.body = rest
        case ast.FunctionDef(body=[ast.Expr(value=ast.Constant(value=str())), *rest]):
            node.body = rest


def _hashed(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1


def _own_names(tree: ast.Module) -> frozenset[str]:
    """Return the names that a program gives itself: of functions, classes, parameters, variables, attributes."""
    own: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                own.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                own.add(name)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.ExceptHandler(name=str(name)):
                own.add(name)
    return frozenset(own - _KNOWN)
