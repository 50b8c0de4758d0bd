"""Values of the types that programs pass to the standard library: plain ones, edges, and how they are written."""

from __future__ import annotations

from typing import Any, Final

Value = Any
"""An integer, float, text, truth value, or a list of one of these."""

NAN, INFINITY = float("nan"), float("inf")

PLAIN: Final[dict[str, tuple[Value, ...]]] = {
    "i": (0, 1, 2, 3, 7, 10, 12, 100, 2024),
    "f": (0.0, 0.5, 1.0, 2.0, 3.25, 10.0),
    "s": ("a", "abc", "hello world", "a,b,c", "Hello", "/tmp/x.txt"),  # noqa: S108 - a text that looks like a path
    "b": (True, False),
    "I": ([1, 2, 3], [5, 1, 4, 2], [10], [0, 0, 1]),
    "F": ([1.0, 2.0, 3.0], [0.5, 2.5, 4.0], [1.5, 1.5, 2.0, 8.0]),
    "S": (["a", "b"], ["apple", "ape", "peach"], ["/usr/lib", "/usr/local"]),
    "B": ("abc", "hello", "a"),
}
EDGES: Final[dict[str, tuple[Value, ...]]] = {
    "i": (-1, -7, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63), 2**64, 13, 0),
    "f": (-0.0, -1.5, 1e308, 5e-324, 1e16, NAN, INFINITY, -INFINITY, 0.1, -1.0),
    "s": ("", " ", "ß", "日本", "👍", "a\nb", "\t x ", "'", '"quoted"', "%41", "&lt;", "A" * 40, "e\u0301"),
    "b": (True, False),
    "I": ([], [0], [-1, -1], [2**31, 1], [3] * 5),
    "F": (
        *([], [0.0], [NAN, 1.0], [NAN, NAN], [INFINITY, 1.0], [INFINITY, -INFINITY], [INFINITY, NAN, 1.0]),
        *([-1.0, 1.0], [1e308, 1e308], [1e308, -1e308, 5e-324, -0.0], [5e-324] * 3, [-INFINITY, NAN, -1.5, 1e16]),
    ),
    "S": ([], [""], ["a", "a"], ["ß", "日本"], ["x y", "'"]),
    "B": ("", "日本", "\x00", "a" * 20),
}


def written(value: Value) -> str:
    """Return the expression whose value this is.

    >>> written([1.5, NAN, "a"])
    '[1.5, float("nan"), "a"]'
    """
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, str):
        plain = value.isprintable() and not {'"', "\\"} & set(value)
        return f'"{value}"' if plain else ascii(value)
    if isinstance(value, float) and (value != value or abs(value) == INFINITY):  # noqa: PLR0124 - NaN
        return f'float("{value}")'
    return repr(value)
