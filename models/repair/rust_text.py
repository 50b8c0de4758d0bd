"""Finding one's way in a Rust expression by brackets: the end of a call, the begin of a receiver."""

from __future__ import annotations

import re

_OPEN = {"(": ")", "[": "]", "{": "}"}
_CLOSE = {value: key for key, value in _OPEN.items()}
_STRING = re.compile(r'b?"(?:\\.|[^"\\])*"', re.DOTALL)
_CHAR = re.compile(r"'(?:\\[^']+|[^\\'\n])'")
MAX_SCAN = 20_000  # characters


def closing(text: str, start: int) -> int | None:
    """Return the place behind the bracket that closes the one at ``start``, or nothing."""
    depth, at, limit = 0, start, min(len(text), start + MAX_SCAN)
    while at < limit:
        sign = text[at]
        hidden = _STRING.match(text, at) if sign == '"' else _CHAR.match(text, at) if sign == "'" else None
        if hidden:
            at = hidden.end()
            continue
        depth += (sign in _OPEN) - (sign in _CLOSE)
        at += 1
        if not depth:
            return at
    return None


def receiver(text: str, dot: int) -> int | None:
    """Return where the expression begins whose method is called at the ``.`` at ``dot``, or nothing."""
    at = dot
    while at > max(0, dot - MAX_SCAN):
        while at and text[at - 1].isspace():
            at -= 1
        sign = text[at - 1 : at]
        if sign in _CLOSE and sign:
            opened = _opening(text, at - 1)
            if opened is None:
                return None
            at = opened
            if sign in {")", "]"}:
                before = len(text[:at].rstrip())
                if before and (text[before - 1].isalnum() or text[before - 1] in "_!>"):
                    at = before
                    continue
        elif sign == '"':
            at = text.rfind('"', 0, at - 1)
        elif sign == "!":
            at -= 1
            continue
        else:
            begin = re.compile(r"[\w:]+$").search(text, max(0, at - 200), at)
            if begin is None:
                return at if at != dot else None
            at = begin.start()
        before = len(text[:at].rstrip())
        if text[before - 1 : before] == "." or text[before - 2 : before] == "::":
            at = before - (1 if text[before - 1] == "." else 2)
            continue
        return at
    return None


def _opening(text: str, end: int) -> int | None:
    depth, at = 0, end
    while at >= max(0, end - MAX_SCAN):
        sign = text[at]
        if sign == '"':
            at = text.rfind('"', 0, at)
            while at > 0 and text[at - 1] == "\\":
                at = text.rfind('"', 0, at)
        else:
            depth += (sign in _CLOSE) - (sign in _OPEN)
        if not depth:
            return at
        at -= 1
    return None


def arguments(text: str, start: int) -> list[tuple[int, int]] | None:
    """Return the places of the arguments in the brackets that open at ``start``, or nothing."""
    end = closing(text, start)
    if end is None:
        return None
    found, begin, at = [], start + 1, start + 1
    while at < end - 1:
        sign = text[at]
        hidden = _STRING.match(text, at) if sign == '"' else _CHAR.match(text, at) if sign == "'" else None
        if hidden:
            at = hidden.end()
        elif sign in _OPEN:
            inner = closing(text, at)
            if inner is None:
                return None
            at = inner
        elif sign == ",":
            found.append((begin, at))
            begin = at = at + 1
        else:
            at += 1
    if text[begin : end - 1].strip():
        found.append((begin, end - 1))
    return found
