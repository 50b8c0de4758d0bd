"""What the emitted Rust offers: signatures as they stand, and whether they are those that the Python needs."""

from __future__ import annotations

import re

from models.repair.items import Item
from models.repair.translate.types import NONE, Classes, Passed, Ty, Unsupported, read_rust_type
from models.repair.translate.writer import Parameter, Signature

_BOXED = re.compile(r"Box\s*<\s*dyn\s+(?:std\s*::\s*error\s*::\s*)?Error\s*>")
_LIFETIME = re.compile(r"'\w+\s*")
_GENERIC = re.compile(r"\A\s*<((?:\s*'\w+\s*,?)*)>\s*")


def read_signature(text: str, item: Item, classes: Classes) -> Signature:
    """Return the signature of an emitted function; raises ``Unsupported`` where it is not understood."""
    said = text[item.head : item.body - 1]
    found = re.match(r"fn\s+((?:r#)?\w+)\s*", said)
    if found is None or not item.body:
        raise Unsupported("a function without a body")
    rest = said[found.end() :]
    lifetimes = _GENERIC.match(rest)
    rest = rest[lifetimes.end() :] if lifetimes else rest
    if not rest.startswith("("):
        raise Unsupported(f"{found[1]} is generic in Rust")
    inner, rest = _enclosed(rest)
    parameters, receiver = [], ""
    for part in split(inner):
        name, colon, kind = part.partition(":")
        if not colon:
            receiver = " ".join(_LIFETIME.sub("", name).replace("& ", "&").split())
            continue
        rust = name.strip().removeprefix("mut ").strip()
        passed = read_rust_type(_plain(kind), classes)
        parameters.append(Parameter(rust.removeprefix("r#"), passed.ty, passed.mode, rust=rust))
    answer, fails = _answer(rest.partition("where")[0].strip().removeprefix("->").strip(), classes)
    return Signature(found[1].removeprefix("r#"), parameters, answer, fails, receiver, text[item.start : item.body])


def _plain(kind: str) -> str:
    kind = _LIFETIME.sub("", kind).replace("\n", " ").strip()
    return re.sub(r"\s*([<>,()&:])\s*", r"\1", kind).replace("&mut ", "&mut\x00").replace(" ", "").replace("\x00", " ")


def _answer(text: str, classes: Classes) -> tuple[Ty, bool]:
    if not text:
        return NONE, False
    found = re.match(r"(?:std\s*::\s*result\s*::\s*)?Result\s*<(.*)>\s*\Z", text, re.DOTALL)
    if found is None:
        return _owned(read_rust_type(_plain(text), classes)), False
    parts = split(found[1])
    if len(parts) != 2 or not _BOXED.fullmatch(parts[1].strip()):
        raise Unsupported("an error type of its own")
    return _owned(read_rust_type(_plain(parts[0]), classes)), True


def _owned(passed: Passed) -> Ty:
    if passed.mode != "value" or (False):
        raise Unsupported("a borrowed answer")
    return passed.ty


def _enclosed(text: str) -> tuple[str, str]:
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if not depth:
            return text[1:at], text[at + 1 :]
    raise Unsupported("brackets that do not close")


def split(text: str) -> list[str]:
    """Return the parts between commas that stand outside every bracket."""
    parts, depth, begin = [], 0, 0
    for at, sign in enumerate(text):
        depth += (sign in "(<[") - (sign in ")]" or (sign == ">" and text[at - 1] != "-"))
        if sign == "," and not depth:
            parts.append(text[begin:at])
            begin = at + 1
    return [one for one in [*parts, text[begin:]] if one.strip()]


def fits(emitted: Ty, wanted: Ty) -> bool:
    """Return whether an emitted type is what the Python says, up to the width of integers."""
    if wanted.name == "?" or emitted == wanted:
        return True
    if emitted.is_int and wanted.is_int:
        return (emitted.name, wanted.name) != ("i32", "i64")  # wanted only where the program has such numbers
    same = emitted.name == wanted.name and len(emitted.args) == len(wanted.args)
    return same and all(fits(*pair) for pair in zip(emitted.args, wanted.args, strict=True))


def acceptable(emitted: Signature, wanted: Signature) -> bool:
    """Return whether the emitted signature can stay: types, what is changed, and who is called."""
    if len(emitted.parameters) != len(wanted.parameters) or not fits(emitted.answer, wanted.answer):
        return False
    if (emitted.receiver == "&self" and wanted.receiver == "&mut self") or bool(emitted.receiver) != bool(
        wanted.receiver
    ):
        return False
    return all(
        fits(one.ty, other.ty) and (other.mode != "mut" or one.mode == "mut")
        for one, other in zip(emitted.parameters, wanted.parameters, strict=True)
    )
