"""What no repair may do, however content rustc is: stubs, silenced lints, unsafe code, code and arguments dropped."""

from __future__ import annotations

import re
from collections import Counter

from models.repair.candidates import Candidate
from models.repair.edits import Edit, clash

_FORBIDDEN = re.compile(
    r"\b(todo|unimplemented)\s*!|\bunsafe\b|#!?\[\s*(allow|expect|cfg)\b|\bunreachable_unchecked\b"
    r"|\bstd::mem::(zeroed|transmute|forget)\b|\bstd::process::(exit|abort)\b|\bexit\s*\("
)
_HIDDEN = re.compile(r"""//[^\n]*|/\*.*?\*/|\bb?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*\"""", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]\w*|\d[\w.]*")
# Words that conversions bring or take; the rest of what an edit removes is what the program said.
_FREE = frozenset(
    [
        "mut",
        "ref",
        "as",
        "i8",
        "i16",
        "i32",
        "i64",
        "u8",
        "u16",
        "u32",
        "u64",
        "usize",
        "isize",
        "f32",
        "f64",
        "str",
        "String",
        "to_string",
        "to_owned",
        "into",
        "clone",
        "cloned",
        "copied",
        "as_str",
        "as_ref",
        "as_mut",
        "iter",
        "into_iter",
        "unwrap",
        "expect",
        "Some",
        "Ok",
        "Err",
        "None",
        "Default",
        "default",
        "DepylerValue",
        "Int",
        "Float",
        "Str",
        "Bool",
        "List",
        "std",
        "let",
        "dyn",
        "impl",
        "Box",
        "Vec",
        "Option",
        "Result",
        "unwrap_or_default",
        "collect",
        "a",
        "b",
        "join",
        "py_add",
        "py_sub",
        "py_mul",
        "py_div",
        "mut_ref",
        "contains",
        "contains_key",
        "deref",
        "to_vec",
        "new",
        "display",
        "is_some",
        "is_empty",
        "as_bool",
        "ok",
    ]
)


def plain(text: str) -> str:
    """Return Rust without comments and with empty string literals."""
    return _HIDDEN.sub('""', text)


def forbidden(before: str, after: str, *, translated: bool = False) -> str:
    """Return what ``after`` holds more of than ``before`` and no repair may add, or nothing.

    A program that is written anew from its Python may end itself where that does.
    """
    had, has = (Counter(found[0] for found in _FORBIDDEN.finditer(plain(each))) for each in (before, after))
    return next((one for one in has - had if not (translated and "exit" in one)), "")


def dropped(text: str, edits: tuple[Edit, ...]) -> list[str]:
    """Return the names and numbers that ``edits`` take out of the program and put back nowhere."""
    had: Counter[str] = Counter()
    has: Counter[str] = Counter()
    for edit in edits:
        had.update(_WORD.findall(text[edit.start : edit.end]))
        has.update(_WORD.findall(edit.replacement))
    return [word for word in had - has if word not in _FREE]


def refused(text: str, candidate: Candidate, *, translated: bool = False) -> str:
    """Return why a candidate must not be tried, or nothing; ``translated``: it is a translation of the Python."""
    if clash(candidate.edits):
        return "changes one place in two ways"
    removed = "\n".join(text[edit.start : edit.end] for edit in candidate.edits)
    added = "\n".join(edit.replacement for edit in candidate.edits)
    if found := forbidden(removed, added, translated=translated):
        return f"adds {found}"
    if translated:
        return ""
    if words := dropped(text, candidate.edits):
        return f"drops {', '.join(words[:3])}"
    return _empties(text, candidate)


_EMPTY = re.compile(r"::new\(\)|::default\(\)|Default>::default|::with_capacity\(_\)")


def _empties(text: str, candidate: Candidate) -> str:
    """Return that a call with arguments becomes an empty value: rustc's ``PathBuf::new()`` for ``PathBuf(x)``."""
    added = "".join(edit.replacement for edit in candidate.edits)
    removed = "".join(text[edit.start : edit.end] for edit in candidate.edits)
    if _EMPTY.search(added) and not _EMPTY.search(removed):
        return "puts an empty value where the program has one"
    return ""
