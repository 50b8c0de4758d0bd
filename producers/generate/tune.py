"""Generation parameters that a search tunes, judged by what really becomes of the programs.

A bank of programs is made once for each cell: a strategy, a level and a depth. Transpiler and compiler say which are
accepted, by way of their cache; a mixture of cells is then judged in microseconds, exactly, without drawing.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson

from models.programs.constructs import of_text
from models.search.evolution import CR, POPULATION, F, Vector
from producers.generate.kinds import LEVELS
from producers.generate.request import GRAMMAR_VERSION, Request
from producers.generate.sampling import INDEPENDENT, SWARM_PROGRAMS, candidate

DEPTHS: Final = (1, 2, 3, 4, 5)
PROGRAMS = 4  # of each cell
COVERED_BY = 100  # programs, in which a construct should come at least once
WEIGHTS: Final = {"acceptance": 0.4, "diversity": 0.3, "coverage": 0.3}
SHARPNESS = 4.0  # shares are a softmax of the point times this, so that a mixture can be nearly pure
VERSION = 1
SIZE = len(INDEPENDENT) + len(LEVELS) + len(DEPTHS)  # numbers in a point
MAX_FILE_BYTES = 1 << 20

Array = npt.NDArray[np.float64]


class TuneError(ValueError):
    """Parameters that cannot be read; the message says what to do."""


class Parameters(NamedTuple):
    """Shares of strategies, levels and depths; each sums to one."""

    strategies: dict[str, float]
    levels: dict[str, float]
    depths: dict[int, float]


class Cell(NamedTuple):
    """Programs made alike."""

    strategy: str
    level: str
    depth: int

    def request(self, count: int, seed: int) -> Request:
        """Return the request that makes programs of this cell."""
        return Request(self.strategy, count, self.depth, seed, self.level)  # type: ignore[arg-type]


CELLS: Final = tuple(Cell(way, level, depth) for way in INDEPENDENT for level in LEVELS for depth in DEPTHS)


@dataclass(frozen=True)
class Bank:
    """What became of each cell's programs: shares accepted (cells,), constructs (cells, constructs), likeness."""

    accepted: Array
    constructs: Array
    alike: Array
    programs: int


class Judged(NamedTuple):
    """How good a mixture is: all from 0 to 1, ``fitness`` their weighted mean."""

    fitness: float
    acceptance: float
    diversity: float
    coverage: float


def parameters_of(point: Vector) -> Parameters:
    """Return the shares that a point from 0 to 1 stands for."""
    cuts = (len(INDEPENDENT), len(INDEPENDENT) + len(LEVELS))
    ways, levels, depths = (_softmax(part) for part in np.split(np.asarray(point, np.float64), cuts))
    return Parameters(
        dict(zip(INDEPENDENT, ways.tolist(), strict=True)),
        dict(zip(LEVELS, levels.tolist(), strict=True)),
        dict(zip(DEPTHS, depths.tolist(), strict=True)),
    )


def _softmax(part: Array) -> Array:
    raised = np.exp(SHARPNESS * (part - part.max()))
    return np.asarray(raised / raised.sum())


def cell_shares(chosen: Parameters) -> Array:
    """Return the share of each of ``CELLS``."""
    return np.array(
        [chosen.strategies[one.strategy] * chosen.levels[one.level] * chosen.depths[one.depth] for one in CELLS]
    )


def build_bank(
    accepts: Callable[[str], bool],
    programs: int = PROGRAMS,
    seed: int = 42,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Bank:
    """Return a bank of ``programs`` for each cell; ``accepts`` says whether a source comes through."""
    from producers.transpile.pipeline import in_parallel  # noqa: PLC0415 - a circle otherwise

    sources = [_sources(cell, programs, seed) for cell in CELLS]
    flat = [source for each in sources for source in each]
    verdicts = []
    for verdict in in_parallel(accepts, flat, jobs):
        verdicts.append(verdict)
        if progress:
            progress(len(verdicts), len(flat))
    return bank_of(sources, np.array(verdicts, np.float64).reshape(len(CELLS), programs))


def _sources(cell: Cell, count: int, seed: int) -> list[str]:
    request = cell.request(count, seed)
    step = SWARM_PROGRAMS if cell.strategy == "swarm" else 1  # each from features of its own
    return [candidate(request, place * step).program.source for place in range(count)]


def bank_of(sources: Sequence[Sequence[str]], verdicts: Array) -> Bank:
    """Return a bank from the programs of each of ``CELLS`` and whether they were accepted, shape (cells, programs)."""
    found = [[frozenset(of_text(source)) for source in each] for each in sources]
    names = sorted({name for each in found for one in each for name in one})
    place = {name: number for number, name in enumerate(names)}
    held = np.zeros((len(found), len(found[0]), len(names)))
    for cell, each in enumerate(found):
        for number, one in enumerate(each):
            held[cell, number, [place[name] for name in one]] = 1.0
    flat = held.reshape(held.shape[0] * held.shape[1], len(names))
    both = flat @ flat.T
    sizes = flat.sum(axis=1)
    union = sizes[:, None] + sizes[None, :] - both
    jaccard = np.divide(both, union, out=np.ones_like(both), where=union > 0)
    cells, programs = held.shape[:2]
    alike = jaccard.reshape(cells, programs, cells, programs).mean(axis=(1, 3))
    return Bank(verdicts.mean(axis=1), held.mean(axis=1), alike, cells * programs)


def judge(chosen: Parameters, bank: Bank) -> Judged:
    """Return how good a mixture is: programs accepted, constructs in ``COVERED_BY`` programs, and unlike each other."""
    shares = cell_shares(chosen)
    acceptance = float(shares @ bank.accepted)
    diversity = float(1.0 - shares @ bank.alike @ shares)
    never = (1.0 - shares @ bank.constructs) ** COVERED_BY
    coverage = float(1.0 - never.mean()) if never.size else 0.0
    parts = {"acceptance": acceptance, "diversity": diversity, "coverage": coverage}
    return Judged(sum(WEIGHTS[name] * value for name, value in parts.items()), acceptance, diversity, coverage)


def plain() -> Parameters:
    """Return what is used where nothing was tuned: ``generate`` as it comes."""
    ways, levels = dict.fromkeys(INDEPENDENT, 0.0), {str(name): 0.0 for name in LEVELS}
    return Parameters(ways | {"random": 1.0}, levels | {"basic": 1.0}, dict.fromkeys(DEPTHS, 0.0) | {3: 1.0})


def requests(chosen: Parameters, count: int, seed: int) -> list[Request]:
    """Return what to generate for ``count`` programs in these shares; cells that get none are left out."""
    exact = cell_shares(chosen) * count
    whole = np.floor(exact).astype(int)
    rest = np.argsort(-(exact - whole), kind="stable")[: count - int(whole.sum())]
    whole[rest] += 1
    return [cell.request(int(number), seed) for cell, number in zip(CELLS, whole, strict=True) if number]


def save(path: Path, chosen: Parameters, judged: Judged, about: Mapping[str, Any]) -> None:
    """Write parameters as JSON; the file is there whole or not at all. Raises ``OSError``."""
    search = {"population": POPULATION, "F": F, "CR": CR}
    said = {"version": VERSION, "grammar_version": GRAMMAR_VERSION, "parameters": chosen._asdict()}
    document = said | {"judged": judged._asdict(), "weights": WEIGHTS, "search": search | dict(about)}
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
        part.chmod(0o644)
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def load(path: Path) -> Parameters:
    """Return the parameters of a file that ``save`` wrote; raises ``TuneError``."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TuneError(f"{path}: too large for parameters")
        document = orjson.loads(path.read_bytes())
        if document["version"] != VERSION:
            raise TuneError(
                f"{path}: version {document['version']!r}; this reads {VERSION}: run `jidoka optimize` anew"
            )
        read = document["parameters"]
        return Parameters(
            _shares(read["strategies"], INDEPENDENT),
            _shares(read["levels"], LEVELS),
            {int(name): share for name, share in _shares(read["depths"], map(str, DEPTHS)).items()},
        )
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise TuneError(f"{path}: no generation parameters ({error!r}); `jidoka optimize` writes them") from None


def _shares(read: Mapping[str, Any], names: Iterable[str]) -> dict[str, float]:
    found = {name: float(read[name]) for name in names}
    total = sum(found.values())
    if set(read) != set(found) or not min(found.values()) >= 0 or not 0.99 < total < 1.01:
        raise TuneError(f"shares of {', '.join(found)} that are not from 0 to 1, or do not sum to 1")
    return found
