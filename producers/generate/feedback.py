"""What a transpiler makes of generated programs, as something that a strategy learns from."""

from __future__ import annotations

from collections.abc import Callable

from models.feedback import template_key
from producers.generate.request import Feedback, Outcome
from producers.transpile.cache import Cache
from producers.transpile.pipeline import Result, transpile
from producers.transpile.transpiler import Transpiler

LEARNING = ("coverage", "curriculum")
"""Strategies that ask a feedback."""


def transpiling(
    tool: Transpiler, cache: Cache | None = None, told: Callable[[Result], None] = lambda _: None
) -> Feedback:
    """Return a feedback that puts each program through ``tool`` and rustc, half a second for one that is not cached.

    What compiles has passed; outcome and templates of diagnostics are what is seen. ``told`` gets every result.
    """

    def feedback(source: str) -> Outcome:
        result = transpile(source, tool, cache=cache)
        told(result)
        templates = {template_key(one) for one in result.diagnostics}
        return Outcome(result.outcome == "compiled", (result.outcome, *sorted(templates)))

    return feedback
