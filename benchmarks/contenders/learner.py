"""What (a) and (b) do with a build: river's own learner, one diagnostic after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter
from river import compose, feature_extraction, linear_model, multiclass

from models.diagnostics import Diagnostic
from models.features import extract
from models.taxonomy import rule_for

DIAGNOSTICS = TypeAdapter(tuple[Diagnostic, ...])

Document = dict[str, Any]


class RiverLearner:
    """Answers a build, then learns from it; the labels are those of jidoka's rules.

    ``features``: ``same`` are jidoka's own, so that the task and the information are the same; ``words`` are those of
    a newcomer, river's bag of words of the message.
    """

    def __init__(self, features: str) -> None:
        one_vs_rest = multiclass.OneVsRestClassifier(linear_model.LogisticRegression())
        self._see: Callable[[Document], list[Any]]
        if features == "words":
            self._model: Any = compose.Pipeline(feature_extraction.BagOfWords(), one_vs_rest)
            self._see = _messages
        else:
            self._model = one_vs_rest
            self._see = _extracted

    def answer(self, build: Document) -> Document:
        """Return the answer to a build, and learn from each of its diagnostics right after its prediction."""
        answers = []
        for index, (one, x) in enumerate(zip(build["diagnostics"], self._see(build), strict=True)):
            probabilities = self._model.predict_proba_one(x)
            category = max(probabilities, key=probabilities.get) if probabilities else None
            answers.append({"index": index, "category": category, "confidence": probabilities.get(category)})
            rule = rule_for(one.get("code"), one["message"])
            if rule is not None:
                self._model.learn_one(x, rule.label)
        return {"failure_id": build["id"], "classifications": answers}


def _messages(build: Document) -> list[str]:
    return [one["message"] for one in build["diagnostics"]]


def _extracted(build: Document) -> list[dict[str, float]]:
    diagnostics = DIAGNOSTICS.validate_python(build["diagnostics"])
    return [extract(one, index, len(diagnostics)) for index, one in enumerate(diagnostics)]
