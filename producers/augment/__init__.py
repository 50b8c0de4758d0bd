"""More programs out of programs: variants that do the same, mutants that do not, callers, and vectors in between."""

from producers.augment.eda import Eda
from producers.augment.gates import Failure, GateError, Gates, Measured, check, read_gates
from producers.augment.mutate import Mutate
from producers.augment.protocol import Augmenter
from producers.augment.run import Augmentation, Tally, Variant
from producers.augment.templates import Template

__all__ = [
    "Augmentation",
    "Augmenter",
    "Eda",
    "Failure",
    "GateError",
    "Gates",
    "Measured",
    "Mutate",
    "Tally",
    "Template",
    "Variant",
    "check",
    "read_gates",
]
