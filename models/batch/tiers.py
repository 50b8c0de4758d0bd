"""The three tiers in one table: forests, an encoder where its weights are on disk, the mixture of experts, their mean.

Latency is of one example, its features known. The mean's weights start at those specified (``ensemble.WEIGHTS``: tier
1, tier 2, teacher; without an encoder tier 2's share goes to the others) and are learned on the validation part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from models.batch.batches import Indices
from models.batch.codebert import encoder_shares, load_encoder, tune
from models.batch.dataset import VALIDATION, Dataset
from models.batch.ensemble import WEIGHTS, Shares, learned_weights, mixed
from models.batch.forests import Forests
from models.batch.report import scored_side
from models.batch.retention import Clock, latency
from models.batch.rivals import scores_of
from models.batch.trainer import TrainResult, predict

TIMED = 30  # single examples: forests take some 20 ms each
TEACHER = "mixture of experts"

Call = Callable[[], object]


def tier_table(
    dataset: Dataset,
    result: TrainResult,
    *,
    seed: int,
    clock: Clock,
    encoder: Path | None = None,
    texts: Sequence[str] | None = None,
) -> dict[str, dict[str, float]]:
    """Return model → scores on the scored part, median and 99th percentile of latency in µs, and weight in the mean.

    ``texts`` are all examples', for the encoder. Raises ``ModelFileError`` when the encoder cannot be loaded.
    """
    every, timed = np.arange(len(dataset)), dataset.part(scored_side(dataset))[:TIMED]
    forests = Forests(dataset, seed)
    shares: dict[str, Shares] = forests.shares(dataset, every)
    calls: dict[str, list[Call]] = {name: _forest_calls(forests, name, dataset, timed) for name in shares}
    if encoder is not None and texts is not None:
        tuned = load_encoder(encoder, dataset.labels, seed)
        tune(tuned, dataset, texts, seed=seed)
        shares["encoder + LoRA"] = encoder_shares(tuned, texts)
        calls["encoder + LoRA"] = [partial(encoder_shares, tuned, [texts[one]]) for one in timed]
    encoded = result.vocabulary.encode(dataset)
    shares[TEACHER] = predict(result.network, encoded, every)[0]
    calls[TEACHER] = [partial(predict, result.network, encoded, np.array([one])) for one in timed]
    return _table(dataset, shares, {name: latency(some, clock) for name, some in calls.items()})


def _forest_calls(forests: Forests, name: str, dataset: Dataset, timed: Indices) -> list[Call]:
    columns = forests.columns(dataset, timed)
    model = forests.models[name]
    return [partial(model.predict_proba, columns[one : one + 1]) for one in range(len(timed))]


def _table(
    dataset: Dataset, shares: Mapping[str, Shares], taken: Mapping[str, tuple[float, float]]
) -> dict[str, dict[str, float]]:
    places, held = dataset.part(scored_side(dataset)), dataset.part(VALIDATION)
    start = _initial(list(shares))
    weights = learned_weights([one[held] for one in shares.values()], dataset.label[held], start)
    rows = {
        name: scores_of(dataset, places, one[places])
        | {"p50_us": taken[name][0], "p99_us": taken[name][1], "weight": weight}
        for (name, one), weight in zip(shares.items(), weights, strict=True)
    }
    whole = [one[places] for one in shares.values()]
    total = {"p50_us": sum(one[0] for one in taken.values()), "p99_us": sum(one[1] for one in taken.values())}
    return rows | {
        "ensemble, weights as specified": scores_of(dataset, places, mixed(whole, start)) | total,
        "ensemble, weights learned": scores_of(dataset, places, mixed(whole, weights)) | total,
    }


def _initial(names: Sequence[str]) -> list[float]:
    """Return the specified weights: tier 1's is shared by its two models."""
    forest, tuned, teacher = WEIGHTS
    other = len(names) - 3
    return [forest / 2, forest / 2, *[tuned] * other, teacher]
