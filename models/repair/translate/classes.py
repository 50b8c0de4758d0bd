"""Classes: plain ones and dataclasses as structs, enumerations as enums, exceptions as names in messages."""

from __future__ import annotations

import ast

from models.repair.translate.analysis import Function, changed_in_place
from models.repair.translate.expressions import literal
from models.repair.translate.functions import body_of, head, own_signature
from models.repair.translate.types import BOOL, FLOAT, STR, Classes, Ty, Unsupported
from models.repair.translate.writer import ClassInfo, Parameter, Program, Signature

SPECIAL = {"__str__": "python_str", "__repr__": "python_repr", "__len__": "len"}
_ENUMS = ("Enum", "IntEnum", "StrEnum")


def kind_of(node: ast.ClassDef, known: dict[str, str]) -> str:
    """Return what a class is: ``struct``, ``enum``, ``error``, or ``""`` for what is not translated."""
    bases = [ast.unparse(one).rpartition(".")[2] for one in node.bases]
    if any(base in _ENUMS for base in bases):
        return "enum"
    if any(base.endswith(("Error", "Exception")) or known.get(base) == "error" for base in bases):
        return "error"
    return "struct" if not bases or bases in (["object"], ["ABC"]) else ""


def read_class(classes: Classes, node: ast.ClassDef, kind: str, passing: dict[str, set[int]]) -> ClassInfo:
    """Return what the program may do with a class; raises ``Unsupported``."""
    info = ClassInfo(node.name, kind)
    if kind == "error":
        info.members = {ast.unparse(one): one for one in node.bases}
        if any(isinstance(one, Function) for one in node.body):
            raise Unsupported(f"{node.name}: an exception with methods")
        return info
    if kind == "enum":
        return _enum(classes, node, info)
    info.dataclass = any("dataclass" in ast.unparse(one) for one in node.decorator_list)
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            info.fields[one.target.id] = classes.annotation(one.annotation)
            if one.value is not None:
                info.defaults[one.target.id] = _default(one.value)
        elif isinstance(one, ast.Assign):
            raise Unsupported(f"{node.name}: a class variable")
    methods = [one for one in node.body if isinstance(one, Function)]
    changing = _changing(methods, passing)
    for one in methods:
        _method(classes, node, info, one, passing, changing)
    return info


def _default(value: ast.expr) -> ast.expr:
    """Return a field's default; ``field(default_factory=list)`` is an empty one."""
    if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("field"):
        known = {one.arg: one.value for one in value.keywords}
        if "default" in known:
            return known["default"]
        factory = known.get("default_factory")
        if factory is None:
            raise Unsupported("a field without a default that is known")
        body = factory.body if isinstance(factory, ast.Lambda) else ast.Call(func=factory, args=[], keywords=[])
        return ast.fix_missing_locations(ast.copy_location(body, value))
    return value


def _changing(methods: list[Function], passing: dict[str, set[int]]) -> set[str]:
    """Return the methods that change their object, directly or by another one."""
    found: set[str] = set()
    for _ in range(len(methods) + 1):
        more = {one.name for one in methods if "self" in changed_in_place(one, passing, found)}
        if more == found:
            break
        found = more
    return found


def _method(
    classes: Classes,
    node: ast.ClassDef,
    info: ClassInfo,
    one: Function,
    passing: dict[str, set[int]],
    changing: set[str],
) -> None:
    decorators = {ast.unparse(each) for each in one.decorator_list}
    if decorators - {"staticmethod", "classmethod", "property", "abstractmethod"}:
        raise Unsupported(f"{node.name}.{one.name}: decorated")
    changed = changed_in_place(one, passing, changing)
    if one.name == "__init__":
        info.init = own_signature(classes, one, set(), fails=False, owner=node.name).parameters
        for parameter in info.init:
            parameter.mode = "value" if parameter.mode != "ref" or parameter.ty != STR else "ref"
        _fields_of_init(classes, info, one)
        return
    if one.name.startswith("__") and one.name not in (*SPECIAL, "__post_init__", "__eq__"):
        raise Unsupported(f"{node.name}.{one.name}")
    if one.name in ("__post_init__", "__eq__"):
        raise Unsupported(f"{node.name}.{one.name}")
    fails = any(isinstance(each, ast.Raise) for each in ast.walk(one))
    signature = own_signature(classes, one, changed, fails=fails, owner=node.name)
    if one.name in ("__str__", "__repr__"):
        signature.answer, signature.fails = STR, False
    signature.name = SPECIAL.get(one.name, one.name)
    info.methods[one.name] = signature
    if "property" in decorators:
        info.properties.add(one.name)
    if decorators & {"staticmethod", "classmethod"}:
        info.statics.add(one.name)


def _fields_of_init(classes: Classes, info: ClassInfo, node: Function) -> None:
    """Learn the fields from what ``__init__`` assigns at its top level."""
    known = {one.name: one.ty for one in info.init or []}
    for one in node.body:
        target = (
            one.target if isinstance(one, ast.AnnAssign) else one.targets[0] if isinstance(one, ast.Assign) else None
        )
        if target is None or not isinstance(target, ast.Attribute) or ast.unparse(target.value) != "self":
            continue
        if isinstance(one, ast.AnnAssign):
            info.fields[target.attr] = classes.annotation(one.annotation)
        elif isinstance(one, ast.Assign):
            ty = _told(classes, one.value, known)
            info.fields.setdefault(target.attr, ty)


def _told(classes: Classes, value: ast.expr, known: dict[str, Ty]) -> Ty:
    if isinstance(value, ast.Name) and value.id in known:
        return known[value.id]
    if isinstance(value, ast.Constant):
        names = {bool: BOOL, int: Ty(classes.width), float: FLOAT, str: STR}
        if type(value.value) in names:
            return names[type(value.value)]
    if isinstance(value, ast.UnaryOp):
        return _told(classes, value.operand, known)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in classes.names:
        return Ty(value.func.id)
    raise Unsupported(f"the type of a field that is {ast.unparse(value)[:40]}")


def _enum(classes: Classes, node: ast.ClassDef, info: ClassInfo) -> ClassInfo:
    values: list[object] = []
    for one in node.body:
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
            automatic = isinstance(one.value, ast.Call) and ast.unparse(one.value.func).endswith("auto")
            value = len(values) + 1 if automatic else one.value.value if isinstance(one.value, ast.Constant) else None
            if not isinstance(value, int | str) or isinstance(value, bool):
                raise Unsupported(f"{node.name}: a member that is computed")
            info.members[one.targets[0].id] = ast.Constant(value)
            values.append(value)
        elif not (isinstance(one, ast.Pass) or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))):
            raise Unsupported(f"{node.name}: more than members")
    kinds = {type(one) for one in values}
    if len(kinds) != 1:
        raise Unsupported(f"{node.name}: members of several types")
    info.fields["value"] = STR if kinds == {str} else Ty(classes.width)
    return info


def class_code(program: Program, node: ast.ClassDef, info: ClassInfo, passing: dict[str, set[int]]) -> str:
    """Return a class in Rust; raises ``Unsupported``."""
    return _enum_code(program, info) if info.kind == "enum" else _struct_code(program, node, info, passing)


def _enum_code(program: Program, info: ClassInfo) -> str:
    number = info.fields["value"] != STR
    names = {name: f"r#{name}" if name in ("Self",) else name for name in info.members}
    arms = "".join(f"            {info.name}::{rust} => {literal(name)},\n" for name, rust in names.items())
    values = "".join(
        f"            {info.name}::{names[name]} => {_member(value, number, program.classes.width)},\n"
        for name, value in info.members.items()
    )
    answer = program.classes.width if number else "String"
    return (
        f"#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]\npub enum {info.name} {{\n"
        f"    {', '.join(names.values())},\n}}\nimpl {info.name} {{\n    pub fn python_name(&self) -> String {{\n"
        f"        match self {{\n{arms}        }}.to_string()\n    }}\n    pub fn python_value(&self) -> {answer} {{\n"
        f"        match self {{\n{values}        }}{'' if number else '.to_string()'}\n    }}\n"
        f'    pub fn python_str(&self) -> String {{\n        format!("{info.name}.{{}}", self.python_name())\n'
        "    }\n}\n"
    )


def _member(value: ast.expr, number: bool, width: str) -> str:
    held = value.value if isinstance(value, ast.Constant) else 0
    return f"{held!r}{width}" if number else literal(str(held))


def _struct_code(program: Program, node: ast.ClassDef, info: ClassInfo, passing: dict[str, set[int]]) -> str:
    classes = program.classes
    plain = all(
        one.name not in ("float", "dict", "set", "fn", "dyn") for ty in info.fields.values() for one in ty.walk()
    )
    derived = "Debug, Clone, PartialEq" + (", Eq, Hash" if plain and _hashable(program, info) else "")
    fields = "".join(f"    pub {_safe(name)}: {classes.rust(ty)},\n" for name, ty in info.fields.items())
    parts = [_method_code(program, one, info, passing) for one in node.body if isinstance(one, Function)]
    shown = ""
    if "__str__" in info.methods:
        shown = (
            f"impl std::fmt::Display for {info.name} {{\n    fn fmt(&self, "
            f"f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{\n"
            f'        write!(f, "{{}}", self.python_str())\n    }}\n}}\n'
        )
    return (
        f"#[derive({derived})]\npub struct {info.name} {{\n{fields}}}\nimpl {info.name} {{\n{''.join(parts)}}}\n{shown}"
    )


def _safe(name: str) -> str:
    from models.repair.translate.writer import RUST_WORDS

    return f"r#{name}" if name in RUST_WORDS else name


def _hashable(program: Program, info: ClassInfo) -> bool:
    inner = {one.name for ty in info.fields.values() for one in ty.walk()} & set(program.infos)
    return all(program.infos[name].kind == "enum" for name in inner)


def _method_code(program: Program, node: Function, info: ClassInfo, passing: dict[str, set[int]]) -> str:
    if node.name == "__init__":
        return new_code(program, node, info, passing)
    signature = info.methods[node.name]
    lines = body_of(program, node, signature, passing, info)
    body = "".join(f"    {line}\n" for line in lines)
    return f"    pub {head(program, signature)} {{\n{body}    }}\n"


def new_code(program: Program, node: Function, info: ClassInfo, passing: dict[str, set[int]]) -> str:
    """Return ``new``: the fields become variables, which the object is made of at the end."""
    body: list[ast.stmt] = []
    for one in node.body:
        renamed = _Fields(set(info.fields)).visit(ast.parse(ast.unparse(one)).body[0])
        ast.fix_missing_locations(renamed)
        body.append(renamed)
    signature = Signature(
        "new", [Parameter(one.name, one.ty, one.mode, one.default) for one in info.init or []], Ty(info.name)
    )
    made = ast.FunctionDef(
        name="new", args=_arguments(info), body=body, decorator_list=[], returns=None, lineno=node.lineno, col_offset=0
    )
    end = ast.Return(
        ast.Call(
            func=ast.Name(id=info.name, ctx=ast.Load()),
            args=[ast.Name(id=f"field_{name}", ctx=ast.Load()) for name in info.fields],
            keywords=[],
        )
    )
    made.body.append(end)
    ast.fix_missing_locations(made)
    for one in body:
        if (
            isinstance(one, ast.Assign)
            and isinstance(one.targets[0], ast.Name)
            and one.targets[0].id.startswith("field_")
        ):
            pass
    kept, info.init = info.init, None
    try:
        typed = _typed(program, made, info)
        lines = body_of(program, typed, signature, passing, info)
    finally:
        info.init = kept
    shown = Signature("new", signature.parameters, Ty("Self"))
    program.classes.names.add("Self")
    code = head(program, shown)
    program.classes.names.discard("Self")
    return f"    pub {code} {{\n{''.join(f'    {line}' + chr(10) for line in lines)}    }}\n"


def _typed(program: Program, made: ast.FunctionDef, info: ClassInfo) -> ast.FunctionDef:
    del program, info
    return made


def _arguments(info: ClassInfo) -> ast.arguments:
    names = [ast.arg(arg=one.name) for one in info.init or []]
    return ast.arguments(posonlyargs=[], args=names, kwonlyargs=[], kw_defaults=[], defaults=[])


class _Fields(ast.NodeTransformer):
    """Turns ``self.x`` into a variable ``field_x``."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Rename a field."""
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            if node.attr not in self._names:
                raise Unsupported(f"self.{node.attr} in __init__")
            return ast.Name(id=f"field_{node.attr}", ctx=node.ctx)
        self.generic_visit(node)
        return node
