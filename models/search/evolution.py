"""Differential evolution over a box, with an equal-budget random search beside it.

Storn and Price, "Differential Evolution", Journal of Global Optimization 11, 1997: rand/1/bin as scipy has it, with a
population of 20, F 0.8 and CR 0.9. Larger values are better; a point is a vector of numbers from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import differential_evolution  # type: ignore[import-untyped]
from scipy.stats import qmc  # type: ignore[import-untyped]

POPULATION = 20
F = 0.8
CR = 0.9
SEED = 42
GENERATIONS = 50

Vector = npt.NDArray[np.float64]
Fitness = Callable[[Vector], float]
Progress = Callable[[int, float], None]
"""Told how many evaluations were made, and the best value so far."""


@dataclass
class Best:
    """The best point of a search; ``curve`` has the best value after each evaluation."""

    point: Vector
    value: float
    curve: list[float] = field(default_factory=list)


class _Counted:
    """A fitness whose evaluations are counted, and no more than ``most`` made."""

    def __init__(self, fitness: Fitness, most: int, progress: Progress | None) -> None:
        self._fitness, self.most, self._progress = fitness, most, progress
        self.best: Best | None = None

    def __call__(self, point: Vector) -> float:
        best = self.best
        if best is not None and len(best.curve) >= self.most:
            return best.value
        value = float(self._fitness(point))
        if best is None:
            best = self.best = Best(point.copy(), value)
        elif value > best.value:
            best.point, best.value = point.copy(), value
        best.curve.append(best.value)
        if self._progress:
            self._progress(len(best.curve), best.value)
        return value


def differential(
    fitness: Fitness, size: int, generations: int = GENERATIONS, seed: int = SEED, progress: Progress | None = None
) -> Best:
    """Return the best of ``20 x (generations + 1)`` evaluations over vectors of ``size`` numbers from 0 to 1."""
    counted = _Counted(fitness, POPULATION * (generations + 1), progress)
    differential_evolution(
        lambda point: -counted(point),
        [(0.0, 1.0)] * size,
        strategy="rand1bin",
        maxiter=generations,
        mutation=F,
        recombination=CR,
        init=qmc.LatinHypercube(size, rng=seed).random(POPULATION),
        rng=seed,
        tol=0.0,  # the budget ends it, not likeness
        atol=0.0,
        polish=False,
    )
    if counted.best is None:
        raise ValueError("no evaluation was made")
    return counted.best


def random_points(fitness: Fitness, size: int, evaluations: int, seed: int = SEED) -> Best:
    """Return the best of as many vectors drawn evenly: what a search has to beat."""
    rng = np.random.default_rng(seed)
    counted = _Counted(fitness, evaluations, None)
    for _ in range(evaluations):
        counted(rng.random(size))
    if counted.best is None:
        raise ValueError("no evaluation was made")
    return counted.best
