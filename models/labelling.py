"""What a diagnostic is taken to be when the model learns from it.

Version one has two labelling functions: people (who override, also for later messages of the same kind) and the
code table. Where neither speaks there is no label, and nothing is learned.
"""

from __future__ import annotations

from models.feedback import FeedbackMemory
from models.memory import Example
from models.taxonomy import Rule


def label_of(example: Example, rule: Rule | None, feedback: FeedbackMemory) -> str | None:
    """Return the label to learn, or nothing when people and rules abstain."""
    verdict = feedback.verdict(example.key)
    if verdict is not None:
        return verdict.label
    return rule.label if rule is not None and feedback.trusts(example.code) else None
