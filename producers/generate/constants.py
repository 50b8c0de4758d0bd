"""Constants of generated programs: everyday ones, and those at the boundaries of types where translations go wrong."""

from __future__ import annotations

from typing import Final, TypeVar

from producers.generate.kinds import TYPES

T = TypeVar("T")

CHOICES: Final = 256  # values of a byte

INTEGERS: Final = ("0", "1", "2", "3", "5", "7", "10", "-1", "-3", "12", "42", "100")
FLOATS: Final = ("0.0", "1.0", "0.5", "2.5", "-1.5", "3.25", "10.0", "100.0")
TEXTS: Final = ('""', '"a"', '"b,c"', '"hello"', '"x y"', '"Abc"', '"42"', '"-"')

BOUNDARY_INTEGERS: Final = (
    *("0", "1", "-1", "2", "-2", "127", "-128", "255", "256", "32767", "-32768", "65535", "65536"),
    *("2147483647", "-2147483648", "2147483648", "4294967295", "4294967296"),
    *("9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615"),
    *("9007199254740993", "1000000007", "10 ** 20", "0x7FFF_FFFF"),
)
BOUNDARY_FLOATS: Final = (
    *("0.0", "-0.0", "1.0", "-1.0", "0.1", "0.5", "1.5", "2.5", "-0.5", "-2.5", "1e16", "1e22", "1e-7", "5e-324"),
    *("1.7976931348623157e308", "2147483648.0", "9007199254740993.0", 'float("nan")', 'float("inf")', 'float("-inf")'),
)
BOUNDARY_TEXTS: Final = (
    *('""', '" "', '"a"', '"\\t"', '"a\\nb"', '"ß"', '"É"', '"日本"', '"e\\u0301"', '"👍"', '"ǅ"', '"İ"', '"x\\0y"'),
    *('"0"', '"-0"', '"007"', '"½"', '"٣"', '"a,,b"', '" a  b "', '"\\\\"', '"{}"', '"%d"', '"aaa"'),
)

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "c": INTEGERS,
    "k": ("2", "3", "4", "5", "7", "8", "9"),  # divisors, steps
    "m": ("10", "16", "97", "100", "256", "1000", "1009"),  # moduli
    "n": ("1", "2", "3", "4", "5", "6", "8"),  # how often, how many
    "h": ("1", "2", "3", "4", "7", "8"),  # bits to shift by
    "r": FLOATS,
    "p": ("2.0", "0.5", "4.0", "10.0", "1.5"),  # divisors
    "q": ('"a"', '"b"', '","', '" "', '"-"', '"ab"', '"x"'),  # texts that are not empty
    "z": TEXTS,
}
"""Kinds of constants, by the letters that templates use; a constant that is given twice is twice as likely."""

BOUNDARY_KINDS: Final[dict[str, tuple[str, ...]]] = {
    **KINDS,
    "c": BOUNDARY_INTEGERS,
    "k": ("2", "3", "-2", "-3", "7", "-7", "10", "-1", "1"),
    "m": ("10", "-10", "7", "-7", "2147483647", "256", "1"),
    "h": ("1", "7", "8", "31", "32", "33"),
    "r": BOUNDARY_FLOATS,
    "q": ('"a"', '","', '"aa"', '"ß"', '"é"', '"日"', '"\\n"', '"."', '"👍"'),
    "z": BOUNDARY_TEXTS,
}


def literals(kinds: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the literals of each type that has any, as text, by the type's code."""
    integers, floats, texts = kinds["c"], kinds["r"], kinds["z"]
    one, two, three = integers[1], integers[3], integers[-1]
    a, b = texts[1], texts[3]
    return {
        "i": integers,
        "f": floats,
        "b": ("True", "False"),
        "s": texts,
        "I": (f"[{one}, {two}, {three}]", f"[{one}]", f"[{two}, {integers[0]}]", "[3, 1, 2]"),
        "F": (f"[{floats[1]}, {floats[3]}]", f"[{floats[2]}]"),
        "S": (f"[{a}, {b}]", f"[{b}]", '["b", "a", "c"]'),
        "D": (f"{{{a}: {one}, {b}: {two}}}", f"{{{b}: {three}}}"),
        "M": (f"{{1: {two}, 2: {three}}}", f"{{{one}: {one}}}"),
        "U": (f"{{{one}, {two}}}", "{1, 2, 3}"),
        "T": (f"({one}, {two})", f"({integers[0]}, {three})"),
        "P": (f"({a}, {one})", f"({b}, {two})"),
        "L": (f"[[{one}, {two}], [{three}]]", f"[[{one}]]", "[[1, 2], [3, 4]]"),
        "N": (f"[({a}, {one}), ({b}, {two})]", f"[({b}, {three})]"),
        "G": (f"{{{a}: [{one}], {b}: [{two}, {three}]}}", f"{{{b}: [1, 2]}}"),
        "O": ("None", one, three),
        "Q": ("None", a, b),
    }


EMPTY: Final = {code: "set()" if code == "U" else "{}" if code in "DMG" else "[]" for code in "IFSDMULNG"}
"""The empty value of each type of container; only where an annotation says of what."""

ZERO: Final = {"i": "0", "f": "0.0", "b": "False", "s": '""', "O": "None", "Q": "None", "T": "(0, 0)", "P": '("", 0)'}


def spread(values: tuple[T, ...]) -> tuple[T, ...]:
    """Return the values over all that a byte can be, as evenly as it goes."""
    return tuple(values[choice * len(values) // CHOICES] for choice in range(CHOICES))


def annotation(code: str, classes: dict[str, str]) -> str:
    """Return how a type is written; ``classes`` has those that the program defines."""
    return TYPES.get(code) or classes[code]
