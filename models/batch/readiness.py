"""Whether a corpus is fit to train on, said before hours are spent; and how much accuracy a corpus of its size buys."""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numpy as np

from models.batch.dataset import SIDES, TEST, TRAIN, Dataset
from models.hashing import name_hash

LEAST_EXAMPLES = 1_000
LEAST_OF_LABEL = 50
MOST_TWINS = 0.05  # share of the test part that stands in the training part, too
LEAST_DISTINCT = 0.5  # share of examples that are not like another
TEXT_PLACES = ("message", "label", "note", "help", "context", "marked", "line", "near")


class Check(NamedTuple):
    """One check: ``fatal`` ones end the command, others are said and passed over."""

    name: str
    passed: bool
    found: str
    wanted: str
    advice: str
    fatal: bool = False


def readiness(dataset: Dataset, codes: tuple[str, ...] = ()) -> list[Check]:
    """Return the checks of a parted dataset; ``codes`` are compiler codes that no feature may name."""
    counts = np.bincount(dataset.label[dataset.side == TRAIN], minlength=len(dataset.labels))
    few = {name: int(n) for name, n in zip(dataset.labels, counts, strict=True) if n < LEAST_OF_LABEL}
    shown = ", ".join(f"{name} {n}" for name, n in few.items())
    sides = ", ".join(f"{np.count_nonzero(dataset.side == side)} {name}" for side, name in enumerate(SIDES))
    twins, distinct = _twins(dataset), len(np.unique(dataset.signatures())) / len(dataset)
    shared, leaks = _shared(dataset), _leaks(dataset, codes)
    return [
        Check("size", len(dataset) >= LEAST_EXAMPLES, f"{len(dataset):,}", f"{LEAST_EXAMPLES:,}", "collect more"),
        Check("sides", bool(counts.sum()), sides, "some to train", "another --split", fatal=True),
        Check("labels", int((counts > 0).sum()) > 1, str(int((counts > 0).sum())), "2", "more kinds", fatal=True),
        Check(
            "each label", not few, shown or f"{counts.min()}", f"{LEAST_OF_LABEL}", "generate or collect more of these"
        ),
        Check("groups apart", not shared, f"{shared}", "0 on two sides", "part by file", fatal=True),
        Check("no code in features", not leaks, ", ".join(leaks) or "none", "none", "mask them", fatal=True),
        Check("twins in test", twins <= MOST_TWINS, f"{twins:.1%}", f"{MOST_TWINS:.0%}", "--split directory, --dedupe"),
        Check("distinct", distinct >= LEAST_DISTINCT, f"{distinct:.1%}", f"{LEAST_DISTINCT:.0%}", "--dedupe"),
    ]


def efficiency(accuracy: float, examples: int) -> float:
    """Return accuracy / ln(size of the corpus): what compares corpora of unlike size; 0 below two examples.

    >>> round(efficiency(0.9, 1000), 4)
    0.1303
    """
    return accuracy / log(examples) if examples > 1 else 0.0


def without_twins(dataset: Dataset) -> Dataset:
    """Return the dataset without examples whose features another one before them has."""
    _, first = np.unique(dataset.signatures(), return_index=True)
    return dataset.take(np.sort(first))


def _twins(dataset: Dataset) -> float:
    signatures = dataset.signatures()
    test = signatures[dataset.side == TEST]
    return float(np.isin(test, signatures[dataset.side != TEST]).mean()) if len(test) else 0.0


def _shared(dataset: Dataset) -> int:
    """Return how many groups have examples both in the test part and outside it."""
    return len(np.intersect1d(dataset.group[dataset.side == TEST], dataset.group[dataset.side != TEST]))


def _leaks(dataset: Dataset, codes: tuple[str, ...]) -> list[str]:
    """Return the codes that are among the features by name, in whatever case."""
    known = np.unique(np.concatenate([dataset.text.values, dataset.code.values]))
    named = {code: [f"{place}:{one}" for place in TEXT_PLACES for one in (code, code.lower())] for code in codes}
    hashes = {code: np.frombuffer(b"".join(map(name_hash, names)), np.uint32) for code, names in named.items()}
    return [code for code, wanted in hashes.items() if np.isin(wanted, known).any()]
