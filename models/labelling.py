"""The votes of all labelling functions on the diagnostics of one build, and the label that is learned from.

Most votes follow from a text that was seen before: they are remembered per masked text, so that a diagnostic costs
a few look-ups. ``models.labels.functions`` has the functions, ``models.labels.model`` weighs their votes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

from models.caching import BoundedCache
from models.code_features import place_of
from models.diagnostics import Diagnostic, Span
from models.feedback import FeedbackMemory
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
from models.labels.lines import Marked, line_tests
from models.labels.model import LabelModel, Votes
from models.masking import EXPECTATION, mask
from models.memory import Example
from models.taxonomy import LABELS, Rule

MAX_TEXTS = 4  # notes, suggestions and labelled spans of a diagnostic that are read, as for features
MAX_LINE = 240  # characters of a line of code that are read

Said = tuple[int, ...]  # slots that somebody votes for

_BYTES = 120  # of an entry beside its text and 16 for each of its slots
_MESSAGES: BoundedCache[str, Said] = BoundedCache(2 << 20)  # masked text -> votes
_ADVICES: BoundedCache[str, Said] = BoundedCache(2 << 20)
_LABELS: BoundedCache[str, Said] = BoundedCache(2 << 20)
_LINES: BoundedCache[tuple[str, int, int], Said] = BoundedCache(4 << 20)  # line, marked from, marked to
_MERGED: BoundedCache[tuple[Said, ...], Said] = BoundedCache(4 << 20)  # all that was said -> in order, each once
_COLUMN = {label: column for column, label in enumerate(LABELS)}


@cache
def functions() -> tuple[LabellingFunction, ...]:
    """Return every labelling function; a place in it is valid in this process only, names are for good."""
    before = (CODE_TABLE, MESSAGE_TABLE, LINT_GROUP)
    after = (AFTER_IMPORT, AFTER_SYNTAX, SAME_LINE, SIMILAR_FEEDBACK, CODE_FEEDBACK, VERIFIED)
    return (*before, *[one.function for one in phrases()], *[function for function, _ in line_tests()], *after)


@cache
def _place(name: str) -> int:
    return next(place for place, one in enumerate(functions()) if one.name == name) * len(LABELS)


def _slot(function: LabellingFunction, label: str) -> int:
    return _place(function.name) + _COLUMN[label]


def label_of(example: Example, rule: Rule | None, feedback: FeedbackMemory) -> str | None:
    """Return the label to learn by people and the code table alone, or nothing when both abstain."""
    verdict = feedback.verdict(example.key)
    if verdict is not None:
        return verdict.label
    return rule.label if rule is not None and feedback.trusts(example.code) else None


def is_verifier(author: str | None) -> bool:
    """Return whether feedback comes from a verifier, which names itself ``verifier`` or ``verifier/<what>``."""
    return author is not None and author.partition("/")[0] == "verifier"


def votes_of_build(model: LabelModel, diagnostics: Sequence[Diagnostic], rules: Sequence[Rule | None]) -> list[Votes]:
    """Return the votes on each diagnostic of one build; ``rules`` are the code table's answers to them.

    ``model`` is asked for what people said; it has to be one of ``functions()`` and ``LABELS``. Nothing is learned.
    """
    found: list[Votes] = []
    failed: Said = ()  # votes of the errors that stand before in the build
    lines: dict[tuple[str, int], Said] = {}
    for one, rule in zip(diagnostics, rules, strict=True):
        masked, code = mask(one.message), one.code
        words = known if (known := _MESSAGES.get(masked)) is not None else _read(MESSAGE, _MESSAGES, masked)
        said = [words, failed]
        span = _add_shown(said, one)
        if span is not None:
            where = span.file, span.line_start
            if where in lines:
                said.append(lines[where])
            elif words:
                lines[where] = _same_line(words[0] % len(LABELS))
        if model.told:
            said.append(_people(model, code, masked))
        if rule is None:
            found.append(Votes(_merged(said), code))
        else:
            said.append(_table(code, rule.label))
            found.append(Votes(_merged(said), code, rule.confidence))
        failed = failed or _failed(words)
    return found


def _merged(said: list[Said]) -> Said:
    """Return the votes in order, each once."""
    key = tuple([some for some in said if some])
    known = _MERGED.get(key)
    if known is not None:
        return known
    slots = tuple(sorted({slot for some in key for slot in some}))
    return _MERGED.keep(key, slots, _BYTES + 40 * len(key) + 40 * len(slots))


@lru_cache(maxsize=4_096)
def _table(code: str | None, label: str) -> Said:
    """Return what the code table says of the code, of a message without code, and of a clippy lint's group."""
    if code is None:
        return (_slot(MESSAGE_TABLE, label),)
    group = lint_groups().get(code)
    said = _slot(CODE_TABLE, label)
    return (said,) if group is None else (said, _slot(LINT_GROUP, group))


@cache
def _same_line(column: int) -> Said:
    return (_slot(SAME_LINE, LABELS[column]),)


def _add_shown(said: list[Said], one: Diagnostic) -> Span | None:
    """Add the votes of the notes, suggestions, labels and of the marked line; return the span of that line."""
    for note in one.notes[:MAX_TEXTS]:
        masked = mask(note.message)
        said.append(known if (known := _ADVICES.get(masked)) is not None else _read(ADVICE, _ADVICES, masked))
    for suggestion in one.suggestions[:MAX_TEXTS]:
        masked = mask(suggestion.message)
        said.append(known if (known := _ADVICES.get(masked)) is not None else _read(ADVICE, _ADVICES, masked))
    primary = None
    for span in one.spans[:MAX_TEXTS]:
        if span.is_primary and primary is None:
            primary = span
        if span.label:
            masked = mask(span.label)
            said.append(known if (known := _LABELS.get(masked)) is not None else _read(LABEL, _LABELS, masked))
    primary = primary or one.primary
    if primary is not None and primary.text:
        said.append(_line_votes(primary))
    return primary


def _read(reads: str, known: BoundedCache[str, Said], masked: str) -> Said:
    """Return the votes of the phrases in a masked text that was not met before."""
    said = [one.function for one in phrases() if one.function.reads == reads and one.pattern.search(masked)]
    slots = tuple([_slot(function, label) for function in said for label in function.labels])
    return known.keep(masked, slots, 4 * len(masked) + _BYTES + 16 * len(slots))


def _line_votes(span: Span) -> Said:
    text, start, end = place_of(span)
    text = text[:MAX_LINE]
    known = _LINES.get((text, start, end))
    if known is not None:
        return known
    line = EXPECTATION.sub("", text)
    code = Marked(line, line[start:end].strip(), line[:start].rstrip())
    slots = tuple([_slot(function, function.labels[0]) for function, test in line_tests() if test(code)])
    return _LINES.keep((text, start, end), slots, 4 * len(text) + _BYTES + 16 * len(slots))


def _people(model: LabelModel, code: str | None, masked: str) -> Said:
    """Return the votes of what people and verifiers said of the nearest messages, and people of this code."""
    slots: list[int] = []
    near, by_code, verified = model.people.nearest(masked), model.code_label(code), model.verifiers.said(masked)
    if near is not None:
        slots.append(_slot(SIMILAR_FEEDBACK, near.label))
    if by_code is not None:
        slots.append(_slot(CODE_FEEDBACK, by_code))
    if verified is not None:
        slots.append(_slot(VERIFIED, verified))
    return tuple(slots)


@lru_cache(maxsize=1_024)
def _failed(words: Said) -> Said:
    """Return the votes that a failed import or a failed parse casts on the errors after it."""
    label = LABELS[words[0] % len(LABELS)] if words else ""
    if label == "ImportErrors":
        return (_slot(AFTER_IMPORT, label),)
    return (_slot(AFTER_SYNTAX, label),) if label == "ASTTransform" else ()
