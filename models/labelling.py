"""The votes of all labelling functions on the diagnostics of one build, and the label that is learned from.

Most votes follow from a text that was seen before: they are remembered per masked text, so that a diagnostic costs
a few look-ups. ``models.labelling_functions`` has the functions, ``models.label_model`` weighs their votes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from models.caching import BoundedCache
from models.diagnostics import Diagnostic, Span
from models.feedback import FeedbackMemory
from models.label_model import LabelModel, Votes
from models.labelling_functions import (
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
from models.labelling_lines import Marked, line_tests
from models.masking import EXPECTATION, mask
from models.memory import Example
from models.taxonomy import LABELS, Rule

MAX_TEXTS = 4  # notes, suggestions and labelled spans of a diagnostic that are read, as for features
MAX_LINE = 240  # characters of a line of code that are read

_BYTES = 120  # of an entry beside its text and 16 for each of its slots
_MESSAGES: BoundedCache[str, tuple[int, ...]] = BoundedCache(2 << 20)  # masked text -> votes
_ADVICES: BoundedCache[str, tuple[int, ...]] = BoundedCache(2 << 20)
_LABELS: BoundedCache[str, tuple[int, ...]] = BoundedCache(2 << 20)
_LINES: BoundedCache[tuple[str, int, int], tuple[int, ...]] = BoundedCache(4 << 20)  # line, marked from, marked to
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
    failed: tuple[int, ...] = ()  # votes of the errors that stand before in the build
    lines: dict[tuple[str, int], int] = {}
    for one, rule in zip(diagnostics, rules, strict=True):
        masked, span = mask(one.message), one.primary
        words = known if (known := _MESSAGES.get(masked)) is not None else _read(MESSAGE, _MESSAGES, masked)
        slots = [*words, *_shown(one, span), *_people(model, one.code, masked), *failed, *_table(one.code, rule)]
        if span is not None:
            where = span.file, span.line_start
            if where in lines:
                slots.append(lines[where])
            elif words:
                lines[where] = _slot(SAME_LINE, LABELS[words[0] % len(LABELS)])
        found.append(_votes(slots, one.code, rule))
        failed = failed or _failed(words)
    return found


def _votes(slots: list[int], code: str | None, rule: Rule | None) -> Votes:
    distinct = tuple(sorted(set(slots)))
    return Votes(distinct) if rule is None else Votes(distinct, code, rule.confidence)


def _table(code: str | None, rule: Rule | None) -> tuple[int, ...]:
    """Return what the code table says of the code, of a message without code, and of a clippy lint's group."""
    if rule is None:
        return ()
    if code is None:
        return (_slot(MESSAGE_TABLE, rule.label),)
    group = lint_groups().get(code)
    said = _slot(CODE_TABLE, rule.label)
    return (said,) if group is None else (said, _slot(LINT_GROUP, group))


def _shown(one: Diagnostic, span: Span | None) -> list[int]:
    """Return the votes of the notes, suggestions, labels and of the marked line."""
    advice = [note.message for note in one.notes[:MAX_TEXTS]]
    advice += [suggestion.message for suggestion in one.suggestions[:MAX_TEXTS]]
    slots: list[int] = []
    for text in advice:
        masked = mask(text)
        slots += known if (known := _ADVICES.get(masked)) is not None else _read(ADVICE, _ADVICES, masked)
    for marked in one.spans[:MAX_TEXTS]:
        if marked.label:
            masked = mask(marked.label)
            slots += known if (known := _LABELS.get(masked)) is not None else _read(LABEL, _LABELS, masked)
    if span is not None and span.text:
        slots += _line_votes(span)
    return slots


def _read(reads: str, known: BoundedCache[str, tuple[int, ...]], masked: str) -> tuple[int, ...]:
    """Return the votes of the phrases in a masked text that was not met before."""
    said = [one.function for one in phrases() if one.function.reads == reads and one.pattern.search(masked)]
    slots = tuple([_slot(function, label) for function in said for label in function.labels])
    return known.keep(masked, slots, 4 * len(masked) + _BYTES + 16 * len(slots))


def _line_votes(span: Span) -> tuple[int, ...]:
    text = span.text[0][:MAX_LINE]
    start, end = max(span.column_start - 1, 0), span.column_end - 1
    if span.line_end != span.line_start or end <= start:
        end = len(text)
    known = _LINES.get((text, start, end))
    if known is not None:
        return known
    line = EXPECTATION.sub("", text)
    code = Marked(line, line[start:end].strip(), line[:start].rstrip())
    slots = tuple([_slot(function, function.labels[0]) for function, test in line_tests() if test(code)])
    return _LINES.keep((text, start, end), slots, 4 * len(text) + _BYTES + 16 * len(slots))


def _people(model: LabelModel, code: str | None, masked: str) -> list[int]:
    """Return the votes of what people and verifiers said of the nearest messages, and people of this code."""
    slots = []
    near, by_code, verified = model.people.nearest(masked), model.code_label(code), model.verifiers.said(masked)
    if near is not None:
        slots.append(_slot(SIMILAR_FEEDBACK, near.label))
    if by_code is not None:
        slots.append(_slot(CODE_FEEDBACK, by_code))
    if verified is not None:
        slots.append(_slot(VERIFIED, verified))
    return slots


def _failed(words: tuple[int, ...]) -> tuple[int, ...]:
    """Return the votes that a failed import or a failed parse casts on the errors after it."""
    labels = {LABELS[slot % len(LABELS)] for slot in words[:1]}
    if "ImportErrors" in labels:
        return (_slot(AFTER_IMPORT, "ImportErrors"),)
    return (_slot(AFTER_SYNTAX, "ASTTransform"),) if "ASTTransform" in labels else ()
