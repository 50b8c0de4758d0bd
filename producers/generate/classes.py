"""Classes of a program, and the statements that make and use their instances."""

from __future__ import annotations

from producers.generate.draft import INDENT, Callee, Draft, Method
from producers.generate.kinds import MOST_WEIGHT, TYPES
from producers.generate.statements import deep, introduce

FIELDS = "iisfbi"
CLASS_CODES = "0123456789"
"""Codes of classes: none of a type's letters."""


def _field_type(draft: Draft) -> str:
    return FIELDS[draft.byte() % len(FIELDS)]


def define(draft: Draft, depth: int) -> None:
    """Write a class or a data class with fields, a method that reads them, and one that changes one of them."""
    draft.start_function()
    choice = draft.byte()
    code = CLASS_CODES[len(draft.classes)]
    name = draft.classes[code] = draft.name("class")
    fields = [(draft.name("attribute"), _field_type(draft)) for _ in range(1 + choice % 3)]
    if choice & 4:
        draft.imports.add("from dataclasses import dataclass")
        draft.emit(f"@dataclass\nclass {name}:")
        draft.indent = INDENT
        for field, kind in fields:
            draft.emit(f"{field}: {TYPES[kind]}")
    else:
        draft.emit(f"class {name}:")
        draft.indent = INDENT
        _constructor(draft, fields)
    for field, kind in fields:
        draft.admit(kind, f"self.{field}", 2)
    reader, changer = _reader(draft, depth), _changer(draft, fields)
    draft.indent = ""
    kinds = tuple(kind for _, kind in fields)
    draft.callees.setdefault(code, []).append(Callee(f"{name}(", kinds, ")", 1, 1))
    if choice & 0x18 == 0 and draft.profile.has("classes", 3):
        _subclass(draft, code, kinds, reader, depth)
    draft.methods[code] = [reader, changer] if changer else [reader]


def _constructor(draft: Draft, fields: list[tuple[str, str]]) -> None:
    parameters = [(draft.name(kind), kind) for _, kind in fields]
    draft.emit(f"def __init__(self, {', '.join(f'{one}: {TYPES[kind]}' for one, kind in parameters)}) -> None:")
    for (field, kind), (parameter, _) in zip(fields, parameters, strict=True):
        draft.emit(f"{INDENT}self.{field}: {TYPES[kind]} = {parameter}")


def _reader(draft: Draft, depth: int) -> Method:
    """Write a method that computes something; return its name, parameters, result and weight."""
    code = _field_type(draft)
    name, parameter = draft.name("function"), draft.name("i")
    mark = len(draft.declared)
    draft.admit("i", parameter, 1)
    text, weight = draft.value(code, deep(draft, depth))
    draft.release(mark)
    draft.emit(f"\ndef {name}(self, {parameter}: int) -> {TYPES[code]}:\n{INDENT}return {text}")
    return Method(name, ("i",), code, max(1, weight))


def _changer(draft: Draft, fields: list[tuple[str, str]]) -> Method | None:
    """Write a method that changes the first whole number among the fields, if there is one."""
    field = next((field for field, kind in fields if kind == "i"), None)
    if field is None:
        return None
    name, parameter = draft.name("function"), draft.name("i")
    draft.emit(f"\ndef {name}(self, {parameter}: int) -> int:")
    draft.emit(f"{INDENT}self.{field} = self.{field} + {parameter} * {draft.constant('k')}")
    draft.emit(f"{INDENT}return self.{field}")
    return Method(name, ("i",), "i", 4)


def _subclass(draft: Draft, code: str, kinds: tuple[str, ...], method: Method, depth: int) -> None:
    """Write a class that overrides the first method of another."""
    name, parameter = draft.name("class"), draft.name("i")
    draft.start_function()
    draft.admit("i", parameter, 1)
    draft.indent = INDENT * 2
    text, _ = draft.value(method.result, deep(draft, depth))
    draft.indent = ""
    draft.emit(f"\n\nclass {name}({draft.classes[code]}):")
    draft.emit(
        f"{INDENT}def {method.name}(self, {parameter}: int) -> {TYPES[method.result]}:\n{INDENT * 2}return {text}"
    )
    draft.callees[code].append(Callee(f"{name}(", kinds, ")", 1, 1))


def use(draft: Draft, _: int) -> bool:
    """Make an instance and call its methods."""
    if not draft.methods or draft.loops:
        return False
    codes = sorted(draft.methods)
    code = codes[draft.byte() % len(codes)]
    makers = draft.callees[code]
    name = draft.name(code)
    draft.emit(f"{name} = {draft.call(makers[draft.byte() % len(makers)])}")
    for method, parameters, result, weight in draft.methods[code]:
        if draft.byte() & 3:
            draft.weight = 0
            text = draft.call(Callee(f"{name}.{method}(", parameters, ")", weight, 1))
            introduce(draft, result, text, max(1, min(draft.weight, MOST_WEIGHT)))
    return True
