"""What the benchmarks push: failed compilations from corpora, or the bundled ones, as often as needed and never twice.

Every pass over the builds after the first gives them new ids and renames what their programs named themselves, so that
neither the ids that a line has seen nor its caches of texts make a second pass as cheap as a repetition. On the corpora
three quarters of the messages with names and of the code are new in each pass; 85 % of the features stay.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from models.records import CompilerErrors, content_id
from producers.ci import Report, open_input, read
from producers.demo import failures

TIME = datetime(2026, 1, 1, tzinfo=UTC)
SEED = 42
PROJECTS = 64  # keys, so that several partitions all get work
RARE = 0.01  # of the builds: a word in no more of them is taken for the program's own, not Rust's
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
LETTERS = "abcdefghijklmnopqrstuvwxyz"

Document = dict[str, Any]


def corpus(files: Sequence[Path], seed: int = SEED) -> list[Document]:
    """Return the builds of ``files``, or the bundled ones, as JSON documents in a drawn order.

    Drawn, so that any beginning of them is like the whole: slow contenders get no further than that. Raises
    ``InputError`` for a file that cannot be read.
    """
    found: list[CompilerErrors] = []
    for file in files:
        with open_input(file) as source:
            found += read(source, name=str(file), project="bench", time=TIME, report=Report())
    documents = [orjson.loads(record.to_bytes()) for record in (found if files else failures())]
    random.Random(seed).shuffle(documents)  # noqa: S311 - an order, not a secret
    return documents


def singles(documents: Iterable[Document]) -> Iterator[Document]:
    """Yield every diagnostic as a build of its own."""
    for document in documents:
        for index, diagnostic in enumerate(document["diagnostics"]):
            alone = {name: value for name, value in document.items() if name not in ("part", "parts")}
            yield alone | {"id": content_id(document["id"], index), "diagnostics": [diagnostic]}


def passes(documents: Sequence[Document]) -> Iterator[Document]:
    """Yield the documents again and again, for ever: each time with other ids and other names."""
    own = own_names(documents)
    for number in count():
        rename = renamer(own, number)
        for index, document in enumerate(documents):
            new = {"id": content_id(document["id"], index, number), "project": f"bench/{index % PROJECTS}"}
            yield document | new | {"diagnostics": [_renamed(one, rename) for one in document["diagnostics"]]}


def line(document: Document) -> bytes:
    """Return a document as a topic carries it."""
    return orjson.dumps(document)


def own_names(documents: Sequence[Document]) -> frozenset[str]:
    """Return the words that stand in so few builds that their programs must have made them up."""
    seen: Counter[str] = Counter()
    for document in documents:
        texts = [text for one in document["diagnostics"] for text in _texts(one)]
        seen.update({word for text in texts for word in WORD.findall(text)})
    limit = max(2, int(RARE * len(documents)))
    return frozenset(word for word, builds in seen.items() if builds <= limit)


def renamer(own: frozenset[str], number: int) -> Callable[[str], str]:
    """Return what renames ``own`` words in a text; the same way everywhere, to the same length, for pass ``number``.

    Letters move along the alphabet by the digits of ``number`` in base 26; columns of spans stay right.
    """
    digits = [number % 26, number // 26 % 26, number // 676 % 26]
    if not any(digits):
        return lambda text: text
    moved = [str.maketrans(LETTERS, LETTERS[by:] + LETTERS[:by]) for by in digits]

    def shift(match: re.Match[str]) -> str:
        word = match[0]
        if word not in own:
            return word
        return "".join(letter.translate(moved[index % 3]) for index, letter in enumerate(word))

    return lambda text: WORD.sub(shift, text)


def _texts(diagnostic: Document) -> Iterator[str]:
    yield diagnostic["message"]
    for span in diagnostic.get("spans", ()):
        yield from span.get("text", ())


def _renamed(diagnostic: Document, rename: Callable[[str], str]) -> Document:
    new = {"message": rename(diagnostic["message"])}
    spans = [_renamed_span(span, rename) for span in diagnostic.get("spans", ())]
    notes = [note | {"message": rename(note["message"])} for note in diagnostic.get("notes", ())]
    suggestions = [
        one
        | {
            "message": rename(one["message"]),
            "replacement": rename(one["replacement"]),
            "span": _renamed_span(one["span"], rename),
        }
        for one in diagnostic.get("suggestions", ())
    ]
    return diagnostic | new | {"spans": spans, "notes": notes, "suggestions": suggestions}


def _renamed_span(span: Document, rename: Callable[[str], str]) -> Document:
    label = span.get("label")
    texts = [rename(text) for text in span.get("text", ())]
    return span | {"text": texts} | ({} if label is None else {"label": rename(label)})


def arrivals(rate: float, seconds: float, *, even: bool, seed: int = SEED) -> Iterator[float]:
    """Yield when builds arrive, in seconds from the start: ``rate`` a second on average, memoryless unless ``even``."""
    draw = random.Random(seed)  # noqa: S311 - a load, not a secret
    at = 0.0
    while True:
        at += 1 / rate if even else draw.expovariate(rate)
        if at > seconds:
            return
        yield at


@dataclass
class Input:
    """Builds in a file, one JSON document a line: the same for every contender."""

    name: str
    path: Path
    diagnostics: list[int] = field(default_factory=list)  # of each build
    ids: list[str] = field(default_factory=list)
    projects: list[str] = field(default_factory=list)
    size: int = 0  # bytes
    digest: str = ""

    def lines(self) -> Iterator[bytes]:
        """Yield the documents as they stand in the file."""
        with self.path.open("rb") as file:
            for one in file:
                yield one.rstrip(b"\n")

    def describe(self) -> dict[str, Any]:
        """Return what a reader of the figures needs to know of the input."""
        total = sum(self.diagnostics)
        return {
            "builds": len(self.ids),
            "diagnostics": total,
            "diagnostics_per_build": round(total / max(1, len(self.ids)), 2),
            "megabytes": round(self.size / 1e6, 1),
            "sha256": self.digest[:16],
        }


def write(name: str, path: Path, documents: Iterable[Document], diagnostics: int) -> Input:
    """Write documents to ``path`` until they have so many diagnostics together, or there are no more."""
    found, digest, total = Input(name, path), sha256(), 0
    with path.open("wb") as file:
        for document in documents:
            encoded = line(document) + b"\n"
            file.write(encoded)
            digest.update(encoded)
            found.diagnostics.append(len(document["diagnostics"]))
            found.ids.append(document["id"])
            found.projects.append(document["project"])
            found.size += len(encoded)
            total += len(document["diagnostics"])
            if total >= diagnostics:
                break
    found.digest = digest.hexdigest()
    return found
