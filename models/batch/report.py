"""What a trained teacher is worth: scores beside its rivals on the same rows, and what each expert is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.batch.dataset import TEST, VALIDATION, Dataset
from models.batch.ensemble import learned_weights, mixed
from models.batch.readiness import efficiency
from models.batch.rivals import Shares, online, scores_of, trivial

Row = dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """Scores by model on the ``scored`` part (test, or validation where nothing is kept out for the test)."""

    scored: int
    examples: int
    rows: dict[str, Row]
    weights: list[float]  # of online learner and model in their mean
    efficiency: float


def scored_side(dataset: Dataset) -> int:
    """Return the side that scores are of."""
    return TEST if len(dataset.part(TEST)) else VALIDATION


def compare(dataset: Dataset, shares: Shares, name: str, seed: int) -> Comparison:
    """Return the scores of a model beside the trivial baselines, the online learner, and the mean of both.

    ``shares`` are the model's probabilities of all examples. The mean's weights are learned on the validation part,
    from an online learner that has not seen it; for the test part one is used that has, as the stream's would have.
    """
    side = scored_side(dataset)
    places, held = dataset.part(side), dataset.part(VALIDATION)
    before = online(dataset, np.flatnonzero(dataset.side == 0), seed)
    weights = learned_weights([before.shares(dataset, held), shares[held]], dataset.label[held])
    champion = before if side == VALIDATION else online(dataset, np.flatnonzero(dataset.side != TEST), seed)
    theirs, ours = champion.shares(dataset, places), shares[places]
    rows: dict[str, Row] = dict(trivial(dataset)) if side == TEST else {}
    rows["online"] = scores_of(dataset, places, theirs)
    rows[name] = scores_of(dataset, places, ours)
    rows[f"online + {name}"] = scores_of(dataset, places, mixed([theirs, ours], weights))
    return Comparison(side, len(places), rows, weights, efficiency(rows[name]["accuracy"], len(dataset)))


def specialisation(dataset: Dataset, wanted: NDArray[np.int64], gates: NDArray[np.float32]) -> dict[str, list[float]]:
    """Return label → the share of its examples that each expert is given, of those that occur; rows sum to one."""
    truth = dataset.label[wanted]
    return {
        name: gates[truth == column].mean(axis=0).tolist()
        for column, name in enumerate(dataset.labels)
        if (truth == column).any()
    }


def about_card(comparison: Comparison, model: str, **fields: Any) -> dict[str, Any]:
    """Return the fields of a card that a comparison gives; ``fields`` are added."""
    own = comparison.rows[model] | {"efficiency": comparison.efficiency}
    others = {other: row for other, row in comparison.rows.items() if other != model}
    return {"scores": own, "baselines": others, **fields}
