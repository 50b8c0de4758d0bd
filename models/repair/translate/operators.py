"""Operators: what Python gives for negative numbers and zero, Rust gives too."""

from __future__ import annotations

import ast

from models.repair.translate.types import BOOL, DYN, FLOAT, OPEN, STR, Ty, Unsupported, join, wider
from models.repair.translate.values import borrow, coerce, own, truth, unwrapped
from models.repair.translate.writer import Ex, Writer, ex, expression

_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Mod: "%"}


_BITS = {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>"}


_SETS = {ast.BitAnd: "intersection", ast.BitOr: "union", ast.BitXor: "symmetric_difference", ast.Sub: "difference"}


@expression(ast.BinOp)
def binary(w: Writer, node: ast.BinOp, want: Ty) -> Ex:
    """Translate an operator; what Python gives for negative numbers and zero, Rust gives too."""
    hint = want if want.is_number or want.name in ("list", "set") else OPEN
    left, right = ex(w, node.left, hint), ex(w, node.right, hint)
    left, right = (unwrapped(w, one) if one.ty.name == "option" else one for one in (left, right))
    op = type(node.op)
    if left.ty.name == "?" or right.ty.name == "?":
        return Ex("?", right.ty if left.ty.name == "?" else left.ty)
    if DYN in (left.ty, right.ty) and op in (ast.Add, ast.Sub, ast.Mult):
        return Ex(f"({own(w, coerce(w, left, DYN))} {_ARITHMETIC[op]} {own(w, coerce(w, right, DYN))})", DYN)
    if left.ty == STR or (right.ty == STR and op is ast.Mult):
        return _strings(w, op, left, right, node)
    if "list" in (left.ty.name, right.ty.name):
        return _lists(w, op, left, right)
    if left.ty.name == "set" and right.ty.name == "set" and op in _SETS:
        return Ex(
            f"{left.code}.{_SETS[op]}({borrow(right)}).cloned().collect::<{w.rust(left.ty)}>()", join(left.ty, right.ty)
        )
    if left.ty == BOOL and right.ty == BOOL and op in (ast.BitAnd, ast.BitOr, ast.BitXor):
        return Ex(f"({own(w, left)} {_BITS[op]} {own(w, right)})", BOOL)
    left, right = (coerce(w, one, w.int) if one.ty == BOOL else one for one in (left, right))
    if not (left.ty.is_number and right.ty.is_number):
        raise Unsupported(f"line {node.lineno}: {left.ty.name} {op.__name__} {right.ty.name}")
    return numbers(w, op, left, right, node)


def numbers(w: Writer, op: type[ast.operator], left: Ex, right: Ex, node: ast.BinOp) -> Ex:
    """Return the code of an operator between two numbers."""
    positive = (
        isinstance(node.right, ast.Constant) and isinstance(node.right.value, int | float) and node.right.value > 0
    )
    if op is ast.Div:
        a, b = (own(w, coerce(w, one, FLOAT)) for one in (left, right))
        if positive:
            return Ex(f"({a} / {b})", FLOAT)
        checked = f"{w.need('python_div_checked')}({a}, {b})?" if w.can_fail else f"{w.need('python_div')}({a}, {b})"
        return Ex(checked, FLOAT)
    ty = FLOAT if FLOAT in (left.ty, right.ty) else wider(left.ty, right.ty)
    a, b = (own(w, coerce(w, one, ty)) for one in (left, right))
    if op is ast.Pow:
        return _power(w, left, right, ty, node)
    if ty.is_int and op in _BITS:
        if op in (ast.LShift, ast.RShift):
            b = (
                own(w, right)
                if right.ty.name == "u32"
                else f'u32::try_from({own(w, right)}).expect("ValueError: negative shift count")'
            )
            if op is ast.RShift:
                return Ex(f"({a} >> {b}.min({_bits(ty) - 1}))", ty)
            return Ex(f'{a}.checked_mul({ty.name}::pow(2, {b})).expect("attempt to shift left with overflow")', ty)
        return Ex(f"({a} {_BITS[op]} {b})", ty)
    if op in (ast.Mod, ast.FloorDiv):
        if positive and ty.is_int:
            return Ex(f"{a}.{'rem_euclid' if op is ast.Mod else 'div_euclid'}({b})", ty)
        stem = "python_mod" if op is ast.Mod else "python_floordiv"
        if ty == FLOAT:
            return Ex(f"{w.need(f'{stem}_float')}({a}, {b})", ty)
        if w.can_fail:
            return Ex(f"({w.need(f'{stem}_int')}({a} as i64, {b} as i64)? as {ty.name})", ty)
        return Ex(f"({w.need(f'{stem}_int')}({a} as i64, {b} as i64).unwrap() as {ty.name})", ty)
    if op in _ARITHMETIC:
        return Ex(f"({a} {_ARITHMETIC[op]} {b})", ty)
    raise Unsupported(f"line {node.lineno}: {op.__name__}")


def _bits(ty: Ty) -> int:
    return 64 if ty.name.endswith("size") else int(ty.name[1:])


def _power(w: Writer, left: Ex, right: Ex, ty: Ty, node: ast.BinOp) -> Ex:
    if ty.is_int:
        if isinstance(node.right, ast.Constant) and isinstance(node.right.value, int) and node.right.value >= 0:
            return Ex(f"{own(w, left)}.pow({node.right.value})", ty)
        return Ex(f'{own(w, left)}.pow(u32::try_from({own(w, right)}).expect("a negative power"))', ty)
    if right.ty.is_int:
        return Ex(f"{own(w, coerce(w, left, FLOAT))}.powi({own(w, right)} as i32)", FLOAT)
    return Ex(f"{own(w, coerce(w, left, FLOAT))}.powf({own(w, coerce(w, right, FLOAT))})", FLOAT)


def _strings(w: Writer, op: type[ast.operator], left: Ex, right: Ex, node: ast.BinOp) -> Ex:
    if op is ast.Add and right.ty == STR:
        return Ex(f'format!("{{}}{{}}", {left.code}, {right.code})', STR)
    if op is ast.Mult and (left.ty.is_int or right.ty.is_int):
        what, count = (left, right) if left.ty == STR else (right, left)
        return Ex(f"{what.code}.repeat({own(w, count)}.max(0) as usize)", STR)
    raise Unsupported(f"line {node.lineno}: {left.ty.name} {op.__name__} {right.ty.name}")


def _lists(w: Writer, op: type[ast.operator], left: Ex, right: Ex) -> Ex:
    if op is ast.Add and left.ty.name == right.ty.name:
        ty = join(left.ty, right.ty)
        return Ex(f"[{own(w, coerce(w, left, ty))}, {own(w, coerce(w, right, ty))}].concat()", ty)
    what, count = (left, right) if left.ty.name == "list" else (right, left)
    if op is ast.Mult and count.ty.is_int:
        times = f"{own(w, count)}.max(0) as usize"
        if what.code.startswith("vec![") and what.code.count(",") == 0:
            return Ex(f"vec![{what.code[5:-1]}; {times}]", what.ty)
        items = (
            f"(0..({times})).flat_map(|_| "
            f"{own(w, Ex(f'({what.code})', what.ty, 'place'))}).collect::<{w.rust(what.ty)}>()"
        )
        return Ex(items, what.ty)
    raise Unsupported(f"{left.ty.name} {op.__name__} {right.ty.name}")


@expression(ast.UnaryOp)
def unary(w: Writer, node: ast.UnaryOp, want: Ty) -> Ex:
    """Translate ``not``, ``-``, ``+`` and ``~``."""
    inner = ex(w, node.operand, want if want.is_number else OPEN)
    if isinstance(node.op, ast.Not):
        return Ex(f"(!{truth(w, inner)})", BOOL)
    inner = unwrapped(w, inner) if inner.ty.name == "option" else inner
    if inner.ty == BOOL:
        inner = coerce(w, inner, w.int)
    if not inner.ty.is_number and inner.ty.name != "?":
        raise Unsupported(f"line {node.lineno}: sign of {inner.ty.name}")
    if isinstance(node.op, ast.USub):
        return Ex(f"(-{own(w, inner)})", inner.ty)
    return inner if isinstance(node.op, ast.UAdd) else Ex(f"(!{own(w, inner)})", inner.ty)
