"""SMOTE: examples between those of a rare label and their neighbours; needs the extra ``augment``."""

from __future__ import annotations

from collections.abc import Sequence

from imblearn.over_sampling import SMOTE, RandomOverSampler

from producers.augment.vectors import Vectors

NEIGHBOURS = 5  # k


def smote(
    examples: Vectors, labels: Sequence[str], seed: int, neighbours: int = NEIGHBOURS
) -> tuple[Vectors, list[str]]:
    """Return the examples with new ones of the rarer labels, so that every label comes as often as the commonest.

    ``examples`` has shape (n, features). A label with a single example is repeated: it has no neighbour. Chawla et al.,
    "SMOTE: Synthetic Minority Over-sampling Technique" (JAIR 16, 2002), by imbalanced-learn.
    """
    counts = {label: labels.count(label) for label in set(labels)}
    alone = {label: max(counts.values()) for label, count in counts.items() if count == 1}
    if len(counts) < 2:
        return examples, list(labels)
    if alone:
        repeat = RandomOverSampler(sampling_strategy=alone, random_state=seed)
        examples, labels = repeat.fit_resample(examples, labels)
        counts |= alone
    fewest = min(count for label, count in counts.items() if label not in alone or count > 1)
    if fewest == max(counts.values()):
        return examples, list(labels)
    sampler = SMOTE(k_neighbors=min(neighbours, fewest - 1), random_state=seed)
    grown, named = sampler.fit_resample(examples, list(labels))
    return grown, list(named)
