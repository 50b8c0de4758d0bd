"""What the line's classifier is measured against beside ``classifiers.CLASSIFIERS``: river's, and an ensemble.

Trees keep an estimator per feature and label in every leaf, so the thousands of words that a stream brings have to be
folded into a few dense columns first; what that costs them is part of the comparison, not hidden by it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from math import exp, sqrt
from typing import Any, cast
from zlib import crc32

from river import base

from models.classifiers import CLASSIFIERS

Label = bool | str | int


class SignedProjection(base.Transformer):
    """Any features as ``width`` dense numbers of unit length: each goes to one of them by its hash, with a sign.

    Weinberger, Dasgupta, Langford, Smola and Attenberg, "Feature Hashing for Large Scale Multitask Learning"
    (ICML 2009). Texts count as the presence of ``name=value``.

    Parameters
    ----------
    width
        How many numbers come out.

    Examples
    --------
    >>> SignedProjection(width=4).transform_one({"message:mismatched": 1.0, "message:types": 1.0})
    {0: -0.7071067811865475, 1: 0.0, 2: -0.7071067811865475, 3: 0.0}
    """

    def __init__(self, width: int = 64) -> None:
        if width < 1:
            raise ValueError(f"width is {width}: at least 1 number has to come out")
        self.width = width

    def transform_one(self, x: Mapping[Any, Any]) -> dict[Hashable, Any]:
        """Return the columns 0 to ``width`` - 1, all of them, so that none is ever missing."""
        columns = [0.0] * self.width
        for name, value in x.items():
            number = isinstance(value, (int, float))
            code = crc32(str(name if number else f"{name}={value}").encode(errors="replace"))
            columns[(code & 0x7FFFFFFF) % self.width] += (float(value) if number else 1.0) * (
                -1.0 if code >> 31 else 1.0
            )
        length = sqrt(sum([value * value for value in columns])) or 1.0
        return {place: value / length for place, value in enumerate(columns)}


class PrequentialEnsemble(base.Ensemble[base.Classifier], base.Classifier):
    """The members' probabilities, weighted by how often each was right so far.

    The weighted majority of Littlestone and Warmuth ("The Weighted Majority Algorithm", Information and Computation
    1994): a member's weight falls by a factor at each of its errors. A share of all weight is spread over the members
    at each label (Herbster and Warmuth 1998), so that one which becomes the best is found soon. Errors count, not the
    probabilities that a label was given: those favour the member that is surest, which naive Bayes always is.

    Parameters
    ----------
    models
        At least two classifiers.
    rate
        How fast weights fall: an error leaves a member with e^-``rate`` of its weight.
    share
        What part of all weight is spread evenly at each label.

    Examples
    --------
    >>> from river import dummy, naive_bayes
    >>> model = PrequentialEnsemble([dummy.NoChangeClassifier(), naive_bayes.MultinomialNB()])
    >>> for _ in range(20):
    ...     model.learn_one({"message:mismatched": 1}, "TypeErrors")
    ...     model.learn_one({"message:borrow": 1}, "OwnershipBorrow")
    >>> [round(weight, 2) for weight in model.weights]
    [0.0, 1.0]
    """

    def __init__(self, models: list[base.Classifier], rate: float = 0.3, share: float = 0.001) -> None:
        super().__init__(iter(models))
        if rate < 0 or not 0 <= share < 1:
            raise ValueError(f"rate {rate}, share {share}: the rate is not negative, the share at least 0 and below 1")
        self.rate, self.share = rate, share
        self.weights = [1.0 / len(self)] * len(self)

    @property
    def _multiclass(self) -> bool:
        return all(model._multiclass for model in self)

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        from river import linear_model, naive_bayes  # noqa: PLC0415 - needed by river's checks alone

        bayes = naive_bayes.GaussianNB()  # type: ignore[no-untyped-call]
        yield {"models": [linear_model.SoftmaxRegression(), bayes]}

    def predict_proba_one(self, x: dict[Hashable, Any], **kwargs: Any) -> dict[Label, float]:
        """Return label → probability: the weighted mean of what the members say that know a label."""
        shares: dict[Label, float] = {}
        for model, weight in zip(self, self.weights, strict=True):
            for label, probability in model.predict_proba_one(x, **kwargs).items():
                shares[label] = shares.get(label, 0.0) + weight * probability
        total = sum(shares.values())
        return {label: share / total for label, share in shares.items()} if total > 0 else shares

    def learn_one(self, x: dict[Hashable, Any], y: Label) -> None:
        """Weigh the members by what they say of ``x``, then let each learn it."""
        factors = [1.0 if model.predict_one(x) == y else exp(-self.rate) for model in self]
        weights = [weight * factor for weight, factor in zip(self.weights, factors, strict=True)]
        total, spread = sum(weights), self.share / len(weights)
        self.weights = [weight / total * (1.0 - self.share) + spread for weight in weights]
        for model in self:
            model.learn_one(x, y)


def _softmax() -> base.Classifier:
    from river import linear_model, optim  # noqa: PLC0415 - half a second and 56 MB that no worker needs

    return cast("base.Classifier", linear_model.SoftmaxRegression(optimizer=optim.AdaGrad(0.1)))


def _hoeffding_tree() -> base.Classifier:
    from river import compose, tree  # noqa: PLC0415

    return cast("base.Classifier", compose.Pipeline(SignedProjection(), tree.HoeffdingTreeClassifier(grace_period=50)))


def _adaptive_forest() -> base.Classifier:
    from river import compose, forest  # noqa: PLC0415

    return cast("base.Classifier", compose.Pipeline(SignedProjection(), forest.ARFClassifier(seed=1)))


def _ensemble() -> base.Classifier:
    return PrequentialEnsemble([CLASSIFIERS["logistic"](), CLASSIFIERS["river-naive-bayes"]()])


RIVALS: dict[str, Callable[[], base.Classifier]] = {
    "river-softmax": _softmax,
    "river-hoeffding-tree": _hoeffding_tree,
    "river-adaptive-forest": _adaptive_forest,
    "ensemble": _ensemble,
}
