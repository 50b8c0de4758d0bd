"""Training of the teacher: one pass an epoch over a weighted sample, the best epoch kept, resumable, deterministic.

Everything drawn in an epoch depends on the seed and the epoch's number alone, so a training that was cut off goes on
as if it had not been, and the same seed gives the same weights on the same processor and number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.batch import checkpoints
from models.batch.batches import Batch, Encoded, Indices, Vocabulary, batches, drawn, prefetched, sample_weights
from models.batch.callbacks import Callback, EarlyStopping, EpochReport, History
from models.batch.config import TrainConfig
from models.batch.curriculum import Curriculum, difficulty
from models.batch.dataset import TEST, TRAIN, VALIDATION, Dataset
from models.batch.network import Inputs, MixtureOfExperts
from models.batch.permute import importance_of
from models.evaluation.importance import Importance, score
from models.evaluation.metrics import log_loss

TIE_BREAK = 1e-3  # of the log loss in nats: among epochs that are right as often, the surer one
EVALUATED = 512  # examples at a time where nothing is learned


@dataclass(frozen=True)
class TrainResult:
    """A trained teacher: the best epoch's network, what it knows, and how it came to be.

    ``scores`` are ``accuracy`` and ``macro_f1`` by side (``validation``, ``test`` where there is one).
    """

    network: MixtureOfExperts
    vocabulary: Vocabulary
    config: TrainConfig
    history: tuple[EpochReport, ...]
    best_epoch: int
    scores: dict[str, dict[str, float]]
    stopped_early: bool


def train(
    config: TrainConfig,
    dataset: Dataset,
    callbacks: Sequence[Callback] = (),
    *,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> TrainResult:
    """Train a teacher on the training part of ``dataset`` and return the epoch that did best on the validation part.

    ``checkpoint`` is a folder that is written after each epoch; with ``resume``, what stands there is gone on with.
    Raises ``models.card.ModelFileError`` when it was made with other settings or other examples.
    """
    return Trainer(config, dataset, callbacks).run(checkpoint, resume=resume)


class Trainer:
    """One training; callbacks may read ``network``, ``dataset``, ``config``, ``history``."""

    def __init__(self, config: TrainConfig, dataset: Dataset, callbacks: Sequence[Callback] = ()) -> None:
        self.config, self.dataset = config, dataset
        self.history, self.early = History(), EarlyStopping(config.patience, config.delta)
        self.callbacks = [self.history, self.early, *callbacks]
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.places = dataset.part(TRAIN)
        self.vocabulary = Vocabulary.of(dataset, self.places, config.min_count)
        self.encoded = self.vocabulary.encode(dataset)
        hardness = difficulty(dataset, self.places, config.seed) if config.curriculum else np.zeros(len(self.places))
        self.curriculum = Curriculum(config.curriculum, hardness)
        self._weights = sample_weights(dataset.label[self.places], config.reweight)
        torch.manual_seed(config.seed)
        sizes = (len(self.vocabulary.text), len(self.vocabulary.code), len(dataset.labels))
        self.network = MixtureOfExperts(*sizes, config).to(self.device)
        self.optimizer = _optimizer(self.network, config)
        self._forward = torch.compile(self.network, dynamic=True) if self.device.type == "cuda" else self.network
        self.best = _copy(self.network)
        self.best_epoch, self.best_score = 0, float("-inf")

    def run(self, checkpoint: Path | None = None, *, resume: bool = False) -> TrainResult:
        """Train epoch by epoch until a callback says so or ``epochs`` are over."""
        first = checkpoints.restore(self, checkpoint) if checkpoint is not None and resume else 0
        for one in self.callbacks:
            one.on_start(self)
        stop = False
        for epoch in range(first + 1, self.config.epochs + 1):
            report = self._epoch(epoch)
            said = [one.on_epoch_end(report) for one in self.callbacks]  # each is asked, whatever the others say
            stop = any(said)
            self.curriculum.advance(report.accuracy)
            if checkpoint is not None:
                checkpoints.save(self, epoch, checkpoint)
            if stop:
                break
        self.network.load_state_dict(self.best)
        for one in self.callbacks:
            one.on_end(self)
        return self._result(stopped=stop)

    def _epoch(self, epoch: int) -> EpochReport:
        torch.manual_seed(self.config.seed * 10_007 + epoch)
        source = np.random.default_rng([self.config.seed, epoch])
        loss, examples = self.pass_over(self._order(source))
        shares, gates = self.predict(self.dataset.part(VALIDATION))
        truth = self.dataset.label[self.dataset.part(VALIDATION)]
        accuracy, f1 = score(truth.tolist(), shares.argmax(axis=1).tolist())
        surprise = log_loss(truth.astype(np.intp), shares.astype(np.float64)) or 0.0
        tier, tiers = self.curriculum.tier, self.curriculum.tiers
        worth = (accuracy + f1) / 2 - TIE_BREAK * surprise
        best = worth > self.best_score
        if best:
            self.best, self.best_epoch, self.best_score = _copy(self.network), epoch, worth
        share = tuple(gates.mean(axis=0).tolist())
        return EpochReport(
            epoch, self.config.epochs, tier, tiers, examples, loss, accuracy, f1, best=best, expert_share=share
        )

    def _order(self, source: np.random.Generator) -> Indices:
        """Return the examples of one epoch, as indices into the dataset."""
        opened = self.curriculum.open()
        return self.places[opened][drawn(self._weights[opened], self.config.samples or len(opened), source)]

    def pass_over(self, order: Indices) -> tuple[float, int]:
        """Take a step for each batch; return the mean loss, and how many examples there were."""
        self.network.train()
        steps, total = -(-len(order) // self.config.batch_size), 0.0
        for step, (inputs, labels, _) in enumerate(prefetched(lambda: self._batches(order), self.config.prefetch), 1):
            loss = self._step(inputs.to(self.device), labels.to(self.device))
            total += loss * len(labels)
            for one in self.callbacks:
                one.on_step(step, steps, loss)
        return total / len(order), len(order)

    def _batches(self, order: Indices) -> Iterator[Batch]:
        return batches(self.encoded, self.dataset.label, order, self.config.batch_size)

    def _step(self, inputs: Inputs, labels: Tensor) -> float:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            outputs = self._forward(inputs)
            loss = nn.functional.cross_entropy(outputs.logits.float(), labels, label_smoothing=self.config.smoothing)
            loss = loss + self.config.balance * outputs.balance
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.optimizer.step()
        return float(loss.detach())

    def predict(self, wanted: Indices) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return probabilities (examples, labels) and gates (examples, experts) of some examples."""
        return predict(self.network, self.encoded, wanted)

    def importance(self, seed: int, repeats: int) -> list[Importance]:
        """Return what text, code and numbers are worth on the validation part, the most first."""
        places = self.dataset.part(VALIDATION)
        truth = self.dataset.label[places]
        predicted = partial(_shares, self.network)
        return importance_of(predicted, self.encoded, places, truth, seed=seed, repeats=repeats)

    def _result(self, *, stopped: bool) -> TrainResult:
        scores = {}
        for name, side in (("validation", VALIDATION), ("test", TEST)):
            places = self.dataset.part(side)
            if len(places):
                found = self.predict(places)[0].argmax(axis=1)
                scores[name] = score(self.dataset.label[places].tolist(), found.tolist())._asdict()
        reports = tuple(self.history.reports)
        return TrainResult(self.network, self.vocabulary, self.config, reports, self.best_epoch, scores, stopped)


def _shares(network: MixtureOfExperts, encoded: Encoded, wanted: Indices) -> NDArray[np.float32]:
    return predict(network, encoded, wanted)[0]


def predict(
    network: MixtureOfExperts, encoded: Encoded, wanted: Indices
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return probabilities (examples, labels) and gates (examples, experts) of some encoded examples."""
    logits, gates = logits_of(network, encoded, wanted)
    return torch.from_numpy(logits).softmax(dim=1).numpy(), gates


def logits_of(
    network: MixtureOfExperts, encoded: Encoded, wanted: Indices
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return logits (examples, labels) and gates (examples, experts) of some encoded examples."""
    device = network.bias.device
    network.eval()
    logits, gates = [np.zeros((0, len(network.bias)), np.float32)], [np.zeros((0, len(network.experts)), np.float32)]
    with torch.inference_mode():
        for start in range(0, len(wanted), EVALUATED):
            found = network(encoded.batch(wanted[start : start + EVALUATED]).to(device))
            logits.append(found.logits.float().cpu().numpy())
            gates.append(found.gates.float().cpu().numpy())
    return np.concatenate(logits), np.concatenate(gates)


def _optimizer(network: MixtureOfExperts, config: TrainConfig) -> torch.optim.Optimizer:
    tables = [one for name, one in network.named_parameters() if ".table." in name]
    others = [one for name, one in network.named_parameters() if ".table." not in name]
    groups: list[dict[str, Any]] = [{"params": others}, {"params": tables, "lr": config.lr * config.embedding_lr}]
    return torch.optim.AdamW(groups, lr=config.lr, weight_decay=config.weight_decay, fused=True)


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: one.detach().clone() for name, one in network.state_dict().items()}
