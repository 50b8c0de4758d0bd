"""What the expressions of a Python program are likely to be: types from annotations, literals and a few calls.

An opinion, not a checker: it reads each function once, from top to bottom, believes annotations, and says ``?`` where
it does not know. A transpiler that has to choose Rust types stumbles over combinations (``str in dict[str,int]``,
``list[int] <- list[]``), and those generalise from one project to another where identifiers do not.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from typing import Final

UNKNOWN: Final = "?"
MAX_DEPTH = 6  # of an expression or annotation that is looked into
MAX_TYPE = 48  # characters of a type's name
MAX_PARAMETERS = 8

BUILTINS = frozenset(dir(builtins))
_TYPING = {"List": "list", "Dict": "dict", "Set": "set", "Tuple": "tuple", "FrozenSet": "frozenset"}
_KEPT = frozenset({"Any", "Optional", "Union", "Callable", "Iterator", "Iterable", "Generator", "Sequence", "Literal"})
_CALLS = {
    **dict.fromkeys(("len", "ord", "round", "hash", "id"), "int"),
    **dict.fromkeys(("chr", "input", "repr", "hex", "bin", "oct", "format", "ascii"), "str"),
    **dict.fromkeys(("isinstance", "any", "all", "callable", "hasattr"), "bool"),
    **{name: name for name in ("str", "int", "float", "bool", "range", "dict", "tuple", "set", "list", "bytes")},
    **{name: name for name in ("enumerate", "zip", "map", "filter", "type")},
    "print": "None",
    "open": "file",
}
_METHODS = {
    **dict.fromkeys(("strip", "lstrip", "rstrip", "lower", "upper", "title", "replace", "join", "format"), "str"),
    **dict.fromkeys(("zfill", "ljust", "rjust", "center", "capitalize", "decode", "read", "readline"), "str"),
    **dict.fromkeys(("startswith", "endswith", "isdigit", "isalpha", "isupper", "islower", "isspace"), "bool"),
    **dict.fromkeys(("find", "rfind", "index", "count"), "int"),
    **dict.fromkeys(("split", "splitlines", "readlines"), "list[str]"),
    **dict.fromkeys(("append", "extend", "insert", "remove", "clear", "sort", "reverse", "add", "update"), "None"),
    **{name: name for name in ("keys", "values", "items")},
    "encode": "bytes",
}
_OTHERS: dict[type[ast.expr], str] = {
    ast.JoinedStr: "str",
    **{kind: kind.__name__.lower() for kind in (ast.Dict, ast.DictComp, ast.SetComp, ast.GeneratorExp, ast.Lambda)},
}
_CONTAINERS = ("list[", "set[", "frozenset[", "Iterable[", "Iterator[", "Sequence[")

Scope = dict[str, str]  # the names of one function, ``self.x`` among them -> types


def annotation(node: ast.expr | None, depth: int = 0) -> str:
    """Return an annotation in one spelling: ``List[int]`` and ``list[int]`` are one; classes of the program are ``C``.

    >>> annotation(ast.parse("Optional[Dict[str, Token]]", mode="eval").body)
    'Optional[dict[str,C]]'
    """
    if node is None or depth > MAX_DEPTH:
        return "-" if node is None else UNKNOWN
    match node:
        case ast.Constant(value=value):
            return "None" if value is None else "quoted" if isinstance(value, str) else UNKNOWN
        case ast.Name(id=name) | ast.Attribute(attr=name):
            known = _TYPING.get(name, name)
            return known if known in BUILTINS or known in _KEPT else "C"
        case ast.Subscript(value=base, slice=inner):
            of = inner.elts[:4] if isinstance(inner, ast.Tuple) else [inner]
            return f"{annotation(base, depth + 1)}[{','.join(annotation(one, depth + 1) for one in of)}]"[:MAX_TYPE]
        case ast.BinOp(left=left, right=right):
            return f"{annotation(left, depth + 1)}|{annotation(right, depth + 1)}"[:MAX_TYPE]
    return UNKNOWN


def element(container: str) -> str:
    """Return the type of what iterating over a container gives."""
    if container.startswith(_CONTAINERS):
        return container[container.index("[") + 1 : -1] or UNKNOWN
    if container.startswith("dict["):
        return _split(container)[0]
    return {"str": "str", "bytes": "int", "range": "int", "file": "str"}.get(container, UNKNOWN)


def item(container: str, place: int = 0) -> str:
    """Return the type of what an index gives; of a tuple, that of the part at ``place``."""
    if container.startswith("dict["):
        return _split(container)[-1]
    if not container.startswith("tuple["):
        return element(container)
    parts = _split(container)
    return parts[place] if -len(parts) <= place < len(parts) else UNKNOWN


def _split(of: str) -> list[str]:
    """Return the parameters of a type, cut at the commas that stand outside of brackets."""
    parts, depth = [""], 0
    for char in of[of.index("[") + 1 : -1]:
        depth += (char == "[") - (char == "]")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part or UNKNOWN for part in parts]


class Types:
    """The types of one program's expressions, from its functions' annotations, classes and module-level names.

    ``nodes`` are those of its syntax tree. ``parameters`` and ``returns`` are by function's name, wherever it stands.
    """

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        self.returns: dict[str, str] = {}
        self.parameters: dict[str, list[str]] = {}
        self.classes: set[str] = set()
        self.modules: set[str] = set()
        self.top: Scope = {}
        for node in nodes:
            self._note(node)

    def _note(self, node: ast.AST) -> None:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                self.returns[name] = annotation(node.returns)
                self.parameters[name] = [annotation(one.annotation) for one in node.args.args[:MAX_PARAMETERS]]
            case ast.ClassDef(name=name):
                self.classes.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                self.modules.update((one.asname or one.name).partition(".")[0] for one in names)

    def of(self, node: ast.expr | None, scope: Scope, depth: int = 0) -> str:
        """Return the type of an expression, ``?`` where it cannot be told, ``-`` for none."""
        if node is None:
            return "-"
        return self._of(node, scope, depth + 1)[:MAX_TYPE] if depth < MAX_DEPTH else UNKNOWN

    def _of(self, node: ast.expr, scope: Scope, depth: int) -> str:
        match node:
            case ast.Name(id=name):
                return self._name(name, scope)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return scope.get(f"self.{name}", UNKNOWN)
            case ast.Subscript(value=of, slice=index):
                container = self.of(of, scope, depth)
                return container if isinstance(index, ast.Slice) else item(container)
            case ast.BinOp() | ast.BoolOp() | ast.UnaryOp() | ast.Compare() | ast.IfExp():
                return self._operation(node, scope, depth)
            case ast.Call(func=called, args=args):
                return self._call(called, args, scope, depth)
        return self._display(node, scope, depth)

    def _name(self, name: str, scope: Scope) -> str:
        known = scope.get(name) or self.top.get(name)
        if known:
            return known
        if name in self.returns:
            return "function"
        return "class" if name in self.classes else "module" if name in self.modules else UNKNOWN

    def _operation(self, node: ast.expr, scope: Scope, depth: int) -> str:
        match node:
            case ast.UnaryOp(op=ast.Not()) | ast.Compare():
                return "bool"
            case ast.UnaryOp(operand=one) | ast.IfExp(body=one) | ast.BoolOp(values=[one, *_]):
                return self.of(one, scope, depth)
            case ast.BinOp(left=left, op=op, right=right):
                sides = self.of(left, scope, depth), self.of(right, scope, depth)
                if isinstance(op, ast.Div) or "float" in sides:
                    return "float"
                return sides[0] if sides[0] != UNKNOWN else sides[1]
        return UNKNOWN

    def _display(self, node: ast.expr, scope: Scope, depth: int) -> str:
        match node:
            case ast.Constant(value=value):
                return "None" if value is None else type(value).__name__
            case ast.List(elts=parts) | ast.Set(elts=parts):
                inner = self.of(parts[0], scope, depth) if parts else ""
                return f"{type(node).__name__.lower()}[{inner}]"
            case ast.Tuple(elts=parts):
                return f"tuple[{','.join(self.of(part, scope, depth) for part in parts[:4])}]"
            case ast.Dict(keys=[ast.expr() as key, *_], values=[value, *_]):
                return f"dict[{self.of(key, scope, depth)},{self.of(value, scope, depth)}]"
            case ast.ListComp(elt=one):
                return f"list[{self.of(one, scope, depth)}]"
        return _OTHERS.get(type(node), UNKNOWN)

    def _call(self, called: ast.expr, args: list[ast.expr], scope: Scope, depth: int) -> str:
        match called:
            case ast.Name(id=name):
                return self.returns.get(name) or self._function(name, args, scope, depth)
            case ast.Attribute(value=of, attr="get" | "pop"):
                return item(self.of(of, scope, depth))
            case ast.Attribute(value=of, attr="copy"):
                return self.of(of, scope, depth)
            case ast.Attribute(attr=name):
                return _METHODS.get(name) or self.returns.get(name, UNKNOWN)
        return UNKNOWN

    def _function(self, name: str, args: list[ast.expr], scope: Scope, depth: int) -> str:
        if name in self.classes:
            return "C"
        first = self.of(args[0], scope, depth) if args else UNKNOWN
        if name in ("sorted", "list", "reversed", "set") and args:
            return f"{'set' if name == 'set' else 'list'}[{element(first)}]"
        if name in ("abs", "max", "min", "sum"):
            return element(first) if "[" in first else first
        return _CALLS.get(name, UNKNOWN)
