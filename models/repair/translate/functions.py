"""One function: its body written until its variables' types stand still, and its head."""

from __future__ import annotations

import ast

from models.repair.translate import (  # noqa: F401 - they register themselves
    assignments,
    calls,
    container_methods,
    exceptions,
    expressions,
    iterating,
    operators,
    ordering,
    shown,
    statements,
)
from models.repair.translate.analysis import Function, assigned_counts, changed_in_place, leaves, outer_variables
from models.repair.translate.types import NONE, OPEN, Classes, Ty, Unsupported, join
from models.repair.translate.writer import ClassInfo, Parameter, Program, Signature, Writer, block

PASSES = 6


def parameters_of(node: Function, *, method: bool = False) -> list[tuple[ast.arg, ast.expr | None]]:
    """Return the parameters with their defaults; raises ``Unsupported`` for what Rust cannot take."""
    given = node.args
    if given.vararg or given.kwarg:
        raise Unsupported(f"{node.name}: *args or **kwargs")
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
    pairs = list(zip([*plain, *given.kwonlyargs], [*defaults, *given.defaults, *given.kw_defaults], strict=True))
    return pairs[1:] if method else pairs


def body_of(
    program: Program, node: Function, signature: Signature, passing: dict[str, set[int]], owner: ClassInfo | None = None
) -> list[str]:
    """Return the lines of the body; raises ``Unsupported`` for what is not translated."""
    if any(
        isinstance(one, Function | ast.ClassDef | ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal)
        for each in node.body
        for one in ast.walk(each)
    ):
        raise Unsupported(f"{node.name}: a function, class, generator or global inside")
    w = Writer(program, signature.answer, signature.fails, owner=owner, spread=signature.spread)
    changing = {
        name for info in program.infos.values() for name, each in info.methods.items() if each.receiver == "&mut self"
    }
    w.mutated = changed_in_place(node, passing, changing)
    counts = assigned_counts(node)
    w.assigned = {name for name, count in counts.items() if count > 0}
    outer = outer_variables(node)
    for _ in range(PASSES):
        _write(w, node, signature, outer, counts)
        if not w.changed:
            break
    if signature.answer == OPEN:
        found = OPEN
        for one in w.answers:
            found = join(found, one)
        signature.answer = w.answer = found if found != OPEN else NONE
    w.final = True
    _write(w, node, signature, outer, counts)
    return w.lines


def _write(w: Writer, node: Function, signature: Signature, outer: list[str], counts: dict[str, int]) -> None:
    w.lines, w.changed, w.answers, w.names, w.indent = [], False, [], 0, 1
    w.forms, w.declared = {}, set()
    _receive(w, signature, counts)
    for name in outer:
        ty = w.vars.get(name, OPEN)
        bare = any(one.name in w.program.infos or one.name == "fn" for one in ty.walk())
        if w.final and ty == OPEN:
            raise Unsupported(f"{node.name}: the type of {name}")
        w.put(
            f"let mut {w.rust_name(name)}: "
            f"{w.rust(ty)}{';' if bare and ty.name != 'option' else ' = Default::default();'}"
        )
        w.declared.add(name)
        w.forms[name] = "place"
    w.indent = 0
    block(w, node.body)
    w.indent = 1
    if not leaves(node.body):
        if signature.answer.name in ("none", "?", "option"):
            nothing = "None" if signature.answer.name == "option" else "()"
            w.put(f"Ok({nothing})" if signature.fails else nothing)
        else:
            w.put('panic!("TypeError: None returned");')


def _receive(w: Writer, signature: Signature, counts: dict[str, int]) -> None:
    """Take over the parameters; one that is assigned becomes a variable of its own."""
    if signature.receiver:
        w.forms["self"], w.vars["self"] = "place", Ty(w.owner.name if w.owner else "?")
        w.rust_names["self"] = "self"
    for one in signature.parameters:
        w.vars[one.name] = join(one.ty, w.vars.get(one.name, OPEN)) if one.mode == "value" else one.ty
        w.rust_names[one.name] = w.rust_name(one.name) if not one.rust else one.rust
        w.forms[one.name] = {"ref": "ref", "mut": "mutref"}.get(one.mode, "place")
        if w.is_copy(one.ty) and one.mode == "ref":
            w.put(f"let mut {w.rust_names[one.name]} = *{w.rust_names[one.name]};")
            w.forms[one.name] = "place"
        elif counts.get(one.name) or (one.mode == "value" and one.name in w.mutated):
            if one.mode == "mut" and one.name in w.mutated:
                raise Unsupported(f"{one.name} is changed and assigned")
            name = w.rust_names[one.name]
            copied = {"value": name, "ref": f"{name}.to_owned()", "mut": f"{name}.clone()"}[one.mode]
            if w.vars[one.name] != one.ty:
                from models.repair.translate.values import coerce
                from models.repair.translate.writer import Ex

                copied = coerce(w, Ex(copied, one.ty), w.vars[one.name]).code
            w.put(f"let mut {name}: {w.rust(w.vars[one.name])} = {copied};")
            w.forms[one.name] = "place"
        w.declared.add(one.name)


def own_signature(classes: Classes, node: Function, changed: set[str], *, fails: bool, owner: str = "") -> Signature:
    """Return the signature that the Python asks for; raises ``Unsupported`` where it does not say enough."""
    static = any(ast.unparse(one) in ("staticmethod", "classmethod") for one in node.decorator_list)
    method = bool(owner) and not any(ast.unparse(one) == "staticmethod" for one in node.decorator_list)
    found = []
    for arg, default in parameters_of(node, method=method):
        ty = classes.annotation(arg.annotation)
        if ty == OPEN and default is not None and isinstance(default, ast.Constant):
            ty = _of_constant(classes, default.value)
        if ty == OPEN and arg.arg == "args" and "ParsedArguments" in classes.names:
            ty = Ty("ParsedArguments")
        if isinstance(default, ast.Constant) and default.value is None and ty.name != "option":
            ty = Ty("option", (ty,))
        if not ty.known:
            raise Unsupported(f"{node.name}: the type of {arg.arg}")
        mode = "value" if classes.is_copy(ty) or ty.name in ("fn", "option", "dyn") else "ref"
        mode = "mut" if arg.arg in changed and mode == "ref" else mode
        found.append(Parameter(arg.arg, ty, mode, default))
    answer = classes.annotation(node.returns)
    receiver = ("&mut self" if "self" in changed else "&self") if method and not static else ""
    return Signature(node.name, found, answer, fails, receiver)


def _of_constant(classes: Classes, value: object) -> Ty:
    names = {bool: "bool", int: classes.width, float: "float", str: "str"}
    return Ty(names[type(value)]) if type(value) in names else OPEN


def head(program: Program, signature: Signature) -> str:
    """Return a signature in Rust, without ``pub``."""
    classes = program.classes
    w = Writer(program, NONE)
    parts = [signature.receiver] if signature.receiver else []
    for one in signature.parameters:
        ty = "str" if one.ty.name == "str" and one.mode == "ref" else classes.rust(one.ty)
        parts.append(f"{w.rust_name(one.name)}: { {'ref': '&', 'mut': '&mut '}.get(one.mode, '') }{ty}")
    answer = classes.rust(signature.answer)
    answer = f"Result<{answer}, Box<dyn std::error::Error>>" if signature.fails else answer
    said = "" if answer == "()" else f" -> {answer}"
    return f"fn {w.rust_name(signature.name)}({', '.join(parts)}){said}"
