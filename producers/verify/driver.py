"""Runs a Python program's functions on given inputs, in a confined process of its own, and writes what they do.

Started as a script: ``driver.py PROGRAM CASES RESULTS CASE_LIMIT_S``. It imports nothing of this project, because the
process that runs it has no site packages. ``encode`` and ``decode`` are the canonical form in which inputs and
answers travel, one line each:

    n None · T F bool · i5; int · f<16 hex digits>; float's bits · b<hex>; bytes · "…" str, as in JSON but one line
    [ ] list · ( ) tuple · { } dict, keys and values in turn · < > set, sorted · @"Name"{ } object by its fields
    ?"type" something that has no such form
"""

from __future__ import annotations

import io
import struct
import sys
from importlib.machinery import SourceFileLoader

TYPE_CHECKING = False  # typing, importlib.util and runpy take longer to import than most programs to run
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from typing import Any
else:
    import _signal as signal  # what signal adds are enumerations, at the cost of all other imports here

MAX_DEPTH = 40
MAX_ITEMS = 10_000  # of a generator, which may have no end
MAX_CHARS = 1 << 20  # of one encoded answer
MAX_SLOW = 2  # slow cases of a function before its others are left out
MAIN = "main()"  # the name under which the program itself is a case

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


class Instance:
    """An object of a class of the program, by its fields."""

    def __init__(self, name: str, fields: dict[Any, Any]) -> None:
        self.name, self.fields = name, fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instance) and (self.name, self.fields) == (other.name, other.fields)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{key}={value!r}' for key, value in self.fields.items())})"


class Opaque:
    """Something that has no canonical form; ``type`` is what it is."""

    def __init__(self, kind: str) -> None:
        self.type = kind

    def __repr__(self) -> str:
        return f"<{self.type}>"


class _TooSlow(BaseException):  # not an Exception: the program's own handlers must not catch it
    pass


def encode(value: Any, depth: int = 0) -> str:
    """Return the canonical form of ``value``, in one line."""
    if value is None or value is True or value is False:
        return {None: "n", True: "T", False: "F"}[value]
    kind = type(value)
    if kind in _SCALARS:
        return _SCALARS[kind](value)
    if depth > MAX_DEPTH:
        return encode(Opaque("nested too deeply"))
    inner = _items(value, depth + 1)
    return inner if inner is not None else _object(value, depth + 1)


def decode(text: str) -> Any:
    """Return the value that ``encode`` wrote; raises ``ValueError`` for anything else."""
    value, end = _decode(text, 0)
    if end != len(text):
        raise ValueError(f"{len(text) - end} characters after the value")
    return value


def _items(value: Any, depth: int) -> str | None:
    if isinstance(value, list) or type(value).__name__ == "deque":
        return f"[{''.join(encode(item, depth) for item in value)}]"
    if isinstance(value, tuple):
        return f"({''.join(encode(item, depth) for item in value)})"
    if isinstance(value, dict):
        return f"{{{''.join(encode(key, depth) + encode(item, depth) for key, item in value.items())}}}"
    if isinstance(value, (set, frozenset)):
        return f"<{''.join(sorted(encode(item, depth) for item in value))}>"
    if hasattr(value, "__next__") and not isinstance(value, io.IOBase):
        first = [item for item, _ in zip(value, range(MAX_ITEMS), strict=False)]
        return f"[{''.join(encode(item, depth) for item in first)}]"
    return None


def _object(value: Any, depth: int) -> str:
    if isinstance(value, Instance):
        name, fields = value.name, value.fields
    elif isinstance(value, Opaque):
        return f"?{_quote(value.type)}"
    elif isinstance(value, bool | int | float | str | bytes):  # an enumeration, or another class built on a plain one
        return f"?{_quote(type(value).__name__)}"
    elif type(value).__module__ == "program" and hasattr(value, "__dict__"):
        name, fields = type(value).__name__, vars(value)
    else:
        return f"?{_quote(type(value).__name__)}"
    inner = "".join(_quote(str(key)) + encode(item, depth) for key, item in fields.items())
    return f"@{_quote(name)}{{{inner}}}"


def _quote(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


_SCALARS: dict[type, Callable[[Any], str]] = {
    int: lambda value: f"i{value};",
    float: lambda value: f"f{struct.pack('>d', value).hex()};",
    str: _quote,
    bytes: lambda value: f"b{value.hex()};",
    bytearray: lambda value: f"b{value.hex()};",
}


def _decode(text: str, at: int) -> tuple[Any, int]:
    mark = text[at : at + 1]
    if mark in {"n", "T", "F"}:
        return {"n": None, "T": True, "F": False}[mark], at + 1
    if mark in {"i", "f", "b"}:
        end = text.index(";", at)
        return _number(mark, text[at + 1 : end]), end + 1
    if mark == '"':
        return _string(text, at + 1)
    if mark in _SEQUENCES:
        close, make = _SEQUENCES[mark]
        items, end = _until(text, at + 1, close)
        return make(items), end
    if mark == "@":
        name, at = _decode(text, at + 1)
        fields, end = _decode(text, at)
        return Instance(name, fields), end
    if mark == "?":
        name, end = _decode(text, at + 1)
        return Opaque(name), end
    raise ValueError(f"{mark!r} at {at} begins no value")


def _number(mark: str, digits: str) -> Any:
    if mark == "i":
        return int(digits)
    raw = bytes.fromhex(digits)
    return raw if mark == "b" else struct.unpack(">d", raw)[0]


def _string(text: str, at: int) -> tuple[str, int]:
    parts: list[str] = []
    while (mark := text[at]) != '"':
        if mark == "\\":
            at += 1
            mark = _UNESCAPED.get(text[at], text[at])
        parts.append(mark)
        at += 1
    return "".join(parts), at + 1


def _until(text: str, at: int, close: str) -> tuple[list[Any], int]:
    items = []
    while text[at] != close:
        item, at = _decode(text, at)
        items.append(item)
    return items, at + 1


def _as_set(items: list[Any]) -> Any:
    try:
        return set(items)
    except TypeError:  # of lists: Rust has such sets
        return Instance("set", dict(enumerate(items)))


def _as_dict(items: list[Any]) -> Any:
    pairs = list(zip(items[::2], items[1::2], strict=True))
    try:
        return dict(pairs)
    except TypeError:
        return Instance("dict", dict(enumerate(pairs)))


_SEQUENCES: dict[str, tuple[str, Callable[[list[Any]], Any]]] = {
    "[": ("]", list),
    "(": (")", tuple),
    "<": (">", _as_set),
    "{": ("}", _as_dict),
}


def main(program: str, cases: str, results: str, limit_s: str) -> None:
    """Run every line of the file ``cases`` (number, function, arguments) and write a line for each to ``results``."""
    with open(cases, encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - pathlib takes a fifth of the start
        lines = [line.rstrip("\n").split("\t") for line in file]
    signal.signal(signal.SIGALRM, _ring)
    slow: dict[str, int] = {}
    with open(results, "w", encoding="utf-8", newline="\n", errors="surrogatepass") as out:  # noqa: PTH123
        functions = _load(program, out)
        for number, name, given in lines:
            if slow.get(name, 0) >= MAX_SLOW:
                out.write(f"{number}\tslow\tn\tn\t{_quote('')}\n")
                continue
            status, payload, after, said = _call(program, functions, name, decode(given), float(limit_s))
            slow[name] = slow.get(name, 0) + (status == "slow")
            out.write(f"{number}\t{status}\t{payload}\t{after}\t{_quote(said)}\n")
            out.flush()


def _load(program: str, out: Any) -> dict[str, Any]:
    loader = SourceFileLoader("program", program)
    module = type(sys)("program")
    module.__file__ = program
    sys.modules["program"] = module
    kept, sys.stdout = sys.stdout, io.StringIO()
    try:
        loader.exec_module(module)
    except BaseException as error:  # noqa: BLE001 - whatever a program raises
        out.write(f"-1\traise\t{_quote(_said(error))}\tn\t{_quote('')}\n")
        return {}
    finally:
        sys.stdout = kept
    return vars(module)


def _call(
    program: str, functions: dict[str, Any], name: str, arguments: tuple[Any, ...], limit_s: float
) -> tuple[str, str, str, str]:
    said = io.StringIO()
    status, payload = "ok", "n"
    given = tuple(_made(one, functions) for one in arguments)
    kept, sys.stdout = sys.stdout, said
    try:
        signal.setitimer(signal.ITIMER_REAL, limit_s, 0.05)
        if name == MAIN:
            _run_as_main(program)
        else:
            payload = encode(functions[name](*given))
    except _TooSlow:
        status = "slow"
    except SystemExit as error:
        status, payload = "exit", encode(error.code if isinstance(error.code, int) else int(error.code is not None))
    except (MemoryError, RecursionError) as error:
        status, payload = "resource", _quote(_said(error))
    except BaseException as error:  # noqa: BLE001 - whatever a program raises
        status, payload = "raise", _quote(_said(error))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stdout = kept
    if len(payload) > MAX_CHARS:
        payload = encode(Opaque("a very long value"))
    return status, payload, encode(given), said.getvalue()[:MAX_CHARS]


def _run_as_main(program: str) -> None:
    import runpy  # noqa: PLC0415 - see TYPE_CHECKING

    runpy.run_path(program, run_name="__main__")


def _made(value: Any, functions: dict[str, Any]) -> Any:
    """Return ``value`` with the program's own objects made by their classes."""
    if isinstance(value, Instance):
        return functions[value.name](**{key: _made(item, functions) for key, item in value.fields.items()})
    if isinstance(value, list):
        return [_made(item, functions) for item in value]
    return value


def _said(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:500]
    except Exception:  # noqa: BLE001 - a program's own __str__
        return type(error).__name__


def _ring(*_: object) -> None:
    raise _TooSlow


if __name__ == "__main__":
    sys.argv[0], given_arguments = "program.py", sys.argv[1:]
    del sys.argv[1:]
    main(*given_arguments)
