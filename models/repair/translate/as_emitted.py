"""A program as it was emitted: what is written anew one by one keeps every signature and struct around it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from models.repair.items import Item
from models.repair.translate.analysis import Function
from models.repair.translate.classes import new_code
from models.repair.translate.emitted import read_signature, split
from models.repair.translate.functions import body_of, own_signature, parameters_of
from models.repair.translate.program import Translation
from models.repair.translate.types import Ty, Unsupported, read_rust_type
from models.repair.translate.writer import ClassInfo, Parameter, Signature

# What these say of an object (its truth, its equality) is not asked of the emitted type.
_OWN_TRUTH = frozenset({"__len__", "__bool__", "__eq__", "__hash__", "__getattr__", "__iter__"})


def as_emitted(found: Translation) -> Translation:
    """Return the program with the emitted signatures and structs only; what cannot be read is not known."""
    classes = replace(found.program.classes, names=set(found.program.classes.names))
    structs = {one.name for one in found.places.items if one.what == "struct"}
    classes.names |= {name for name, node in found.class_nodes.items() if name in structs and not _own_truth(node)}
    program = replace(found.program, classes=classes, functions={}, infos={}, helpers=set())
    kept = replace(found, program=program, emitted={}, wanted={}, changed=set(), why_not={})
    for name, info in found.program.infos.items():
        if name not in found.class_nodes or (info.kind == "error" and name not in structs):
            program.infos[name] = info
    for name, node in found.functions.items():
        item = next((one for one in found.items(name) if one.what == "fn"), None)
        if item is not None:
            with suppress(Unsupported):
                program.functions[name] = _signature(kept, item, node)
    for name in classes.names & set(found.class_nodes):
        if name in structs:
            program.infos[name] = _info(kept, name)
    return kept


def _own_truth(node: ast.ClassDef) -> bool:
    return any(isinstance(one, Function) and one.name in _OWN_TRUTH for one in node.body)


def _signature(kept: Translation, item: Item, node: Function, *, method: bool = False) -> Signature:
    """Return an emitted signature with Python's names; raises ``Unsupported`` where it cannot mean the same."""
    signature = read_signature(kept.places.text, item, kept.program.classes)
    if signature.receiver not in (("&self", "&mut self") if method and not _static(node) else ("",)):
        raise Unsupported(f"{node.name} takes {signature.receiver or 'no self'}")
    pairs = parameters_of(node, method=method and not _static(node, alone=True))
    if len(pairs) != len(signature.parameters):
        raise Unsupported(f"{node.name}: {len(pairs)} parameters, {len(signature.parameters)} in Rust")
    positions = kept.passing.get(node.name, set()) if not method else set()
    for at, (one, (arg, default)) in enumerate(zip(signature.parameters, pairs, strict=True)):
        if at in positions and one.mode != "mut" and not kept.program.classes.is_copy(one.ty):
            raise Unsupported(f"{node.name} changes {arg.arg}, which Rust does not lend to be changed")
        one.name, one.default = arg.arg, default
    return signature


def _static(node: Function, *, alone: bool = False) -> bool:
    names = ("staticmethod",) if alone else ("staticmethod", "classmethod")
    return any(ast.unparse(one) in names for one in node.decorator_list)


def emitted_methods(found: Translation, name: str) -> dict[str, Item]:
    """Return the methods that a type has in Rust of its own, those of traits left out."""
    text = found.places.text
    own = [one for one in found.items(name) if one.what == "impl" and " for " not in text[one.head : one.body]]
    return {method.name: method for one in own for method in found.places.methods(one)}


def _info(kept: Translation, name: str) -> ClassInfo:
    node, info = kept.class_nodes[name], ClassInfo(name, "struct")
    info.fields = _fields(kept, name)
    methods = emitted_methods(kept, name)
    for one in node.body:
        if not isinstance(one, Function) or one.name not in methods or one.name.startswith("__"):
            continue
        decorators = {ast.unparse(each) for each in one.decorator_list}
        if decorators - {"staticmethod", "classmethod", "property", "abstractmethod"}:
            continue
        with suppress(Unsupported):
            info.methods[one.name] = _signature(kept, methods[one.name], one, method=True)
            if "property" in decorators:
                info.properties.add(one.name)
            if decorators & {"staticmethod", "classmethod"}:
                info.statics.add(one.name)
    info.init = _init(kept, node, methods.get("new"))
    return info


def _fields(kept: Translation, name: str) -> dict[str, Ty]:
    """Return the fields of an emitted struct whose types are known."""
    struct = next(one for one in kept.items(name) if one.what == "struct")
    fields: dict[str, Ty] = {}
    for part in split(kept.places.text[struct.body : struct.end - 1]) if struct.body else ():
        said = re.search(r"(?:pub\s+)?(?:r#)?(\w+)\s*:(?!:)(.*)\Z", part, re.DOTALL)
        if said:
            with suppress(Unsupported):
                passed = read_rust_type("".join(said[2].split()), kept.program.classes)
                fields[said[1]] = passed.ty
    return fields


def _init(kept: Translation, node: ast.ClassDef, new: Item | None) -> list[Parameter] | None:
    """Return how an object is made; an object that cannot be made by ``new`` is given parameters that never fit."""
    init = next((one for one in node.body if isinstance(one, Function) and one.name == "__init__"), None)
    never = [Parameter("?", Ty("?"), "value")]
    if new is None:
        return never
    kept.program.classes.names.add("Self")
    try:
        signature = read_signature(kept.places.text, new, kept.program.classes)
        pairs = parameters_of(init, method=True) if init else []
    except Unsupported:
        return never
    finally:
        kept.program.classes.names.discard("Self")
    if init is None or len(pairs) != len(signature.parameters):
        return never
    for one, (arg, default) in zip(signature.parameters, pairs, strict=True):
        one.name, one.default = arg.arg, default
    return signature.parameters


def pieces(kept: Translation, name: str, places: set[str]) -> Iterator[tuple[str, Item, str, set[str]]]:
    """Yield what of ``name`` can be written anew where it stands: its label, the emitted item, the Rust, the helpers.

    ``places``: of a class, the methods that have errors.
    """
    if name in kept.functions:
        item = next((one for one in kept.items(name) if one.what == "fn"), None)
        signature = kept.program.functions.get(name)
        node = kept.functions[name]
        if item is not None and signature is not None and not node.decorator_list:
            with suppress(Unsupported, RecursionError):
                yield name, item, *_written(kept, node, signature, None)
        return
    info = kept.program.infos.get(name)
    if info is None or info.kind != "struct":
        return
    methods = emitted_methods(kept, name)
    for one in kept.class_nodes[name].body:
        rust = "new" if isinstance(one, Function) and one.name == "__init__" else getattr(one, "name", "")
        if not isinstance(one, Function) or rust not in places or rust not in methods:
            continue
        with suppress(Unsupported, RecursionError):
            yield f"{name}.{one.name}", methods[rust], *_method(kept, one, info)


def _method(kept: Translation, node: Function, info: ClassInfo) -> tuple[str, set[str]]:
    if node.name == "__init__":
        return _new(kept, node, info)
    if node.name not in info.methods:
        raise Unsupported(f"{node.name} is not read")
    return _written(kept, node, info.methods[node.name], info)


def _new(kept: Translation, node: Function, info: ClassInfo) -> tuple[str, set[str]]:
    if info.init is None or any(one.name == "?" for one in info.init):
        raise Unsupported("new is not read")
    own_signature(kept.program.classes, node, set(), fails=False, owner=info.name)
    kept.program.helpers = set()
    return new_code(kept.program, node, info, kept.passing).strip(), set(kept.program.helpers)


def _written(kept: Translation, node: Function, signature: Signature, owner: ClassInfo | None) -> tuple[str, set[str]]:
    if isinstance(node, ast.AsyncFunctionDef):
        raise Unsupported(f"{node.name} is asynchronous")
    kept.program.helpers = set()
    lines = body_of(kept.program, node, signature, kept.passing, owner)
    return signature.text + "\n" + "".join(f"{line}\n" for line in lines) + "}", set(kept.program.helpers)
