"""Which signature each function has: the emitted one where it can stay, else the one that the Python asks for."""

from __future__ import annotations

import ast
from contextlib import suppress
from typing import TYPE_CHECKING

from models.repair.translate.analysis import Function
from models.repair.translate.command_line import STRUCT
from models.repair.translate.emitted import acceptable, read_signature
from models.repair.translate.functions import own_signature
from models.repair.translate.types import Unsupported
from models.repair.translate.writer import Signature

if TYPE_CHECKING:
    from models.repair.translate.program import Translation


def adopt(emitted: Signature, wanted: Signature) -> None:
    """Give an emitted signature the names and defaults of the Python."""
    for one, other in zip(emitted.parameters, wanted.parameters, strict=True):
        one.name, one.default = other.name, other.default


def read_functions(found: Translation) -> None:
    """Choose each function's signature: the emitted one where it can stay."""
    text, classes = found.places.text, found.program.classes
    for name, node in found.functions.items():
        item = next((one for one in found.items(name) if one.what == "fn"), None)
        emitted = None
        if item is not None:
            with suppress(Unsupported):
                emitted = found.emitted[name] = read_signature(text, item, classes)
        if emitted is not None and _spread(found, node, emitted):
            found.program.functions[name] = emitted
            continue
        try:
            wanted = _wanted(found, node, emitted)
            found.wanted[name] = wanted
        except Unsupported as error:
            found.why_not[name] = str(error)
            if emitted is not None and len(emitted.parameters) == len(node.args.args):
                _named_by(emitted, node)
                found.program.functions[name] = emitted
            continue
        if emitted is not None and acceptable(emitted, wanted):
            adopt(emitted, wanted)
            found.program.functions[name] = emitted
        else:
            found.changed.add(name)
            found.program.functions[name] = wanted


def _spread(found: Translation, node: Function, emitted: Signature) -> bool:
    """Take note of parsed arguments that depyler passes one by one; return whether it does."""
    info = found.program.infos.get(STRUCT)
    plain = [one.name.removeprefix("_") for one in emitted.parameters]
    if info is None or len(node.args.args) != 1 or node.args.args[0].arg in plain or not set(plain) <= set(info.fields):
        return False
    for one, name in zip(emitted.parameters, plain, strict=True):
        one.name = name
    emitted.spread = node.args.args[0].arg
    return True


def _named_by(emitted: Signature, node: Function) -> None:
    defaults: list[ast.expr | None] = [None] * (len(node.args.args) - len(node.args.defaults))
    for one, arg, default in zip(emitted.parameters, node.args.args, [*defaults, *node.args.defaults], strict=True):
        one.name, one.default = arg.arg, default


def _wanted(found: Translation, node: Function, emitted: Signature | None) -> Signature:
    if isinstance(node, ast.AsyncFunctionDef) or node.decorator_list:
        raise Unsupported(f"{node.name} is asynchronous or decorated")
    positions = found.passing.get(node.name, set())
    changed = {one.arg for at, one in enumerate(node.args.args) if at in positions}
    fails = emitted.fails if emitted else any(isinstance(one, ast.Raise) for one in ast.walk(node))
    return own_signature(found.program.classes, node, changed, fails=fails)
