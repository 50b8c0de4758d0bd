"""Drain: which template does a message belong to? A tree of fixed depth, and a comparison word by word at its leaves.

He, Zhu, Zheng and Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017. Different here: shapes
that masking left (``<name>``, ``<int>``) are variables from the beginning, so two that differ do not speak against a
match; a message that a template covers always belongs to it, so none is ever new twice; and a leaf is bounded.
"""

from __future__ import annotations

from hashlib import blake2b
from operator import eq
from typing import NamedTuple

ANY = "<*>"  # where the messages of a template differ
DEPTH = 3  # leading words that messages of one template share; in them, shapes count as equal
LIKENESS = 0.75  # share of words that agree with a template, from which on a message belongs to it
MAX_CHARS = 400  # of a message that are looked at
MAX_TOKENS = 40
MAX_TEXT = MAX_CHARS + MAX_TOKENS * (len(ANY) - 1)  # of a template
MAX_LEAF = 32  # templates at a leaf: what a message never seen is compared with; in rustc's tests 13

Tokens = tuple[str, ...]


class Likeness(NamedTuple):
    """How near a message is to a template; of two the larger is the better."""

    covered: bool  # the template's own words all stand in the message
    share: float  # of the words that agree, without places where both have some shape
    agreeing: int

    @property
    def enough(self) -> bool:
        """Return whether the message belongs to the template."""
        return self.covered or self.share >= LIKENESS


FAR = Likeness(covered=False, share=-1.0, agreeing=0)


class Template:
    """Messages of one kind: ``tokens`` are what they have in common, ``ANY`` stands where they differ.

    The id is a hash of the first of them: it stays when the tokens change. ``seen`` counts builds, ``first`` is the
    time of the first one; ``turn`` tells which of two templates was seen last.
    """

    __slots__ = ("_words", "first", "id", "key", "seen", "text", "tokens", "turn")

    def __init__(self, name: str, tokens: Tokens, seen: int, first: str) -> None:
        self.id, self.seen, self.first = name, seen, first
        self.turn = 0
        self.key = leaf_key(tokens)
        self._put(tokens)

    def _put(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.text = " ".join(tokens)
        self._words = sum([not _is_shape(token) for token in tokens])

    def generalise(self, tokens: Tokens) -> bool:
        """Put ``ANY`` wherever a message of this template differs from it; return whether that changes it."""
        common = tuple([mine if mine == its else ANY for mine, its in zip(self.tokens, tokens, strict=True)])
        changes = common != self.tokens
        if changes:
            self._put(common)
        return changes

    def likeness(self, tokens: Tokens) -> Likeness:
        """Return how near a message of as many words is."""
        agreeing = sum(map(eq, self.tokens, tokens))
        if agreeing < LIKENESS * self._words:  # places with shapes cannot make up for that
            return FAR
        counted, covered = len(tokens), True
        for mine, its in zip(self.tokens, tokens, strict=True):
            if mine != its:
                covered = covered and mine == ANY
                counted -= _is_shape(mine) and _is_shape(its)
        return Likeness(covered, agreeing / counted if counted else 1.0, agreeing)


def tokens_of(masked: str) -> Tokens:
    """Return the words of a masked message as far as they are looked at.

    >>> tokens_of("cannot find value <name> in this scope")[:4]
    ('cannot', 'find', 'value', '<name>')
    """
    return tuple(masked[:MAX_CHARS].split()[:MAX_TOKENS])


def tokens_in(text: str) -> Tokens:
    """Return the words of a template's text, which may have grown longer than any message by its ``ANY``."""
    return tuple(text[:MAX_TEXT].split()[:MAX_TOKENS])


def name_of(tokens: Tokens) -> str:
    """Return the id of the template that begins with this message: 16 hex digits."""
    return blake2b(" ".join(tokens).encode(errors="replace"), digest_size=8).hexdigest()


def leaf_key(tokens: Tokens) -> Tokens:
    """Return where a message's templates are: how many words it has, and the first of them."""
    return (str(len(tokens)), *[ANY if _is_shape(token) else token for token in tokens[:DEPTH]])


def turn_of(template: Template) -> int:
    """Return when a template was last seen, in its owner's count."""
    return template.turn


def _is_shape(token: str) -> bool:
    return "<" in token and ">" in token


class Leaf:
    """The templates under one key; ``version`` changes with what a search may find."""

    __slots__ = ("templates", "version")

    def __init__(self) -> None:
        self.templates: dict[str, Template] = {}
        self.version = 0

    def find(self, tokens: Tokens) -> Template | None:
        """Return the template nearest to a message, if it belongs to one; it depends on nothing but the templates."""
        best, nearest = None, FAR
        for template in self.templates.values():
            found = template.likeness(tokens)
            if found > nearest or (found == nearest and best is not None and template.id < best.id):
                best, nearest = template, found
        return best if nearest.enough else None

    def longest_unseen(self) -> Template:
        """Return the template whose turn was first."""
        return min(self.templates.values(), key=turn_of)


class Tree:
    """All templates by leaf; who puts them in bounds them."""

    def __init__(self) -> None:
        self._leaves: dict[Tokens, Leaf] = {}

    def leaf(self, key: Tokens) -> Leaf:
        """Return the leaf of a key, an empty one that is not kept if there is none."""
        return self._leaves.get(key) or Leaf()

    def hold(self, template: Template) -> None:
        """Put a template in."""
        leaf = self._leaves.setdefault(template.key, Leaf())
        leaf.templates[template.id] = template
        leaf.version += 1

    def drop(self, template: Template) -> None:
        """Take a template out."""
        leaf = self._leaves[template.key]
        del leaf.templates[template.id]
        leaf.version += 1
        if not leaf.templates:
            del self._leaves[template.key]
