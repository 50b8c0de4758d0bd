"""Parentheses that an expression brings with it and does not need where it stands."""

from __future__ import annotations

from typing import Final

TUPLES: Final = "TP"
"""Codes of the types whose parentheses are not around an expression but part of it."""


def bare(text: str) -> str:
    """Return an expression without the parentheses around all of it; not for tuples, which need theirs.

    Literals of texts that hold one parenthesis alone would mislead it: constants have none.

    >>> bare("(a + (b))"), bare("(a) + (b)"), bare("(a + b).c()")
    ('a + (b)', '(a) + (b)', '(a + b).c()')
    """
    if text[0] != "(" or text[-1] != ")":
        return text
    level = end = 0
    while True:
        opened, closed = text.find("(", end + 1), text.find(")", end + 1)
        if 0 < opened < closed:
            level, end = level + 1, opened
        elif level:
            level, end = level - 1, closed
        else:
            return text[1:-1] if closed == len(text) - 1 else text
