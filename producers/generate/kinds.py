"""What generated programs are made of: types, levels and features, by the short codes that rules use."""

from __future__ import annotations

from typing import Final, Literal, get_args

Level = Literal["basic", "intermediate", "advanced", "expert"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)

TYPES: Final = {
    "i": "int",
    "f": "float",
    "b": "bool",
    "s": "str",
    "I": "list[int]",
    "F": "list[float]",
    "S": "list[str]",
    "D": "dict[str, int]",
    "M": "dict[int, int]",
    "U": "set[int]",
    "T": "tuple[int, int]",
    "P": "tuple[str, int]",
    "L": "list[list[int]]",
    "N": "list[tuple[str, int]]",
    "G": "dict[str, list[int]]",
    "O": "Optional[int]",
    "Q": "Optional[str]",
}
"""A type's code -> its annotation. A class that a program defines has a code of its own beyond these."""

IMPORTS: Final = {
    "O": "from typing import Optional",
    "Q": "from typing import Optional",
}
ELEMENTS: Final = {"I": "i", "F": "f", "S": "s", "L": "I", "N": "P"}
"""A list's code -> its elements'."""

LEVEL_TYPES: Final[dict[Level, str]] = {
    "basic": "iiiiffbbsssII",
    "intermediate": "iifbsSSIFDDUUTTMP",
    "advanced": "iifbsSIDUTLLNOOQG",
    "expert": "ifbsSIFDMUTPLLNNGGOOQQ",
}
"""Types of parameters, results and variables at a level; one that stands twice is twice as likely."""

FEATURES: Final = (
    *("floor", "bits", "power", "division", "builtins", "conversions", "ternary", "logic", "strings", "slices"),
    *("indexing", "formatting", "comprehensions", "generators", "lambdas", "sorting", "dicts", "sets", "tuples"),
    *("optionals", "nested", "loops", "while", "mutation", "augmented", "constants", "unannotated", "calls"),
    *("classes", "exceptions", "closures", "recursion", "match", "walrus", "async", "defaults", "unpacking", "math"),
    *("rust-words", "main"),
)
"""What swarm testing switches on and off. Rules of the feature ``core`` are always there."""

WEIGHT_UNIT: Final = 64  # bits of an integer, or elements of a text or container, that a weight of one stands for
MOST_WEIGHT: Final = 8  # of a variable: 512 bits still become a float, and far fewer than 4,300 digits


def level_index(level: Level) -> int:
    """Return a level's place, from 0 for ``basic``."""
    return LEVELS.index(level)
