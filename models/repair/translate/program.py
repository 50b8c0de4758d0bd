"""A whole Python program beside its emitted Rust: what is kept, what has to change, and code for what is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from models.repair.items import Item, Places
from models.repair.translate.analysis import Function, changed_in_place, targets
from models.repair.translate.classes import class_code, kind_of, read_class
from models.repair.translate.command_line import PARSE, STRUCT, as_class, read_command_line
from models.repair.translate.command_line import code as command_line_code
from models.repair.translate.emitted import acceptable, fits, read_signature, split
from models.repair.translate.functions import body_of, head
from models.repair.translate.imports import all_imported
from models.repair.translate.signatures import adopt, read_functions
from models.repair.translate.types import Classes, Ty, Unsupported, read_rust_type
from models.repair.translate.writer import ClassInfo, Ex, Parameter, Program, Signature

LARGEST_I32 = (1 << 31) - 1


@dataclass
class Translation:
    """The Python's definitions by name, the emitted items by name, and what can be told of both."""

    places: Places
    functions: dict[str, Function]
    class_nodes: dict[str, ast.ClassDef]
    program: Program
    passing: dict[str, set[int]]
    emitted: dict[str, Signature] = field(default_factory=dict)
    wanted: dict[str, Signature] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)  # functions and classes whose emitted form cannot stay
    why_not: dict[str, str] = field(default_factory=dict)

    def items(self, name: str) -> list[Item]:
        """Return the emitted items of a name: a function, or a type and its implementations."""
        return [one for one in self.places.items if one.name == name and one.what in ("fn", "struct", "enum", "impl")]

    def users(self, name: str) -> set[str]:
        """Return the functions and classes that mention ``name``."""
        return {
            other
            for other, node in {**self.functions, **self.class_nodes}.items()
            if other != name and any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))
        }


def read_program(module: ast.Module, places: Places) -> Translation:
    """Return the two programs side by side."""
    functions = {node.name: node for node in module.body if isinstance(node, Function)}
    class_nodes = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
    classes = Classes(width=_width(module), dynamic="enum DepylerValue" in places.text)
    kinds: dict[str, str] = {}
    for name, node in class_nodes.items():
        kinds[name] = kind_of(node, kinds)
    classes.names = {name for name, kind in kinds.items() if kind in ("struct", "enum")}
    classes.copies = {name for name, kind in kinds.items() if kind == "enum"}
    _aliases(module, classes)
    found = Translation(
        places, functions, class_nodes, Program(classes, modules=all_imported(module)), _passing(functions)
    )
    _read_classes(found, kinds)
    _read_command_line(found, module)
    read_functions(found)
    _read_constants(found, module)
    return found


def _read_command_line(found: Translation, module: ast.Module) -> None:
    try:
        line = read_command_line(module, found.program.classes)
        if line is None:
            return
        found.program.infos[STRUCT] = as_class(line)
    except Unsupported as error:
        found.why_not["argparse"] = str(error)
        return
    found.program.command_line = line
    found.program.classes.names.add(STRUCT)
    found.program.classes.aliases["Namespace"] = ast.Name(id=STRUCT, ctx=ast.Load())


def extra_items(found: Translation, code: str) -> str:
    """Return the items beside functions and classes that ``code`` refers to and the program does not have yet."""
    line = found.program.command_line
    if line is None or (STRUCT not in code and PARSE not in code) or f"struct {STRUCT}" in found.places.text:
        return ""
    return command_line_code(found.program, line)


def _width(module: ast.Module) -> str:
    large = any(
        isinstance(one, ast.Constant) and isinstance(one.value, int) and one.value > LARGEST_I32
        for one in ast.walk(module)
    )
    return "i64" if large else "i32"


def _aliases(module: ast.Module, classes: Classes) -> None:
    for node in module.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Subscript | ast.Name)
        ):
            classes.aliases[node.targets[0].id] = node.value


def _passing(functions: dict[str, Function]) -> dict[str, set[int]]:
    """Return which parameters each function changes, directly or by calling another one."""
    found: dict[str, set[int]] = {name: set() for name in functions}
    for _ in range(len(functions) + 1):
        before = {name: set(each) for name, each in found.items()}
        for name, node in functions.items():
            changed = changed_in_place(node, found)
            rebound = {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
            found[name] = {at for at, one in enumerate(node.args.args) if one.arg in changed - rebound}
        if before == found:
            break
    return found


def _read_classes(found: Translation, kinds: dict[str, str]) -> None:
    classes = found.program.classes
    for name, node in found.class_nodes.items():
        try:
            info = read_class(classes, node, kinds[name], found.passing) if kinds[name] else None
        except Unsupported as error:
            found.why_not[name], info = str(error), None
        if info is not None:
            found.program.infos[name] = info
            if info.kind == "enum" or (info.kind == "struct" and not _kept(found, info)):
                found.changed.add(name)
        else:
            classes.names.discard(name)


def _kept(found: Translation, info: ClassInfo) -> bool:
    """Return whether the emitted struct can stay: its fields fit, and so do its methods' signatures."""
    struct = next((one for one in found.items(info.name) if one.what == "struct"), None)
    if struct is None or not struct.body:
        return False
    text, classes = found.places.text, found.program.classes
    fields: dict[str, Ty] = {}
    for part in split(text[struct.body : struct.end - 1]):
        name, _, kind = part.rpartition("#[")[2].rpartition("]")[2].partition(":")
        with suppress(Unsupported):
            fields[name.strip().removeprefix("pub ").strip().removeprefix("r#")] = read_rust_type(
                "".join(kind.split()), classes
            ).ty
    if set(fields) != set(info.fields) or not all(fits(fields[name], ty) for name, ty in info.fields.items()):
        return False
    emitted = {
        method.name: method
        for item in found.items(info.name)
        if item.what == "impl"
        for method in found.places.methods(item)
    }
    for name, wanted in info.methods.items():
        try:
            signature = read_signature(text, emitted[name], classes)
        except (Unsupported, KeyError):
            return False
        if not acceptable(signature, wanted):
            return False
        adopt(signature, wanted)
        info.methods[name] = signature
    return _kept_init(found, info, emitted.get("new"), fields)


def _kept_init(found: Translation, info: ClassInfo, new: Item | None, fields: dict[str, Ty]) -> bool:
    info.fields = {name: fields[name] for name in info.fields}
    if new is None:
        return info.init is None
    try:
        signature = _new_of(found, new)
    except Unsupported:
        return False
    if info.init is None:
        return True
    if len(signature) != len(info.init):
        return False
    for one, wanted in zip(signature, info.init, strict=True):
        one.default, one.name = wanted.default, wanted.name
    info.init = signature
    return True


def _new_of(found: Translation, new: Item) -> list[Parameter]:
    names = found.program.classes.names
    names.add("Self")
    try:
        return read_signature(found.places.text, new, found.program.classes).parameters
    finally:
        names.discard("Self")


def _read_constants(found: Translation, module: ast.Module) -> None:
    """Learn the emitted constants: their types, and how they are read."""
    assigned = {
        target.id
        for node in module.body
        if isinstance(node, ast.AnnAssign | ast.Assign)
        for target in targets(node)
        if isinstance(target, ast.Name)
    }
    for item in found.places.items:
        if item.what not in ("const", "static") or item.name not in assigned:
            continue
        said = re.match(
            r"(?:const|static)\s+\w+\s*:\s*(.*?)\s*=\s*", found.places.text[item.head : item.end], re.DOTALL
        )
        if said is None:
            continue
        lazy = re.fullmatch(r"std::sync::LazyLock<(.*)>", said[1].replace(" ", ""))
        with suppress(Unsupported):
            passed = read_rust_type(
                (lazy[1] if lazy else said[1]).replace("'static", "").replace(" ", ""), found.program.classes
            )
            form = "ref" if passed.mode == "ref" else "place"
            found.program.constants[item.name] = Ex(f"(*{item.name})" if lazy else item.name, passed.ty, form)


def function_code(found: Translation, name: str) -> tuple[str, set[str]]:
    """Return a function in Rust and the helpers that it calls; raises ``Unsupported``."""
    node, signature = found.functions[name], found.program.functions.get(name)
    if signature is None or isinstance(node, ast.AsyncFunctionDef) or node.decorator_list:
        raise Unsupported(found.why_not.get(name, f"{name} is not translated"))
    found.program.helpers = set()
    lines = body_of(found.program, node, signature, found.passing)
    body = "".join(f"{line}\n" for line in lines)
    if signature.text:
        return f"{signature.text}\n{body}}}", set(found.program.helpers)
    item = next(iter(found.items(name)), None)
    before = found.places.text[item.start : item.head] if item else "pub "
    return f"{before}{head(found.program, signature)} {{\n{body}}}", set(found.program.helpers)


def class_text(found: Translation, name: str) -> tuple[str, set[str]]:
    """Return a class in Rust and the helpers that it calls; raises ``Unsupported``."""
    info = found.program.infos.get(name)
    if info is None or info.kind == "error":
        raise Unsupported(found.why_not.get(name, f"{name} is not translated"))
    found.program.helpers = set()
    return class_code(found.program, found.class_nodes[name], info, found.passing), set(found.program.helpers)


def group_of(found: Translation, names: Iterable[str]) -> set[str]:
    """Return what has to be written together: with a changed signature its users, and what they use that changes."""
    group, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in group:
            continue
        group.add(name)
        if name in found.changed:
            waiting += found.users(name)
        node = found.functions.get(name) or found.class_nodes.get(name)
        if node is not None:
            mentioned = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            waiting += [one for one in mentioned & found.changed if one in found.functions or one in found.class_nodes]
    return group
