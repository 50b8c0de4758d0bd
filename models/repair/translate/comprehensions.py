"""Comprehensions and generator expressions, as loops in a block: ``?`` works in them, and the order is Python's."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from models.repair.translate.containers import iterated
from models.repair.translate.types import BOOL, FLOAT, OPEN, Ty, Unsupported, join
from models.repair.translate.values import coerce, own
from models.repair.translate.writer import Ex, Writer, ex, expression

Made = Callable[[Writer], str]


def bind(w: Writer, target: ast.expr, ty: Ty) -> str:
    """Declare the names of a loop's target, which holds a ``ty``; return its pattern."""
    if isinstance(target, ast.Name):
        w.vars[target.id], w.forms[target.id] = ty, "place"
        return w.rust_name(target.id) if target.id != "_" else "_"
    if isinstance(target, ast.Tuple | ast.List):
        inner = ty.args if ty.name == "tuple" else [OPEN] * len(target.elts)
        if ty.name not in ("tuple", "?") or len(inner) != len(target.elts):
            raise Unsupported(f"line {target.lineno}: {ty.name} taken apart")
        return f"({', '.join(bind(w, one, each) for one, each in zip(target.elts, inner, strict=True))})"
    raise Unsupported(f"line {target.lineno}: target")


@contextmanager
def scope(w: Writer, names: set[str]) -> Iterator[None]:
    """Give back the variables' types and forms when a comprehension's own end."""
    kept = {name: (w.vars.get(name), w.forms.get(name)) for name in names}
    yield
    for name, (ty, form) in kept.items():
        w.vars.pop(name, None)
        w.forms.pop(name, None)
        if ty is not None:
            w.vars[name] = ty
        if form is not None:
            w.forms[name] = form


def loops(w: Writer, generators: list[ast.comprehension], inner: Made, label: str = "") -> str:
    """Return nested loops around what ``inner`` makes."""
    if not generators:
        return inner(w)
    first = generators[0]
    if first.is_async:
        raise Unsupported("an asynchronous comprehension")
    code, item = iterated(w, ex(w, first.iter))
    pattern = bind(w, first.target, item)
    from models.repair.translate.expressions import condition

    tests = " && ".join(condition(w, one) for one in first.ifs)
    body = loops(w, generators[1:], inner)
    body = f"if {tests} {{ {body} }}" if tests else body
    return f"{label}for {pattern} in {code} {{ {body} }}"


def _names(generators: list[ast.comprehension]) -> set[str]:
    return {one.id for each in generators for one in ast.walk(each.target) if isinstance(one, ast.Name)}


@expression(ast.ListComp, ast.SetComp, ast.GeneratorExp)
def collected(w: Writer, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, want: Ty) -> Ex:
    """Translate a comprehension; a generator expression is a list."""
    kind = "set" if isinstance(node, ast.SetComp) else "list"
    hint = want.args[0] if want.name == kind else OPEN
    found = [OPEN]

    def inner(w: Writer) -> str:
        one = coerce(w, ex(w, node.elt, hint), hint)
        found[0] = join(found[0], one.ty)
        return f"out.{'insert' if kind == 'set' else 'push'}({own(w, one)});"

    with scope(w, _names(node.generators)):
        body = loops(w, node.generators, inner)
    ty = Ty(kind, (hint if hint.known else found[0],))
    empty = "std::collections::HashSet::new()" if kind == "set" else "Vec::new()"
    return Ex(f"{{ let mut out: {w.rust(ty)} = {empty}; {body} out }}", ty)


@expression(ast.DictComp)
def mapped(w: Writer, node: ast.DictComp, want: Ty) -> Ex:
    """Translate a dictionary comprehension."""
    hints = want.args if want.name == "dict" else (OPEN, OPEN)
    found = [OPEN, OPEN]

    def inner(w: Writer) -> str:
        parts = [coerce(w, ex(w, one, hint), hint) for one, hint in zip((node.key, node.value), hints, strict=True)]
        found[:] = [join(had, one.ty) for had, one in zip(found, parts, strict=True)]
        return f"out.insert({own(w, parts[0])}, {own(w, parts[1])});"

    with scope(w, _names(node.generators)):
        body = loops(w, node.generators, inner)
    ty = Ty("dict", tuple(hint if hint.known else had for hint, had in zip(hints, found, strict=True)))
    return Ex(f"{{ let mut out: {w.rust(ty)} = std::collections::HashMap::new(); {body} out }}", ty)


def quantified(w: Writer, node: ast.expr, *, every: bool) -> Ex:
    """Return the code of ``all(...)`` or ``any(...)``, which stop as early as Python's."""
    from models.repair.translate.expressions import condition
    from models.repair.translate.values import truth

    label, test = f"'{w.fresh('look')}", "!" if every else ""
    start, stop = ("true", "false") if every else ("false", "true")
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        with scope(w, _names(node.generators)):
            body = loops(
                w,
                node.generators,
                lambda w: f"if {test}{condition(w, node.elt)} {{ found = {stop}; break {label}; }}",
                f"{label}: ",
            )
        return Ex(f"{{ let mut found = {start}; {body} found }}", BOOL)
    code, item = iterated(w, ex(w, node))
    name = "all" if every else "any"
    return Ex(f"{code}.into_iter().{name}(|item| {truth(w, Ex('item', item, 'place'))})", BOOL)


def summed(w: Writer, node: ast.expr, start: Ex | None) -> Ex:
    """Return the code of ``sum(...)``."""
    given = ex(w, node)
    code, item = iterated(w, given)
    if item == BOOL:
        return Ex(f"({code}.into_iter().filter(|item| *item).count() as {w.int.name})", w.int)
    if not item.is_number and item.name != "?":
        raise Unsupported(f"the sum of {item.name}")
    ty = FLOAT if start is not None and start.ty == FLOAT else item
    total = f"{code}.into_iter().sum::<{w.rust(item)}>()"
    total = f"({total} as f64)" if ty != item else total
    if start is not None and start.code not in (f"0{start.ty.name}",):
        total = f"({total} + {own(w, coerce(w, start, ty))})"
    return Ex(total, ty)
