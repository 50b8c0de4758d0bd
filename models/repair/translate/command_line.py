"""``argparse``: the options of a program as a struct and a function that fills it from the command line."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from models.repair.translate.expressions import literal
from models.repair.translate.support import helpers
from models.repair.translate.types import BOOL, FLOAT, OPEN, STR, Classes, Ty, Unsupported, join, list_of, option_of
from models.repair.translate.values import coerce, own
from models.repair.translate.writer import ClassInfo, Ex, Program, Writer

STRUCT, PARSE = "ParsedArguments", "parse_arguments"
_MAKERS = ("ArgumentParser", "add_subparsers", "add_parser", "add_argument_group", "add_mutually_exclusive_group")
DESCRIBING = (*_MAKERS, "add_argument", "set_defaults")
_TYPES = {"int", "float", "str"}


@dataclass
class Option:
    """One option or positional argument of the parser of ``command`` (``""``: of all)."""

    command: str
    dest: str
    flags: list[str]
    takes: str  # one, none, ?, *, + or a number
    ty: Ty
    default: ast.expr | None
    required: bool
    choices: list[str] = field(default_factory=list)


@dataclass
class CommandLine:
    """All that a program says to ``argparse``."""

    parsers: dict[str, str] = field(default_factory=dict)  # variable to command
    commands: list[str] = field(default_factory=list)
    dest: str = ""
    needs_command: bool = False
    options: list[Option] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)  # command to set_defaults(func=...)
    description: str = ""


def read_command_line(module: ast.Module, classes: Classes) -> CommandLine | None:
    """Return what a program expects of its command line, nothing where it does not use ``argparse``.

    Raises ``Unsupported`` for what is not known here.
    """
    found = CommandLine()
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
            command = _made(found, node.value)
            if command is not None:
                found.parsers[node.targets[0].id] = command
    if not found.parsers:
        return None
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    for node in calls:
        _called(found, node, classes)
    return found


def _made(found: CommandLine, node: ast.Call) -> str | None:
    """Return the command whose parser a call makes, ``""`` for the main one, nothing for another call."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "set_defaults" and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
        return _made(found, node.func.value)
    if name not in _MAKERS:
        return None
    if name == "add_parser" and node.args and isinstance(node.args[0], ast.Constant):
        return str(node.args[0].value)
    root = node.func.value if isinstance(node.func, ast.Attribute) else None
    return found.parsers.get(root.id, "") if isinstance(root, ast.Name) else ""


def _called(found: CommandLine, node: ast.Call, classes: Classes) -> None:
    if not isinstance(node.func, ast.Attribute):
        return
    name, root = node.func.attr, node.func.value
    known = {one.arg or "": one.value for one in node.keywords}
    if name == "add_subparsers":
        dest = known.get("dest")
        found.dest = str(dest.value) if isinstance(dest, ast.Constant) else found.dest
        found.needs_command = (
            isinstance(known.get("required"), ast.Constant) and ast.unparse(known["required"]) == "True"
        )
    elif name == "add_parser" and node.args and isinstance(node.args[0], ast.Constant):
        if isinstance(root, ast.Name) and found.parsers.get(root.id, "") != "":
            raise Unsupported("commands of commands")
        found.commands.append(str(node.args[0].value))
    elif name == "set_defaults" and set(known) == {"func"} and isinstance(known["func"], ast.Name):
        command = (
            found.parsers.get(root.id)
            if isinstance(root, ast.Name)
            else _made(found, root)
            if isinstance(root, ast.Call)
            else None
        )
        found.functions[command or ""] = known["func"].id
    elif name == "add_argument" and isinstance(root, ast.Name) and root.id in found.parsers:
        found.options.append(_option(found.parsers[root.id], node, known, classes))


def _option(command: str, node: ast.Call, known: dict[str, ast.expr], classes: Classes) -> Option:
    if set(known) - {"help", "type", "default", "action", "nargs", "required", "choices", "metavar", "dest", "version"}:
        raise Unsupported("an option of add_argument")
    names = [str(one.value) for one in node.args if isinstance(one, ast.Constant)]
    flags = [one for one in names if one.startswith("-")]
    long = next((one for one in flags if one.startswith("--")), flags[0] if flags else names[0])
    given = known.get("dest")
    dest = str(given.value) if isinstance(given, ast.Constant) else long.lstrip("-").replace("-", "_")
    action, nargs = (getattr(known.get(name), "value", None) for name in ("action", "nargs"))
    if action not in (None, "store", "store_true", "store_false", "version") or any(
        not isinstance(one, ast.Constant) for one in node.args
    ):
        raise Unsupported(f"the action {action}")
    kind = ast.unparse(known["type"]) if "type" in known else "str"
    if kind not in _TYPES:
        raise Unsupported(f"arguments of type {kind}")
    base = Ty(classes.width) if kind == "int" else FLOAT if kind == "float" else STR
    takes = "none" if action else str(nargs) if nargs is not None else "one"
    default = known.get("default")
    choices = known.get("choices")
    many = takes in ("*", "+") or takes.isdigit()
    required = (not flags and takes not in ("?", "*")) or ast.unparse(
        known.get("required", ast.Constant(False))
    ) == "True"
    ty = BOOL if action in ("store_true", "store_false") else list_of(base) if many else base
    missing = default is None or (isinstance(default, ast.Constant) and default.value is None)
    if not required and missing and ty != BOOL and not (many and not flags):
        ty = option_of(ty)
    listed = (
        [str(getattr(one, "value", "")) for one in choices.elts] if isinstance(choices, ast.List | ast.Tuple) else []
    )
    default = None if missing else default
    if action == "store_false":
        default, takes = ast.Constant(True), "no"
    return Option(command, dest, flags, takes if action != "version" else "version", ty, default, required, listed)


def as_class(found: CommandLine) -> ClassInfo:
    """Return the struct of the parsed arguments; raises ``Unsupported`` where one name has two types."""
    info = ClassInfo(STRUCT, "struct")
    if found.commands:
        info.fields[found.dest or "command"] = STR if found.needs_command else option_of(STR)
    for one in found.options:
        if one.takes != "version":
            info.fields[one.dest] = join(info.fields.get(one.dest, OPEN), one.ty)
    return info


def code(program: Program, found: CommandLine) -> str:
    """Return the struct and the function that fills it, in Rust."""
    info, w = program.infos[STRUCT], Writer(program, OPEN, final=True)
    fields = "".join(f"    pub {w.rust_name(name)}: {w.rust(ty)},\n" for name, ty in info.fields.items())
    options = "".join(_row(one) for one in found.options)
    lines = [
        f"let {'' if found.commands else '_'}command = "
        f"python_command_line(&[{', '.join(map(literal, found.commands))}], "
        f"{str(found.needs_command).lower()}, &[\n{options}    ], &mut values);"
    ]
    made = []
    for name, ty in info.fields.items():
        made.append(f"        {w.rust_name(name)}: {_filled(w, found, name, ty)},\n")
    return (
        f"\n#[derive(Debug, Clone)]\npub struct {STRUCT} {{\n{fields}}}\n"
        f"fn {PARSE}() -> {STRUCT} {{\n    let mut values: std::collections::HashMap<String, "
        f"Vec<String>> = std::collections::HashMap::new();\n"
        f"    {lines[0]}\n    {STRUCT} {{\n{''.join(made)}    }}\n}}\n{helpers()['command_line']}"
    )


def _row(one: Option) -> str:
    flags, choices = (f"&[{', '.join(map(literal, each))}]" for each in (one.flags, one.choices))
    return (
        f"        ({literal(one.command)}, {literal(one.dest)}, {flags}, "
        f"{literal(one.takes)}, {str(one.required).lower()}, {choices}),\n"
    )


def _filled(w: Writer, found: CommandLine, name: str, ty: Ty) -> str:
    if found.commands and name == (found.dest or "command"):
        return "command.unwrap_or_default()" if found.needs_command else "command"
    mine = [one for one in found.options if one.dest == name]
    one = mine[0]
    base = next(each for each in reversed(ty.walk()))
    key = f"values.get({literal(name)})"
    if base == BOOL:
        return f"{key}.is_none()" if one.takes == "no" else f"{key}.is_some()"
    read = {"str": "text.clone()", "float": "python_argument::<f64>(text)"}.get(
        base.name, f"python_argument::<{base.name}>(text)"
    )
    several = "list" in (ty.name, *(each.name for each in ty.args if ty.name == "option"))
    if several:
        value = f"{key}.map(|texts| texts.iter().map(|text| {read}).collect::<Vec<_>>())"
    else:
        value = f"{key}.and_then(|texts| texts.last()).map(|text| {read})"
    if ty.name == "option":
        return value
    if one.default is not None:
        from models.repair.translate.writer import ex

        return f"{value}.unwrap_or_else(|| {own(w, coerce(w, ex(w, one.default, ty), ty))})"
    return f"{value}.unwrap_or_default()"


def parse_call() -> Ex:
    """Return the call that reads the command line."""
    return Ex(f"{PARSE}()", Ty(STRUCT))


def is_parser_call(w: Writer, node: ast.expr) -> str:
    """Return the name of a method of a parser that ``node`` calls, ``""`` for every other expression."""
    found = w.program.command_line
    if not isinstance(node, ast.Call) or found is None:
        return ""
    if isinstance(node.func, ast.Attribute):
        root: ast.expr = node.func.value
        while isinstance(root, ast.Call | ast.Attribute):
            root = root.func if isinstance(root, ast.Call) else root.value
        if isinstance(root, ast.Name) and (root.id in found.parsers or root.id == "argparse"):
            return node.func.attr
    return "ArgumentParser" if isinstance(node.func, ast.Name) and node.func.id == "ArgumentParser" else ""
