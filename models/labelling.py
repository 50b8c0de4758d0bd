"""The votes of all labelling functions on the diagnostics of one build.

Votes are bits of an integer until all of a diagnostic are there, and most follow from a text that was seen before, so
that a diagnostic costs a few look-ups. ``models.labels.functions`` has the functions, ``models.labels.model`` weighs
their votes and says what the label is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from models.caching import BoundedCache
from models.code_features import Place, place_of
from models.diagnostics import Diagnostic, Span
from models.feedback import SHOWN
from models.labels.functions import (
    ADVICE,
    AFTER_IMPORT,
    AFTER_SYNTAX,
    CODE_FEEDBACK,
    CODE_TABLE,
    LABEL,
    LINT_GROUP,
    MESSAGE,
    MESSAGE_TABLE,
    SAME_LINE,
    SIMILAR_FEEDBACK,
    VERIFIED,
    LabellingFunction,
    lint_groups,
    phrases,
)
from models.labels.lines import LineTest, Marked, line_tests, mark_tests
from models.labels.model import LabelModel, Votes
from models.masking import EXPECTATION, mask
from models.taxonomy import LABELS, Rule

MAX_TEXTS = 4  # notes, suggestions and labelled spans of a diagnostic that are read, as for features
MAX_LINE = 240  # characters of a line of code that are read
GATES = ".*!"  # marks that few lines have: words with one of them are looked for only where it is

Bits = int  # a set of votes: the bits by ``_bits``

_BYTES = 200  # of an entry beside its text
_MESSAGES: BoundedCache[str, tuple[Bits, str]] = BoundedCache(4 << 20)  # masked text -> votes, label of the first
_ADVICES: BoundedCache[str, Bits] = BoundedCache(2 << 20)
_LABELS: BoundedCache[str, Bits] = BoundedCache(2 << 20)
_LINES: BoundedCache[Place, Bits] = BoundedCache(12 << 20)
_MARKS: BoundedCache[tuple[str, str], Bits] = BoundedCache(2 << 20)  # marked code, character before it
_VOTES: BoundedCache[tuple[Bits, str | None, float], Votes] = BoundedCache(4 << 20)
_COLUMN = {label: column for column, label in enumerate(LABELS)}


@cache
def functions() -> tuple[LabellingFunction, ...]:
    """Return every labelling function; a place in it is valid in this process only, names are for good."""
    before = (CODE_TABLE, MESSAGE_TABLE, LINT_GROUP)
    marks, lines = [one for one, _ in mark_tests()], [one for one, *_ in line_tests()]
    after = (AFTER_IMPORT, AFTER_SYNTAX, SAME_LINE, SIMILAR_FEEDBACK, CODE_FEEDBACK, VERIFIED)
    return (*before, *[one.function for one in phrases()], *marks, *lines, *after)


@cache
def _slots() -> tuple[int, ...]:
    """Return the slot of each bit, ascending: most functions vote for one label, and so most slots for nothing."""
    return tuple(
        sorted([place * len(LABELS) + _COLUMN[label] for place, one in enumerate(functions()) for label in one.labels])
    )


@cache
def _bits() -> dict[tuple[str, str], Bits]:
    """Return the bit of a function's vote for a label, by their names."""
    names = [one.name for one in functions()]
    return {(names[slot // len(LABELS)], LABELS[slot % len(LABELS)]): 1 << bit for bit, slot in enumerate(_slots())}


def _bit(function: LabellingFunction, label: str) -> Bits:
    return _bits()[function.name, label]


def is_verifier(author: str | None) -> bool:
    """Return whether feedback comes from a verifier, which names itself ``verifier`` or ``verifier/<what>``."""
    return author is not None and author.partition("/")[0] == "verifier"


def votes_of_build(model: LabelModel, diagnostics: Sequence[Diagnostic], rules: Sequence[Rule | None]) -> list[Votes]:
    """Return the votes on each diagnostic of one build; ``rules`` are the code table's answers to them.

    ``model`` is asked for what people said; it has to be one of ``functions()`` and ``LABELS``. Nothing is learned.
    """
    found: list[Votes] = []
    failed: Bits = 0  # votes of the errors that stand before in the build
    lines: dict[tuple[str, int], Bits] = {}
    told = model.told
    for one, rule in zip(diagnostics, rules, strict=True):
        masked, code = mask(one.message), one.code
        words, label = known if (known := _MESSAGES.get(masked)) is not None else _read_message(masked)
        bits, span = _shown(one)
        bits |= words | failed
        if span is not None:
            where = span.file, span.line_start
            if where in lines:
                bits |= lines[where]
            elif label:
                lines[where] = _same_line(label)
        if told:
            bits |= _people(model, code, masked if len(one.message) <= SHOWN else mask(one.message[:SHOWN]))
        floor = 0.0
        if rule is not None:
            bits |= _table(code, rule.label)
            floor = rule.confidence
        found.append(_VOTES.get((bits, code, floor)) or _votes(bits, code, floor))
        failed = failed or _failed(label)
    return found


def _votes(bits: Bits, code: str | None, floor: float) -> Votes:
    slots = tuple([slot for bit, slot in enumerate(_slots()) if bits >> bit & 1])
    return _VOTES.keep((bits, code, floor), Votes(slots, code, floor), _BYTES + 40 * len(slots))


@lru_cache(maxsize=4_096)
def _table(code: str | None, label: str) -> Bits:
    """Return what the code table says of the code, of a message without code, and of a clippy lint's group."""
    if code is None:
        return _bit(MESSAGE_TABLE, label)
    group = lint_groups().get(code)
    said = _bit(CODE_TABLE, label)
    return said if group is None else said | _bit(LINT_GROUP, group)


@cache
def _same_line(label: str) -> Bits:
    return _bit(SAME_LINE, label)


@cache
def _failed(label: str) -> Bits:
    """Return the votes that a failed import or a failed parse casts on the errors after it."""
    if label == "ImportErrors":
        return _bit(AFTER_IMPORT, label)
    return _bit(AFTER_SYNTAX, label) if label == "ASTTransform" else 0


def _shown(one: Diagnostic) -> tuple[Bits, Span | None]:
    """Return the votes of the notes, suggestions, labels and of the marked line; and the span of that line."""
    bits, primary = 0, None
    for note in one.notes[:MAX_TEXTS]:
        masked = mask(note.message)
        bits |= known if (known := _ADVICES.get(masked)) is not None else _read(ADVICE, _ADVICES, masked)
    for suggestion in one.suggestions[:MAX_TEXTS]:
        masked = mask(suggestion.message)
        bits |= known if (known := _ADVICES.get(masked)) is not None else _read(ADVICE, _ADVICES, masked)
    for span in one.spans[:MAX_TEXTS]:
        if primary is None and span.is_primary:
            primary = span
        if span.label:
            masked = mask(span.label)
            bits |= known if (known := _LABELS.get(masked)) is not None else _read(LABEL, _LABELS, masked)
    primary = primary or one.primary
    if primary is not None and primary.text:
        bits |= _line(primary)
    return bits, primary


def _read_message(masked: str) -> tuple[Bits, str]:
    """Return the votes of the phrases in a masked message that was not met before, and the label of the first."""
    said = _found(MESSAGE, masked)
    known = _any(said), said[0].labels[0] if said else ""
    return _MESSAGES.keep(masked, known, 4 * len(masked) + _BYTES)


def _read(reads: str, known: BoundedCache[str, Bits], masked: str) -> Bits:
    """Return the votes of the phrases in a masked text that was not met before."""
    return known.keep(masked, _any(_found(reads, masked)), 4 * len(masked) + _BYTES)


def _found(reads: str, masked: str) -> list[LabellingFunction]:
    return [function for search, function in _searches(reads) if search(masked)]


@cache
def _searches(reads: str) -> tuple[tuple[Callable[[str], object], LabellingFunction], ...]:
    """Return the phrases that are looked for in one kind of text, by what looks for them."""
    return tuple((one.pattern.search, one.function) for one in phrases() if one.function.reads == reads)


def _any(said: Sequence[LabellingFunction]) -> Bits:
    bits = 0
    for function in said:
        bits |= _bit(function, function.labels[0])
    return bits


def _line(span: Span) -> Bits:
    """Return the votes of the marked line."""
    place = place_of(span)
    known = _LINES.get(place)
    return known if known is not None else _LINES.keep(place, _read_line(place), 4 * len(place.line) + _BYTES)


def _read_line(place: Place) -> Bits:
    line, start, end = place.line[:MAX_LINE], place.start, place.end
    if "//" in line:
        line = EXPECTATION.sub("", line)
    marked, before = line[start:end].strip(), line[:start].rstrip()
    last = before[-1:]
    bits = known if (known := _MARKS.get((marked, last))) is not None else _mark(marked, last)
    for gate, tests in _tests_of_lines():
        if gate in line:
            for word, test, bit in tests:
                if word in line and test(Marked(line, marked, before)):
                    bits |= bit
    return bits


def _mark(marked: str, last: str) -> Bits:
    code = Marked("", marked, last)
    bits = _any([function for function, test in mark_tests() if test(code)])
    return _MARKS.keep((marked, last), bits, 4 * len(marked) + _BYTES)


@cache
def _tests_of_lines() -> list[tuple[str, list[tuple[str, LineTest, Bits]]]]:
    """Return the words that a line must have, each with its test and vote, by a mark that several words have."""
    gates: dict[str, list[tuple[str, LineTest, Bits]]] = {}
    for function, test, words in line_tests():
        for word in words:
            gate = next((mark for mark in word if mark in GATES), word)
            gates.setdefault(gate, []).append((word, test, _bit(function, function.labels[0])))
    return list(gates.items())


def _people(model: LabelModel, code: str | None, masked: str) -> Bits:
    """Return the votes of what people and verifiers said of the nearest messages, and people of this code."""
    bits = 0
    near, by_code, verified = model.people.nearest(masked), model.codes.label(code), model.verifiers.said(masked)
    if near is not None:
        bits |= _bit(SIMILAR_FEEDBACK, near.label)
    if by_code is not None:
        bits |= _bit(CODE_FEEDBACK, by_code)
    if verified is not None:
        bits |= _bit(VERIFIED, verified)
    return bits
