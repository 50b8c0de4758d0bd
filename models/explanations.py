"""The features that decided, in words that a person reads.

``message:mismatched types`` becomes: the message says “mismatched types”. A feature's name is the place where it was
found and what stood there (``models/features.py``, ``models/code_features.py``). Names of one place are put together to
one phrase, and their overlapping words to one quotation. A quotation can join what stood apart when one word of it
stood in both: it says which words decided, it is no copy of the message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from models.caching import BoundedCache
from models.hashing import NAME_BYTES

MAX_FEATURES = 16  # of those given, strongest first; more make no phrase that is shown
MAX_PHRASES = 3
MAX_QUOTATIONS = 2  # of a phrase
MAX_QUOTED = 60  # characters of a quotation
MAX_READ = 250  # of a feature's text
MAX_CHARS = 400  # of an explanation
WEAK = 0.2  # of the strongest contribution; what speaks less is left out

Deciding = Sequence[tuple[str, float]]
Names = tuple[str, ...]


class Place(NamedTuple):
    """How features of one place are read: ``said`` holds a quotation in ``quotes``.

    A feature is left out when its words stand in a quotation from one of ``told_by`` already; ``piece`` is whether it
    is a part of a word.
    """

    said: str
    quotes: str = "“”"
    told_by: tuple[str, ...] = ()
    piece: bool = False


CODE = "``"
PLACES: dict[str, Place] = {
    "message": Place("the message says {}"),
    "stem": Place("a word of the message has {}", told_by=("message",), piece=True),
    "label": Place("the label under the code says {}"),
    "context": Place("a label beside it says {}"),
    "note": Place("a note says {}"),
    "help": Place("the help says {}"),
    "all marked": Place("the marked code is {}", CODE),
    "marked": Place("the marked code has {}", CODE, ("all marked",)),
    "piece": Place("a marked name has {}", told_by=("marked", "all marked"), piece=True),
    "starts": Place("a marked name starts with {}", told_by=("marked", "all marked", "piece"), piece=True),
    "ends": Place("a marked name ends with {}", told_by=("marked", "all marked", "piece"), piece=True),
    "before": Place("before it stands {}", CODE),
    "after": Place("after it stands {}", CODE),
    "between": Place("it stands between {}", CODE),
    "piece before": Place("a name before it has {}", told_by=("before", "line"), piece=True),
    "line": Place("its line has {}", CODE, ("before", "after")),
    "line starts": Place("its line begins like {}", CODE),
    "line -1": Place("the line before it begins with {}", CODE),
    "line -2": Place("two lines before it begins {}", CODE),
    "line +1": Place("the line after it begins with {}", CODE),
    "line +2": Place("two lines after it begins {}", CODE),
    "near": Place("a line nearby has {}", CODE),
    "window": Place("the code around it has {}", CODE),
    "classes": Place("the marked code is built like {}", CODE),
    "around": Place("the code around the mark is built like {}", CODE),
    "edges": Place("the edges of the mark are built like {}", CODE),
    "leads to": Place("the line before the mark is built like {}", CODE),
    "follows": Place("the line after the mark is built like {}", CODE),
    "shape": Place("the code around it is built like {}", CODE),
}
UNKNOWN = Place("it has {}")  # of a place that is not described here
COUNTS: dict[str, tuple[int, str, str]] = {  # what one is worth; of what; where
    "errors in build": (1, "error", " in the build"),
    "position": (1, "error", " before it in the build"),
    "spans": (1, "place", " marked"),
    "notes": (1, "note", ""),
    "suggestions": (1, "suggestion", ""),
    "message length": (8, "character", " in the message"),
}
EXACT = 2  # counts up to this are exact, larger ones are lower bounds (``features.extract``)

_READ: BoundedCache[str, tuple[str, str]] = BoundedCache(4 << 20)  # a feature's name -> place, words
_PHRASES: BoundedCache[Names, str] = BoundedCache(6 << 20)  # a place, texts, those told -> phrase
_SAID: BoundedCache[tuple[str, Names, Names], str] = BoundedCache(8 << 20)  # label, names for it, names against it


def explain(label: str, deciding: Deciding, *, against: bool = False) -> str:
    """Return why it is a ``label``, in one line of at most ``MAX_CHARS`` characters that are safe to print.

    ``deciding`` are features with what each contributes to the label, in any order: negative ones speak against it,
    which is told when asked for by ``against``.

    >>> explain("TypeErrors", [("message:mismatched types", 6.3), ("message:mismatched", 6.0), ("marked:None", 2.0)])
    'TypeErrors: the message says “mismatched types”, and the marked code has `None`'
    """
    return told(label, _strongest(deciding, 1.0), _strongest(deciding, -1.0) if against else ())


def told(label: str, pro: Names, contra: Names = ()) -> str:
    """Return the same from the names of what speaks clearly for the label and against it, the strongest first."""
    return _SAID.get((label, pro, contra)) or _explain(label, pro, contra)


def _explain(label: str, pro: Names, contra: Names) -> str:
    said, contrary = _listed(phrases(pro)), _listed(phrases(contra))
    text = f"{_safe(label)}: {said or 'no word of it speaks for that'}"
    text = _cut(f"{text}; against that, {contrary}" if contrary else text, MAX_CHARS)
    size = sum(map(len, pro + contra)) + 2 * len(label + text) + NAME_BYTES * (len(pro) + len(contra) + 2)
    return _SAID.keep((label, pro, contra), text, size)


def _strongest(deciding: Deciding, sign: float) -> Names:
    """Return the names of what speaks clearly in one direction, the strongest first, of equals those given first."""
    found = sorted([(-sign * amount, place) for place, (_, amount) in enumerate(deciding) if sign * amount > 0])
    found = found[:MAX_FEATURES]
    return tuple([deciding[place][0] for amount, place in found if amount <= WEAK * found[0][0]])


def _listed(said: Sequence[str]) -> str:
    return ", and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else "".join(said)


def phrases(names: Iterable[str]) -> list[str]:
    """Return features, strongest first, as at most ``MAX_PHRASES`` phrases.

    A place that is not described here is not named either. Marks alone (``note:,``) and the bias are not told.
    """
    texts: dict[str, list[str]] = {}
    for name in names:
        place, text = _READ.get(name) or _READ.keep(name, _read(name), 4 * len(name) + 2 * NAME_BYTES)
        if not text:
            continue
        if place in texts:
            texts[place].append(text)
        else:
            texts[place] = [text]
    said: list[str] = []
    for place, found in texts.items():
        if len(said) == MAX_PHRASES:
            break
        others = [other for other in PLACES.get(place, UNKNOWN).told_by if other in texts]
        if phrase := _phrase_of(place, found, [texts[other] for other in others]):
            said.append(phrase)
    return said


def _phrase_of(place: str, texts: list[str], told: list[list[str]]) -> str:
    """Return the phrase of a place, "" where those ``told`` say it already; what messages say comes again and again."""
    key: Names = (place, *texts)
    for others in told:
        key += ("", *others)
    known = _PHRASES.get(key)
    if known is not None:
        return known
    found = _untold(place, texts, told) if told else _quotations(texts)
    phrase = _phrase(place, found) if found else ""
    return _PHRASES.keep(key, phrase, 2 * len(phrase) + NAME_BYTES * (len(key) + 1))


def _read(name: str) -> tuple[str, str]:
    """Return the place that a feature names and its words; a number behind a place (``leads to 3``) is dropped.

    The words have a space before and after each, so that whole words are found in others as text; no words are "".
    """
    place, _, text = name.partition(":")
    if place not in PLACES:
        head, _, number = place.rpartition(" ")
        place = head if number.isdigit() and head in PLACES else place
    words = text[:MAX_READ].split(" ")
    if place not in COUNTS and PLACES.get(place, UNKNOWN).quotes != CODE:
        words = _trimmed(words)
    return place, f" {' '.join(words)} " if words else ""


def _trimmed(words: list[str]) -> list[str]:
    """Return the words of a text without the marks at either end; none where there are only marks."""
    told = [place for place, word in enumerate(words) if any(map(str.isalnum, word))]
    return words[told[0] : told[-1] + 1] if told else []


def _quotations(texts: list[str]) -> list[str]:
    """Return the texts of one place, those that overlap made one, in the place of the first of them."""
    if len(texts) == 1:
        return texts
    found: list[str] = []
    for text in texts:
        for other in found:  # any() would cost more than the comparisons
            if text in other:
                break
        else:
            found = _joined(found, text)
    return found


def _joined(found: list[str], text: str) -> list[str]:
    rest, first, place = list(found), len(found), 0
    while place < len(rest):
        both = _union(rest[place], text)
        if both is None:
            place += 1
        else:
            del rest[place]
            text, first, place = both, min(first, place), 0
    rest.insert(first, text)
    return rest


def _union(one: str, other: str) -> str | None:
    """Return the shortest words in which both stand, if one holds the other or they overlap."""
    if other in one:
        return one
    if one in other:
        return other
    if other[: other.index(" ", 1) + 1] in one or other[other.rindex(" ", 0, -1) :] in one:
        return _overlapping(one[1:-1].split(" "), other[1:-1].split(" "))
    return None


def _overlapping(one: list[str], other: list[str]) -> str | None:
    for first, second in ((one, other), (other, one)):
        for length in range(min(len(one), len(other)) - 1, 0, -1):
            if first[-length:] == second[:length] and (length > 1 or _is_word(second[0])):
                return f" {' '.join(first + second[length:])} "
    return None


def _is_word(text: str) -> bool:
    """Return whether one word is enough to join two quotations: marks and shapes stand everywhere."""
    return len(text) > 1 and text.isalpha()


def _untold(place: str, texts: list[str], told: list[list[str]]) -> list[str]:
    """Return the quotations of a place that do not stand in one from another place already."""
    piece, others = PLACES.get(place, UNKNOWN).piece, [text for one in told for text in _quotations(one)]
    return [one for one in _quotations(texts) if not any(_holds(text, one, piece=piece) for text in others)]


def _holds(text: str, one: str, *, piece: bool) -> bool:
    if piece:
        return all(part.strip("-").lower() in text.lower() for part in one.split())
    return one in text


def _phrase(place: str, found: list[str]) -> str:
    if place in COUNTS:
        return _counted(*COUNTS[place], found[0][1:-1])
    rule = PLACES.get(place, UNKNOWN)
    opened, closed = rule.quotes[0], rule.quotes[1]
    return rule.said.format(" and ".join([f"{opened}{_safe(text[1:-1])}{closed}" for text in found[:MAX_QUOTATIONS]]))


def _counted(unit: int, what: str, where: str, text: str) -> str:
    count = int(text) * unit if text.isdigit() and len(text) < 10 else 0
    number = "no" if count == 0 else str(count) if count <= EXACT else f"{count} or more"
    return f"{number} {what}{'' if count == 1 else 's'}{where}"


def _safe(text: str) -> str:
    """Return a text without what moves a terminal's cursor or reverses a line, and without the marks that quote it."""
    text = text[: MAX_QUOTED + 1]
    if text.isascii() and text.isprintable() and "`" not in text:  # nearly all
        return _cut(text, MAX_QUOTED)
    text = text.translate({ord("`"): "'", ord("“"): '"', ord("”"): '"'})
    return _cut(text if text.isprintable() else "".join([c if c.isprintable() else "�" for c in text]), MAX_QUOTED)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
