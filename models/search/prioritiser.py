"""Which program to try next: the one likeliest to show a failure that nobody has seen yet.

Thompson sampling (``thompson``) where a success is a *new* failure: what always fails in the same way is worth nothing
after the first time. Each mark of a program (construct, call, operator, annotation, strategy, level) has a Beta
posterior over "a program with it shows something new". Any mark may be the one that does, so a program's score is a sum
over its marks, not a mean as for failures of any kind: the many marks that are known for long must not hide the one
that is untried.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from random import Random

from models.programs.constructs import of_node
from models.search.thompson import PRIOR, ConstructBandit

DECAY = 0.999  # kept of every count at each outcome
CREDIT = 0.3  # of a new failure that one mark gets: most of a program's marks had no part in it
SHARPNESS = 3  # power of a draw: what is probably exhausted counts for next to nothing, however many marks are


class Prioritiser:
    """Chooses among programs and learns from each outcome; randomness is the caller's.

    Examples
    --------
    >>> chooser = Prioritiser()
    >>> for _ in range(30):
    ...     chooser.learn(("for",), new=False)
    ...     chooser.learn(("match",), new=True)
    >>> chooser.choose([("for",), ("match",)], Random(1))
    1
    """

    def __init__(self, decay: float = DECAY) -> None:
        self._bandit = ConstructBandit(decay)

    def choose(self, offered: Sequence[Sequence[str]], rng: Random) -> int:
        """Return the place of the program to try next, of those with these marks; there has to be one."""
        names = dict.fromkeys(name for marks in offered for name in marks)
        drawn = {name: self._draw(name, rng) for name in names}
        scores = [sum(drawn[name] for name in marks) for marks in offered]
        return max(range(len(scores)), key=scores.__getitem__)

    def _draw(self, name: str, rng: Random) -> float:
        new, known = self._bandit.posterior(name)
        drawn: float = rng.betavariate(PRIOR + CREDIT * (new - PRIOR), known) ** SHARPNESS
        return drawn

    def learn(self, marks: Iterable[str], *, new: bool) -> None:
        """Take in whether a program showed a failure that was not known."""
        self._bandit.update(marks, failed=new)


def marks_of(source: str, *made_by: str | None) -> tuple[str, ...]:
    """Return what is known of a program before it is tried, and of how it was made; its own names are left out."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        nodes = []
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    found = {word for node in nodes for word in (*of_node(node), *_words(node, own))}
    return (*sorted(found), *(text for text in made_by if text))


def _words(node: ast.AST, own: set[str]) -> Iterable[str]:
    if isinstance(node, ast.operator | ast.cmpop | ast.unaryop):
        yield type(node).__name__
    elif isinstance(node, ast.arg) and node.annotation is not None:
        yield f"parameter {ast.unparse(node.annotation)[:60]}"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in own:
        yield f"{node.func.id}()"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr not in own:
        yield f".{node.func.attr}()"
