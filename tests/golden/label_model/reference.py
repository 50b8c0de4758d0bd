"""Write ``reference.json``: seeded votes, and what snorkel 0.10's LabelModel learns from all of them at once.

Run by hand where snorkel and torch are installed: ``python tests/golden/label_model/reference.py``. The product needs
neither of them; ``tests/models/test_label_model.py`` reads the file.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

LABELS = 4
ROWS = 2_000
ABSTAIN = -1


class Function(NamedTuple):
    """A labelling function to simulate: the labels it may vote for, its accuracy for each truth, its coverage."""

    knows: range
    accuracies: tuple[float, ...]
    coverage: float


def votes(seed: int, balance: list[float], functions: list[Function]) -> tuple[list[int], list[list[int]]]:
    """Return truths, and a row of votes for each; who is wrong is wrong about every other label alike."""
    source = np.random.default_rng(seed)
    truths = source.choice(LABELS, ROWS, p=balance).tolist()
    rows = []
    for truth in truths:
        row = []
        for one in functions:
            right = source.random() < one.accuracies[truth]
            said = truth if right else (truth + int(source.integers(1, LABELS))) % LABELS
            row.append(said if said in one.knows and source.random() < one.coverage else ABSTAIN)
        rows.append(row)
    return truths, rows


def learned(rows: list[list[int]], balance: list[float]) -> tuple[list[list[float]], list[int], list[float]]:
    """Return snorkel's accuracies by function and voted label, its labels and its probability of each."""
    matrix = np.array(rows)
    model = importlib.import_module("snorkel.labeling.model").LabelModel(cardinality=LABELS, verbose=False)
    model.fit(matrix, class_balance=balance, n_epochs=5_000, lr=0.005, optimizer="adam", seed=7, progress_bar=False)
    given = model.get_conditional_probs()[:, 1:, :] * np.array(balance)  # function, vote, truth
    accuracies = [[round(float(one[y, y] / one[y].sum()), 4) for y in range(LABELS)] for one in given]
    probabilities = model.predict_proba(matrix)
    silent = (matrix == ABSTAIN).all(axis=1)
    labels = np.where(silent, ABSTAIN, probabilities.argmax(axis=1))
    return accuracies, labels.tolist(), probabilities.max(axis=1).round(3).tolist()


def case(name: str, seed: int, balance: list[float], functions: list[Function]) -> dict[str, Any]:
    """Return one case as JSON-able data; one character a vote or a label, a dot where it abstains."""
    truths, rows = votes(seed, balance, functions)
    accuracies, labels, confidences = learned(rows, balance)
    return {
        "name": name,
        "balance": balance,
        "knows": [list(one.knows) for one in functions],
        "truth": _text(truths),
        "votes": [_text(row) for row in rows],
        "accuracies": accuracies,
        "labels": _text(labels),
        "confidences": confidences,
    }


def _text(labels: list[int]) -> str:
    return "".join(["." if label == ABSTAIN else str(label) for label in labels])


def main() -> None:
    """Write the file beside this one."""
    everything = range(LABELS)
    alike = [Function(everything, (one,) * LABELS, 0.6) for one in (0.9, 0.8, 0.8, 0.7, 0.7, 0.6, 0.6, 0.5)]
    uneven = [
        Function(everything, (0.95, 0.9, 0.6, 0.5), 0.7),
        Function(everything, (0.6, 0.7, 0.9, 0.9), 0.7),
        Function(everything, (0.8, 0.8, 0.7, 0.7), 0.5),
        Function(everything, (0.7, 0.6, 0.8, 0.6), 0.5),
        *[Function(range(label, label + 1), (0.85,) * LABELS, 0.8) for label in range(LABELS)],
        *[Function(range(label, label + 1), (0.7,) * LABELS, 0.6) for label in range(LABELS)],
    ]
    cases = [
        case("balanced, every function knows every label", 1, [0.25] * LABELS, alike),
        case("skewed, most functions know one label", 2, [0.5, 0.25, 0.15, 0.1], uneven),
    ]
    Path(__file__).with_name("reference.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
