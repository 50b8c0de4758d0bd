"""Masking: a compiler message without its names, so that two messages of one kind read the same.

What is quoted in a message (identifiers, types, paths, literals) is replaced by its *shape*: ``cannot find value
`total_x` in this scope`` becomes ``cannot find value <name> in this scope``. Error codes and expectation comments
(``//~``) are removed outright, because they name the answer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from sys import getsizeof

from models.caching import BoundedCache

MAX_MASKED = 2_000  # characters of a message that are looked at; more says nothing new and costs time

CODE = re.compile(r"[Ee]\d{4}")  # also inside a word: it may be a file's name
EXPECTATION = re.compile(r"//(?:\[[^\]\n]{1,64}\])?[~@].*")  # of a compiler's own tests, ``//[revision]~ ERROR`` too
_ANSWERS = re.compile(f"{CODE.pattern}|{EXPECTATION.pattern}")
_URL = re.compile(r"(?<![\w+.-])[a-z]{2,10}://[^\s`]+")  # clippy's help links end in the lint's name
_QUOTED = re.compile(r"`([^`]{0,400})`")
_NUMBER = re.compile(r"\b\d[\d_]*(?:\.\d+)?(?:[iuf](?:8|16|32|64|128|size))?\b")
# A match starts only where a run of path characters starts: trying each of its characters takes quadratic time.
_PATH = re.compile(
    r"(?<![\w<.+/\\-])(?:"
    r"(?:/[\w.+-]+){2,}"  # /home/x/y
    r"|(?:[A-Za-z]:)?[\w.+/\\-]+\.rs\b"  # main.rs, C:\x\y.rs
    r"|[\w.+-]*[/\\][\w.+/\\-]*\.\w{1,8}\b"  # data/names.txt
    r")"
)
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"<[\w:&]+>|[A-Za-z_][\w']*|[^\sA-Za-z_0-9]")

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), shape)
    for pattern, shape in (
        (r"^'\w+$", "lifetime"),
        (r"^[iu](8|16|32|64|128|size)$", "int"),
        (r"^f(32|64)$", "float"),
        (r"^&(mut )?('\w+ )?(str|String)\b", "&str"),
        (r"^(str|(std::string::)?String)$", "string"),
        (r"^(bool|char)$", "scalar"),
        (r"^\(\)$", "unit"),
        (r"^\{integer\}$", "int"),
        (r"^\{float\}$", "float"),
        (r"^(Box<)?dyn\b", "dyn"),
        (r"^impl\b", "impl"),
        (r"^&mut\b", "&mut"),
        (r"^&", "&type"),
        (r"^\w+!(\(.*\))?$", "macro"),
        (r"^(std::)?(\w+::)*(Option|Result|Vec|HashMap|HashSet|Box|Rc|Arc|RefCell|Mutex|Cow)<", "container"),
        (r"^#\[|^#!\[", "attribute"),
        (r"^\[.*\]$", "array"),
        (r"^\(.*\)$", "tuple"),
        (r"^\|.*\|", "closure"),
        (r"^[a-z_]\w*\(.*\)$", "call"),
        (r"^\w+(::\w+)+", "path"),
        (r"^[A-Z]\w*<", "generic"),
        (r"^[A-Z]$", "param"),
        (r"^[A-Z][A-Z0-9_]+$", "constant"),
        (r"^[A-Z]\w*$", "Type"),
        (r"^[a-z_]\w*$", "name"),
        (r"^\d", "number"),
        (r"^[\"']", "literal"),
    )
)
_MASKED: BoundedCache[str, str] = BoundedCache(8 << 20)  # raw text -> masked
# Words of the language itself are kept: they say what the message is about, not whose code it is.
_LANGUAGE = frozenset(
    word
    for line in (
        "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod",
        "move mut pub ref return self Self static struct super trait true type union unsafe use where while yield",
        "Copy Clone Debug Display Default Send Sync Sized Drop Fn FnMut FnOnce Iterator IntoIterator From Into Add Sub",
        "Mul Div Rem Neg Not Eq Ord PartialEq PartialOrd Hash Deref Index Future Error Ok Err Some None",
    )
    for word in line.split()
)


def shape(quoted: str) -> str:
    """Return what is quoted as a shape such as ``<name>``, ``<int>`` or ``<container>``; language words as they are."""
    text = quoted.strip()
    if text in _LANGUAGE or (text and not any(c.isalnum() or c in "'_\"" for c in text)):
        return text
    head = text.partition("<")[0]
    if head in _LANGUAGE:
        return head
    return next((f"<{name}>" for pattern, name in _SHAPES if pattern.match(text)), "<expr>")


def mask(text: str) -> str:
    """Return ``text`` with quoted names, numbers, paths and answers replaced by shapes or removed.

    >>> mask("cannot find value `total_x` in this scope")
    'cannot find value <name> in this scope'
    >>> mask("expected `i32`, found `&str`")
    'expected <int>, found <&str>'
    """
    text = text[:MAX_MASKED]
    masked = _MASKED.get(text)
    if masked is None:
        masked = _mask(text)
        _MASKED.keep(text, masked, getsizeof(text) + getsizeof(masked) + 100)
    return masked


def _mask(text: str) -> str:
    """Mask a text; a substitution is tried only where one character that it needs is there: that saves most of them."""
    if "/" in text or "\\" in text or ".rs" in text:
        text = _PATH.sub("<path>", _URL.sub("<url>", text))  # before a code is cut out of the middle of a path
    if "`" in text:
        text = _QUOTED.sub(_shaped, text)
    if _DIGIT.search(text) or "//" in text:
        text = _ANSWERS.sub(" ", text)  # after the quotes: marks quoted alone may have joined to an answer
        text = _NUMBER.sub("<number>", text)
    return " ".join(text.split())


def _shaped(match: re.Match[str]) -> str:
    return _shape(match[1])


@lru_cache(maxsize=4_096)  # of at most 400 characters each
def _shape(quoted: str) -> str:
    return shape(quoted)


def words(masked: str) -> list[str]:
    """Return the words, shapes and marks of a masked text, in order; words in lower case."""
    return [word if word.startswith("<") else word.lower() for word in _WORD.findall(masked)]
