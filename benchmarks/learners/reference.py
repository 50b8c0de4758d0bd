"""The batch reference: TF-IDF and logistic regression over the same features, out of fold by build."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.learners.rivals import Example, matrix

FOLDS = 5


def out_of_fold(examples: Sequence[Example], labels: Sequence[str], builds: Sequence[int]) -> tuple[float, float]:
    """Return accuracy and macro F1 of predictions for each fifth of the builds by a model of the other four.

    Raises ``ImportError`` where scikit-learn is not installed.
    """
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfTransformer(sublinear_tf=True), LogisticRegression(C=20.0, max_iter=300))
    folds = GroupKFold(FOLDS)
    found = cross_val_predict(model, matrix(examples), labels, groups=builds, cv=folds)
    return float(accuracy_score(labels, found)), float(f1_score(labels, found, average="macro"))
