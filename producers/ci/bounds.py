"""Untrusted values brought within the limits of a record: text cut, numbers clamped, paths shortened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MAX_SHORT = 256
MAX_TEXT = 16_384
MAX_LINE_BYTES = 8 << 20  # of the input; a longer line is skipped without being held
MAX_NUMBER = (1 << 31) - 1
ELLIPSIS = "…"

CRATE_FOLDERS = ("src", "tests", "examples", "benches")
_ABSOLUTE = re.compile(r"(?:file:/)?/|[A-Za-z]:/")
# Two components or more, so that a lone slash or a division in a message stays what it is.
_PATH_IN_TEXT = re.compile(
    r"(?:(?<![\w:/.\\~])|(?<=file://))(?:[A-Za-z]:[\\/]|[\\/])(?:[\w.@+$-]+[\\/]){1,64}[\w.@+$-]+"
)


class FieldError(ValueError):
    """A field of a compiler's message that is missing or of the wrong type; the text says which and what it is."""


def cut(text: str, limit: int) -> str:
    """Return ``text`` with at most ``limit`` characters, the last an ellipsis if something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def well_formed(text: str) -> str:
    """Return ``text`` with lone surrogates replaced: they have no UTF-8 form and no record takes them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def text_of(source: Mapping[str, Any], name: str, limit: int) -> str:
    """Return the text at ``name``, cut; raises ``FieldError`` if it is missing or no text."""
    value = source.get(name)
    if not isinstance(value, str):
        raise FieldError(f"{name} is {kind_of(value)}, expected text")
    return cut(well_formed(value), limit)


def number_of(source: Mapping[str, Any], name: str) -> int:
    """Return the integer at ``name``, clamped to what a record holds; raises ``FieldError`` for anything else."""
    value = source.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise FieldError(f"{name} is {kind_of(value)}, expected a number")
    return min(max(value, 0), MAX_NUMBER)


def objects_of(source: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the list of objects at ``name``, empty if absent; raises ``FieldError`` for anything else."""
    value = source.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise FieldError(f"{name} is {kind_of(value)}, expected a list")
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise FieldError(f"{name}[{index}] is {kind_of(item)}, expected an object")
    return value


def kind_of(value: object) -> str:
    """Return what ``value`` is, in JSON's words."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true/false", int: "a number", float: "a fraction"}
    return "missing" if value is None else names.get(type(value), type(value).__name__)


def shorten(path: str) -> str:
    """Return ``path`` with slashes, an absolute one from the crate downward, so that no user name is left in it."""
    plain = path.replace("\\", "/")
    if _ABSOLUTE.match(plain) or plain.startswith("~"):
        plain = _below_crate(plain)
    return plain if len(plain) <= MAX_SHORT else ELLIPSIS + plain[1 - MAX_SHORT :]


def without_paths(text: str) -> str:
    """Return a message with the absolute paths in it shortened."""
    if "/" not in text and "\\" not in text:
        return text
    return _PATH_IN_TEXT.sub(lambda match: shorten(match.group()), text)


def _below_crate(path: str) -> str:
    parts = path.split("/")
    folders = [index for index, part in enumerate(parts[:-1]) if part in CRATE_FOLDERS]
    return "/".join(parts[folders[-1] :]) if folders else parts[-1]
