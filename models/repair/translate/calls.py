"""Calls: of the program's own functions, classes and methods, of built-in ones, and attributes."""

from __future__ import annotations

import ast

from models.repair.translate.analysis import CHANGING
from models.repair.translate.builtin import BUILTINS
from models.repair.translate.command_line import STRUCT, is_parser_call, parse_call
from models.repair.translate.expressions import literal
from models.repair.translate.mathematics import CONSTANTS, math_call
from models.repair.translate.methods import METHODS
from models.repair.translate.ordering import sort_code
from models.repair.translate.types import BOOL, FLOAT, NONE, OPEN, STR, Ty, Unsupported, join
from models.repair.translate.values import borrow, coerce, own, text, unwrapped
from models.repair.translate.writer import ClassInfo, Ex, Parameter, Signature, Writer, ex, expression, to_change


@expression(ast.Call)
def call(w: Writer, node: ast.Call, want: Ty) -> Ex:
    """Translate a call."""
    if isinstance(node.func, ast.Name):
        return _named(w, node, node.func.id, want)
    if isinstance(node.func, ast.Attribute):
        if is_parser_call(w, node) == "parse_args" and not node.args:
            return parse_call()
        return _attribute(w, node, node.func)
    if isinstance(node.func, ast.Subscript) and isinstance(node.func.value, ast.Dict):
        return _chosen(w, node, node.func.value, node.func.slice)
    raise Unsupported(f"line {node.lineno}: call of {ast.unparse(node.func)[:60]}")


def _named(w: Writer, node: ast.Call, name: str, want: Ty) -> Ex:
    if name in w.forms:
        return _value(w, node, ex(w, node.func))
    if name in w.program.functions:
        return called(w, node, w.program.functions[name], name)
    if name in w.program.infos:
        return constructed(w, node, w.program.infos[name])
    imported = w.program.modules.get(name, "")
    if imported.startswith("math."):
        return math_call(w, imported.partition(".")[2], node)
    if name == "hasattr" and w.program.command_line is not None and len(node.args) == 2:
        return _has(w, node)
    if name in BUILTINS:
        return BUILTINS[name](w, node, want)
    raise Unsupported(f"line {node.lineno}: function {name}")


def _chosen(w: Writer, node: ast.Call, table: ast.Dict, key: ast.expr) -> Ex:
    """Return the call of the function that a dictionary display has for a key."""
    answer, arms = OPEN, []
    chosen = ex(w, key)
    chosen = unwrapped(w, chosen) if chosen.ty.name == "option" else chosen
    for name, function in zip(table.keys, table.values, strict=True):
        if not isinstance(name, ast.Constant) or not isinstance(name.value, str) or not isinstance(function, ast.Name):
            raise Unsupported(f"line {node.lineno}: functions in a dictionary")
        one = call(w, ast.copy_location(ast.Call(func=function, args=node.args, keywords=node.keywords), node), OPEN)
        answer = join(answer, one.ty)
        arms.append(f"{literal(name.value)} => {one.code}, ")
    missing = 'return Err("KeyError".into())' if w.can_fail else 'panic!("KeyError")'
    return Ex(f"match {text(chosen)} {{ {''.join(arms)}_ => {missing} }}", answer)


def _has(w: Writer, node: ast.Call) -> Ex:
    """Return whether the chosen command has set a function: ``hasattr(args, "func")``."""
    one = ex(w, node.args[0])
    found = w.program.command_line
    if one.ty.name != STRUCT or ast.unparse(node.args[1]) != "'func'" or found.needs_command:
        raise Unsupported(f"line {node.lineno}: hasattr")
    return Ex(f"{one.code}.{w.rust_name(found.dest or 'command')}.is_some()", BOOL)


def _dispatched(w: Writer, node: ast.Call) -> Ex:
    """Return the call of ``args.func``: the function that the chosen command has set."""
    found = w.program.command_line
    dest = found.dest or "command"
    table = ast.Dict(
        keys=[ast.Constant(one) for one in found.functions],
        values=[ast.Name(id=one, ctx=ast.Load()) for one in found.functions.values()],
    )
    key = ast.copy_location(ast.Attribute(value=node.func.value, attr=dest, ctx=ast.Load()), node)  # type: ignore[attr-defined]
    return _chosen(w, node, table, key)


def _value(w: Writer, node: ast.Call, function: Ex) -> Ex:
    """Return the call of a function that a variable holds."""
    if function.ty.name != "fn" or len(function.ty.args) != len(node.args) + 1 or node.keywords:
        raise Unsupported(f"line {node.lineno}: call of a {function.ty.name}")
    given = [own(w, coerce(w, ex(w, one, ty), ty)) for one, ty in zip(node.args, function.ty.args, strict=False)]
    return Ex(f"({function.code})({', '.join(given)})", function.ty.args[-1])


def called(w: Writer, node: ast.Call, to: Signature, name: str) -> Ex:
    """Return the call of one of the program's functions."""
    if to.spread:
        given = [passed(w, _field(node, one.name), one) for one in to.parameters]
    else:
        given = arguments(w, node, to.parameters)
    first, given = _before_lending(w, given, to.parameters)
    code = f"{w.rust_name(name)}({', '.join(given)})"
    if to.fails:
        code += "?" if w.can_fail else ".unwrap()"
    return Ex(f"{{ {first}{code} }}" if first else code, to.answer)


def _before_lending(w: Writer, given: list[str], parameters: list[Parameter]) -> tuple[str, list[str]]:
    """Return what is worked out before the call, and the arguments: what is lent to be changed cannot be read too."""
    if all(one.mode != "mut" for one in parameters):
        return "", given
    first, found = "", []
    for code, one in zip(given, parameters, strict=True):
        apart = one.mode == "value" and "(" in code
        found.append(w.fresh("given") if apart else code)
        first += f"let {found[-1]} = {code}; " if apart else ""
    return first, found


def _field(node: ast.Call, name: str) -> ast.expr:
    if len(node.args) != 1 or node.keywords:
        raise Unsupported(f"line {node.lineno}: arguments of {ast.unparse(node.func)[:60]}")
    return ast.copy_location(ast.Attribute(value=node.args[0], attr=name, ctx=ast.Load()), node)


def arguments(w: Writer, node: ast.Call, parameters: list[Parameter]) -> list[str]:
    """Return the arguments in the order of the parameters, with Python's defaults, passed as each wants it."""
    named = {one.arg: one.value for one in node.keywords}
    if None in named or any(isinstance(one, ast.Starred) for one in node.args) or len(node.args) > len(parameters):
        raise Unsupported(f"line {node.lineno}: arguments of {ast.unparse(node.func)[:60]}")
    found = []
    for at, parameter in enumerate(parameters):
        value = node.args[at] if at < len(node.args) else named.pop(parameter.name, parameter.default)
        if value is None:
            raise Unsupported(f"line {node.lineno}: no {parameter.name} for {ast.unparse(node.func)[:60]}")
        found.append(passed(w, value, parameter))
    if named:
        raise Unsupported(f"line {node.lineno}: {next(iter(named))} of {ast.unparse(node.func)[:60]}")
    return found


def passed(w: Writer, value: ast.expr, parameter: Parameter) -> str:
    """Return one argument as the parameter wants it."""
    one = to_change(w, value) if parameter.mode == "mut" else ex(w, value, parameter.ty)
    if one.ty.name == "?" and not w.final:
        return "?"
    if isinstance(value, ast.Name) and value.id in w.vars and not w.vars[value.id].known and parameter.ty.known:
        w.learn(value.id, parameter.ty)
    if parameter.mode == "mut":
        if one.form == "value":
            return f"&mut {one.code}"
        if one.ty != parameter.ty and one.ty.known:
            raise Unsupported(f"{one.ty.name} changed as {parameter.ty.name}")
        return (
            f"&mut *{one.code}"
            if isinstance(value, ast.Name) and w.forms.get(value.id) == "mutref"
            else f"&mut {one.code}"
        )
    if parameter.mode == "ref":
        one = coerce(w, one, parameter.ty)
        if isinstance(value, ast.Name) and w.forms.get(value.id) == "mutref" and one.ty != STR:
            return f"&*{one.code}"
        return f"&{one.code}" if one.form == "value" and one.ty != STR else borrow(one)
    return own(w, coerce(w, one, parameter.ty))


def constructed(w: Writer, node: ast.Call, info: ClassInfo) -> Ex:
    """Return the making of an object."""
    if info.kind != "struct":
        raise Unsupported(f"line {node.lineno}: {info.name} made")
    if info.init is not None:
        return Ex(f"{info.name}::new({', '.join(arguments(w, node, info.init))})", Ty(info.name))
    parameters = [Parameter(name, ty, "value", info.defaults.get(name)) for name, ty in info.fields.items()]
    given = arguments(w, node, parameters)
    pairs = ", ".join(f"{w.rust_name(name)}: {value}" for name, value in zip(info.fields, given, strict=True))
    return Ex(f"{info.name} {{ {pairs} }}", Ty(info.name))


def _attribute(w: Writer, node: ast.Call, function: ast.Attribute) -> Ex:
    name = function.attr
    if isinstance(function.value, ast.Name) and function.value.id not in w.forms:
        holder = function.value.id
        if w.program.modules.get(holder) == "math":
            return math_call(w, name, node)
        if w.program.modules.get(holder) == "sys" and name == "exit":
            return _exit(w, node)
        info = w.program.infos.get(holder) or (w.owner if holder == "cls" else None)
        if info is not None and name in info.statics:
            return called(w, node, info.methods[name], f"{info.name}::{name}")
    base = to_change(w, function.value) if _changes(w, name) else ex(w, function.value)
    if base.ty.name == STRUCT and name == "func" and w.program.command_line.functions:
        return _dispatched(w, node)
    if base.ty.name == "option":
        base = _opened(w, base)
    info = w.program.infos.get(base.ty.name)
    if info is not None:
        return _method(w, node, base, info, name)
    if base.ty.name == "?":
        for one in node.args:
            ex(w, one)
        return Ex("?", OPEN)
    if base.ty.name == "list" and name == "sort" and not node.args:
        return Ex(sort_code(w, base.code, node, base.ty.args[0]), NONE)
    if base.ty == STR and name == "format":
        raise Unsupported("str.format")
    handler = METHODS.get((base.ty.name, name))
    if handler is None:
        raise Unsupported(f"line {node.lineno}: {base.ty.name}.{name}")
    return handler(w, base, node)


def _changes(w: Writer, name: str) -> bool:
    """Return whether a method of this name may change its object."""
    return name in CHANGING or any(
        name in one.methods and one.methods[name].receiver == "&mut self" for one in w.program.infos.values()
    )


def _opened(w: Writer, base: Ex) -> Ex:
    """Return what an option holds, so that it can be changed in place."""
    inner = base.ty.args[0]
    if base.form == "place" and inner.name in ("list", "dict", "set", *w.program.infos):
        return Ex(f'{base.code}.as_mut().expect("AttributeError: None")', inner, "place")
    return unwrapped(w, base)


def _method(w: Writer, node: ast.Call, base: Ex, info: ClassInfo, name: str) -> Ex:
    found = info.methods.get(name)
    if found is None:
        raise Unsupported(f"line {node.lineno}: {info.name}.{name}")
    code = f"{base.code}.{w.rust_name(name)}({', '.join(arguments(w, node, found.parameters))})"
    if found.fails:
        code += "?" if w.can_fail else ".unwrap()"
    return Ex(code, found.answer)


def _exit(w: Writer, node: ast.Call) -> Ex:
    status = own(w, coerce(w, ex(w, node.args[0]), Ty("i32"))) if node.args else "0"
    return Ex(f"std::process::exit({status})", NONE)


@expression(ast.Attribute)
def attribute(w: Writer, node: ast.Attribute, _want: Ty) -> Ex:
    """Translate a field, a property, a member of an enumeration, or a constant of ``math``."""
    if isinstance(node.value, ast.Name) and node.value.id not in w.forms:
        holder = node.value.id
        if w.program.modules.get(holder) == "math" and node.attr in CONSTANTS:
            return Ex(CONSTANTS[node.attr], FLOAT)
        info = w.program.infos.get(holder)
        if info is not None and node.attr in info.members:
            return Ex(f"{info.name}::{w.rust_name(node.attr)}", Ty(info.name), "place")
    if isinstance(node.value, ast.Name) and node.value.id == w.spread and node.attr in w.forms:
        return ex(w, ast.copy_location(ast.Name(id=node.attr, ctx=ast.Load()), node))
    base = ex(w, node.value)
    base = unwrapped(w, base) if base.ty.name == "option" else base
    if base.ty.name == "?":
        return Ex("?", OPEN)
    info = w.program.infos.get(base.ty.name)
    if info is None:
        raise Unsupported(f"line {node.lineno}: {base.ty.name}.{node.attr}")
    if info.kind == "enum" and node.attr in ("value", "name"):
        ty = STR if node.attr == "name" else info.fields["value"]
        return Ex(f"{base.code}.python_{node.attr}()", ty, "value")
    if node.attr in info.properties:
        found = info.methods[node.attr]
        code = f"{base.code}.{w.rust_name(node.attr)}()"
        return Ex(f"{code}{('?' if w.can_fail else '.unwrap()') if found.fails else ''}", found.answer)
    if node.attr not in info.fields:
        raise Unsupported(f"line {node.lineno}: {info.name}.{node.attr}")
    return Ex(f"{base.code}.{w.rust_name(node.attr)}", info.fields[node.attr], "place")
