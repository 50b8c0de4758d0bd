"""What weights do for rare categories and what they cost: ``python -m benchmarks.longtail --corpus a.parquet``.

Prequential, one diagnostic at a time, through the features and the classifier of the line; labels are the taxonomy's.
Three streams are drawn from the corpora anew for every seed: ``mix`` is all of them, shuffled; ``tail`` has
exponentially falling label counts from ``HEAD`` down to a hundredth (as in Cui et al., CVPR 2019), in a drawn order of
the labels; ``shift`` is such a tail, then another with the order reversed. ``--task source`` hides everything but the
code. Rare is the third of a stream's labels that have the fewest examples. All weightings see the same streams;
differences are from no weights, with their standard error over the seeds.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

from benchmarks import figures, inputs, stage
from models.classifiers import HashedLogistic
from models.code_features import source_parts
from models.diagnostics import Diagnostic
from models.features import parts
from models.taxonomy import Rule, rule_for
from models.weighting import LongTailWeights, Reweighting

HEAD, RATIO, LEAST = 800, 100, 5  # examples of a tail's first label, its last's share of that, and the fewest
ENOUGH = 150  # examples that a label must have in the corpora to be part of a drawn tail
BINS = 15  # of the expected calibration error (Guo et al., ICML 2017)
MEASURES = ("accuracy", "macro_f1", "rare_recall", "ece")
STREAMS = ("mix", "tail", "shift")
TASKS = ("category", "source")

Weigh = Callable[[str, Rule], float]


class Example(NamedTuple):
    """A diagnostic's hashed features and what the taxonomy says of it."""

    hashes: bytes
    label: str
    rule: Rule


class EffectiveNumber:
    """Cui et al.: weights by the inverse effective number of samples, with a mean of 1 over the examples so far."""

    def __init__(self, beta: float) -> None:
        self._beta, self._counts = beta, Counter[str]()

    def weigh(self, label: str, _: Rule) -> float:
        """Count one example and return its weight."""
        self._counts[label] += 1
        inverse = {one: 1.0 / (1.0 - self._beta**count) for one, count in self._counts.items()}
        mean = sum(inverse[one] * count for one, count in self._counts.items()) / self._counts.total()
        return inverse[label] / mean


class InverseRoot:
    """The inverse root of the frequency, which lowers what is frequent as well: no decay, smoothing, cap or prior."""

    def __init__(self) -> None:
        self._counts = Counter[str]()

    def weigh(self, label: str, _: Rule) -> float:
        """Count one example and return its weight."""
        self._counts[label] += 1
        return sqrt(self._counts.total() / (len(self._counts) * self._counts[label]))


def _long_tail(**settings: float) -> Callable[[], Weigh]:
    return lambda: LongTailWeights(Reweighting(**settings)).weigh


DECAYED: dict[str, dict[str, float]] = {
    "decayed (the default)": {},
    "decayed, exponent 0.25": {"exponent": 0.25},
    "decayed, exponent 1": {"exponent": 1.0},
    "decayed, exponent 1, cap 2": {"exponent": 1.0, "cap": 2.0},
    "decayed, exponent 1, cap 4.9, smoothing 1": {"exponent": 1.0, "cap": 4.9, "smoothing": 1.0},
    "decayed, cap 2": {"cap": 2.0},
    "decayed, smoothing 1": {"smoothing": 1.0},
    "decayed, smoothing 50": {"smoothing": 50.0},
    "decayed, half-life 500": {"half_life": 500.0},
    "decayed, half-life 50,000": {"half_life": 50_000.0},
}
CONTENDERS: dict[str, Callable[[], Weigh]] = {
    "none": lambda: lambda label, rule: 1.0,  # noqa: ARG005
    "static (OIP)": lambda: lambda label, rule: rule.weight,  # noqa: ARG005
    "effective number, 0.99": lambda: EffectiveNumber(0.99).weigh,
    "effective number, 0.999": lambda: EffectiveNumber(0.999).weigh,
    "inverse root, both ways": lambda: InverseRoot().weigh,
    **{name: _long_tail(**settings) for name, settings in DECAYED.items()},
}


def examples(documents: Iterable[inputs.Document], task: str) -> list[Example]:
    """Return every diagnostic that the taxonomy knows, each as if it were a build of its own.

    For ``source`` only those that carry code.
    """
    found = []
    for document in documents:
        for one in document["diagnostics"]:
            diagnostic = Diagnostic.model_validate(one)
            rule = rule_for(diagnostic.code, diagnostic.message)
            described = source_parts(diagnostic) if task == "source" else parts(diagnostic)
            if rule is not None and described:
                found.append(Example(b"".join([part.hashes for part in described]), rule.label, rule))
    return found


def stream(kind: str, known: Sequence[Example], seed: int) -> list[Example]:
    """Return one of the ``STREAMS``, drawn with ``seed``; raises ``ValueError`` when too few labels have ``ENOUGH``."""
    draw = random.Random(seed)  # noqa: S311 - an order, not a secret
    if kind == "mix":
        return draw.sample(known, len(known))
    by_label: dict[str, list[Example]] = {}
    for one in known:
        by_label.setdefault(one.label, []).append(one)
    order = sorted(label for label, held in by_label.items() if len(held) >= ENOUGH)
    if len(order) < 3:
        raise ValueError(f"{len(order)} labels with {ENOUGH} examples: a tail needs 3; use a larger corpus")
    draw.shuffle(order)
    for label in order:
        draw.shuffle(by_label[label])
    found = _tail(order, [by_label[label] for label in order], draw)
    if kind == "shift":  # the other halves: no example comes twice
        found += _tail(order[::-1], [by_label[label][::-1] for label in order[::-1]], draw)
    return found


def _tail(order: Sequence[str], held: Sequence[Sequence[Example]], draw: random.Random) -> list[Example]:
    found: list[Example] = []
    for place, mine in enumerate(held):
        wanted = max(LEAST, int(HEAD * RATIO ** (-place / (len(order) - 1))))
        found += mine[: min(wanted, len(mine) // 2)]
    draw.shuffle(found)
    return found


class Scores:
    """Counts of one run."""

    def __init__(self) -> None:
        self._true, self._predicted, self._right = Counter[str](), Counter[str](), Counter[str]()
        self._surplus = [0.0] * BINS  # of confidence over right answers

    def update(self, truth: str, answer: str, confidence: float) -> None:
        """Score one prediction."""
        self._true[truth] += 1
        self._predicted[answer] += 1
        self._right[truth] += answer == truth
        self._surplus[min(int(confidence * BINS), BINS - 1)] += confidence - (answer == truth)

    def found(self) -> dict[str, Any]:
        """Return the ``MEASURES``, and the recall of each rare label with the number of its examples."""
        labels = sorted(self._true, key=lambda label: (self._true[label], label))
        recall = {label: self._right[label] / self._true[label] for label in labels}
        f1 = [2 * self._right[one] / (self._true[one] + self._predicted[one]) for one in labels]
        rare = labels[: max(1, len(labels) // 3)]
        total = self._true.total()
        return {
            "accuracy": self._right.total() / total,
            "macro_f1": statistics.fmean(f1),
            "rare_recall": statistics.fmean(recall[one] for one in rare),
            "ece": sum(map(abs, self._surplus)) / total,
            "rare": {one: [recall[one], self._true[one]] for one in rare},
        }


def prequential(known: Iterable[Example], weigh: Weigh) -> dict[str, Any]:
    """Return the scores of a new classifier that learns with these weights."""
    classifier, scores = HashedLogistic(), Scores()
    for one in known:
        batch = classifier.batch([one.hashes])
        activations = classifier.activations(batch)
        row = activations[0].tolist()
        most = max(row, default=0.0)
        scores.update(one.label, classifier.labels[row.index(most)] if row else "", most / (sum(row) or 1.0))
        classifier.learn_batch(batch, [one.label], [weigh(one.label, one.rule)], activations)
    return scores.found()


def compare(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return each contender's means over the seeds and its mean differences from ``none``, with standard errors."""
    compared: dict[str, dict[str, Any]] = {}
    for name, mine in runs.items():
        compared[name] = {"runs": list(mine)}
        for measure in MEASURES:
            values = [one[measure] for one in mine]
            differences = [one[measure] - base[measure] for one, base in zip(mine, runs["none"], strict=True)]
            error = statistics.stdev(differences) / sqrt(len(differences)) if len(differences) > 1 else 0.0
            compared[name][measure] = {
                "mean": statistics.fmean(values),
                "difference": statistics.fmean(differences),
                "standard_error": error,
            }
    return compared


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of every wanted stream."""
    known = examples(inputs.corpus(arguments.corpus), arguments.task)
    wanted = ["none", *(name for name in CONTENDERS if name != "none" and arguments.only in name)]
    found: dict[str, Any] = {"machine": figures.machine(), "task": arguments.task, "streams": {}}
    for kind in arguments.streams:
        drawn = [stream(kind, known, seed) for seed in range(arguments.seeds)]
        runs = {name: [prequential(one, CONTENDERS[name]()) for one in drawn] for name in wanted}
        found["streams"][kind] = {"examples": len(drawn[0]), "seeds": len(drawn), "weights": compare(runs)}
    return found


def report(found: Mapping[str, Any]) -> str:
    """Return the figures as tables, one a stream: no weights as they are, the others as differences in points."""
    lines = []
    for kind, one in found["streams"].items():
        rows = [
            (name, *(_cell(name, scores[measure]) for measure in MEASURES)) for name, scores in one["weights"].items()
        ]
        lines += [f"{kind}, task {found['task']}: {one['examples']:,} examples, {one['seeds']} seeds; points"]
        lines += [figures.table(("weights", *(measure.replace("_", " ") for measure in MEASURES)), rows), ""]
    return "\n".join(lines)


def _cell(name: str, score: Mapping[str, float]) -> str:
    if name == "none":
        return f"{100 * score['mean']:.2f}"
    return f"{100 * score['difference']:+.2f} ± {100 * score['standard_error']:.2f}"


def main() -> None:
    """Read the command line, run, print."""
    parser = stage.parser("longtail", __doc__)
    parser.add_argument("--streams", nargs="+", choices=STREAMS, default=list(STREAMS))
    parser.add_argument("--task", choices=TASKS, default=TASKS[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="", help="weights with this in their name, and none")
    stage.main(parser.parse_args(), run, report)


if __name__ == "__main__":
    main()
