"""Quality gates: what augmented programs must reach before they are shipped, read from ``quality-gates.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

MAX_TOML_BYTES = 64 << 10
BOUNDS = {"max_factor": (1.0, 100.0)}  # all others are shares, 0 to 1


class GateError(ValueError):
    """A file of gates that cannot be taken; the text says what is wrong."""


@dataclass(frozen=True)
class Gates:
    """Thresholds.

    Of each variant: ``quality`` and ``semantic_similarity`` at least. Of all: the share that parses at least
    ``syntax_validity``, ``diversity`` at least, the share turned away at most ``rejection``, at most ``max_factor``
    programs for each original.
    """

    syntax_validity: float = 1.0
    diversity: float = 0.5
    rejection: float = 0.25
    quality: float = 0.75
    semantic_similarity: float = 0.70
    max_factor: float = 10.0

    def __post_init__(self) -> None:
        for one in fields(self):
            low, high = BOUNDS.get(one.name, (0.0, 1.0))
            value = getattr(self, one.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise GateError(f"{one.name} = {value!r}: a number from {low:g} to {high:g}")


@dataclass(frozen=True)
class Measured:
    """What an augmentation came to; shares are 0 to 1."""

    syntax_validity: float
    diversity: float
    rejection: float


@dataclass(frozen=True)
class Failure:
    """A gate that was not passed; ``condition`` is the andon's (``docs/operations/andon.md``)."""

    gate: str
    value: float
    threshold: float
    condition: str

    def __str__(self) -> str:
        bound = "at most" if self.gate == "rejection" else "at least"
        return f"{self.gate} {self.value:.3f}, allowed is {bound} {self.threshold:g}"


def read_gates(path: Path) -> Gates:
    """Return the gates in a TOML file, its table ``[gates]`` or its top level; raises ``GateError``."""
    try:
        text = path.read_bytes()
        document = tomllib.loads(text[:MAX_TOML_BYTES].decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GateError(f"{path}: {error}") from None
    table = document.get("gates", document)
    known = [one.name for one in fields(Gates)]
    if not isinstance(table, dict):
        raise GateError(f"{path}: gates is no table; it has {', '.join(known)}")
    if unknown := sorted(table.keys() - set(known)):
        raise GateError(f"{path}: no gate {', '.join(unknown)}; there are {', '.join(known)}")
    try:
        return Gates(**table)
    except GateError as error:
        raise GateError(f"{path}: {error}") from None


def check(measured: Measured, gates: Gates) -> list[Failure]:
    """Return the gates that were not passed, the gravest first."""
    found = []
    if measured.rejection > gates.rejection:
        found.append(Failure("rejection", measured.rejection, gates.rejection, "HighRejectionRate"))
    if measured.syntax_validity < gates.syntax_validity:
        found.append(Failure("syntax_validity", measured.syntax_validity, gates.syntax_validity, "HighRejectionRate"))
    if measured.diversity < gates.diversity:
        found.append(Failure("diversity", measured.diversity, gates.diversity, "DiversityCollapse"))
    return found
