"""Diagnostic → named features: masked message, notes and labels, the code under the span, a few counts.

Never a feature: the error code, file names and paths, the compiler's ``rendered`` text and explanation, expectation
comments, and anything from after the prediction; they would name the answer instead of describing the failure.

A feature is a readable name (``message:mismatched types``) with a value; classifiers hash the names, explanations
print them.
"""

from __future__ import annotations

from itertools import pairwise

from models.buckets import bucket
from models.caching import BoundedCache
from models.code_features import marked, place_of
from models.diagnostics import Diagnostic
from models.hashing import NAME_BYTES, STRING_BYTES, Named, named
from models.masking import MAX_MASKED, mask, words

MAX_NOTES = 4  # of a diagnostic; later ones repeat themselves
STEM = 4  # characters at either end of a word of the message
MAX_WORDS = 160  # of one text; few compilers' messages have more, and each may cost three features

COUNTED = ("spans:", "notes:", "suggestions:", "position:", "errors in build:", "message length:", "bias")
_LARGEST = 55  # that a count is named by
MAX_COUNT = MAX_MASKED >> 3  # the largest of all counts: a message's length in eights
_BUCKET_OF = tuple(bucket(min(count, _LARGEST)) for count in range(MAX_COUNT + 1))

Features = dict[str, float]

_TEXTS: BoundedCache[tuple[str, tuple[str, ...]], Named] = BoundedCache(24 << 20)  # where, masked texts
_COUNTS: BoundedCache[tuple[int, ...], Named] = BoundedCache(4 << 20)


def extract(diagnostic: Diagnostic, position: int = 0, total: int = 1) -> Features:
    """Return the features of ``diagnostic``, the ``position``-th of ``total`` of its build.

    Some hundred for what compilers say, below 5,000 for anything.
    """
    return {name: 1.0 for part in parts(diagnostic, position, total) for name in part.names}


def parts(diagnostic: Diagnostic, position: int = 0, total: int = 1) -> list[Named]:
    """Return the same features by where they come from, with their hashes; no name stands in two parts.

    The first part holds the counts (``COUNTED``). Texts that were met before cost a look-up.
    """
    found = [_counts(diagnostic, position, total), _words("message", (mask(diagnostic.message),))]
    if diagnostic.notes or diagnostic.suggestions:
        notes = diagnostic.notes[:MAX_NOTES]
        advice = [note.message for note in notes if note.level == "help"]
        advice += [suggestion.message for suggestion in diagnostic.suggestions[:MAX_NOTES]]
        found += _texts("note", [note.message for note in notes if note.level != "help"])
        found += _texts("help", advice)
    if diagnostic.spans:
        spans = diagnostic.spans[:MAX_NOTES]
        found += _texts("label", [span.label for span in spans if span.label and span.is_primary])
        found += _texts("context", [span.label for span in spans if span.label and not span.is_primary])
        primary = diagnostic.primary
        if primary is not None and primary.text:
            found.append(marked(place_of(primary)))
    return found


def _texts(where: str, texts: list[str]) -> list[Named]:
    return [_words(where, tuple([mask(text) for text in texts]))] if texts else []


def _words(where: str, masked: tuple[str, ...]) -> Named:
    """Return the words and neighbouring pairs of masked texts, named by where they stood."""
    known = _TEXTS.get((where, masked))
    if known is not None:
        return known
    names = _names(where, masked[0]) if len(masked) == 1 else _names_of_all(where, masked)
    found = named(names)
    size = sum(map(len, found.names)) + STRING_BYTES * (len(found.names) + 4) + sum(map(len, masked))
    return _TEXTS.keep((where, masked), found, size)


def _names_of_all(where: str, masked: tuple[str, ...]) -> list[str]:
    return [name for text in masked for name in _words(where, (text,)).names]


def _names(where: str, masked: str) -> list[str]:
    found = words(masked)[:MAX_WORDS]
    names = [f"{where}:{word}" for word in found]
    names += [f"{where}:{first} {second}" for first, second in pairwise(found)]
    if where == "message":
        names += [f"{where}:{a} {b} {c}" for a, b, c in zip(found, found[1:], found[2:], strict=False)]
        names += [f"stem:{piece}" for word in found if len(word) > STEM + 1 and word.isalpha() for piece in _ends(word)]
    return names


def _ends(word: str) -> tuple[str, str]:
    """Return a long word's beginning and end: a message never seen is often made of relatives of known words."""
    return f"{word[:STEM]}-", f"-{word[-STEM:]}"


def _counts(diagnostic: Diagnostic, position: int, total: int) -> Named:
    table = _BUCKET_OF
    counts = (
        table[len(diagnostic.spans)],
        table[len(diagnostic.notes)],
        table[len(diagnostic.suggestions)],
        table[min(position, MAX_COUNT)],
        table[min(total, MAX_COUNT)],
        table[min(len(diagnostic.message), MAX_MASKED) >> 3],
    )
    known = _COUNTS.get(counts)
    if known is not None:
        return known
    found = named(["bias", *(f"{what}{count}" for what, count in zip(COUNTED, counts, strict=False))])
    return _COUNTS.keep(counts, found, 8 * NAME_BYTES)
