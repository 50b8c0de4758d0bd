"""A small student learns from what teachers think: L = alpha T^2 KL(teachers ‖ student) + (1 - alpha) CE(labels).

Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015). Several teachers are averaged as
probabilities at temperature T (You, Xu, Xu and Tao, "Learning from multiple teacher networks", KDD 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.batch.batches import Encoded, Indices
from models.batch.config import DistilConfig
from models.batch.dataset import TRAIN, VALIDATION, Dataset
from models.batch.student_network import StudentNetwork, hashed
from models.evaluation.importance import score

EVALUATED = 1_024

Logits = NDArray[np.float32]


class DistilReport(NamedTuple):
    """One epoch, counted from 1; accuracy and macro F1 are of the validation part."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    macro_f1: float
    best: bool


OnEpoch = Callable[[DistilReport], bool]  # true ends the distilling


@dataclass(frozen=True)
class DistilResult:
    """The best epoch's student, and how it came to be."""

    network: StudentNetwork
    history: tuple[DistilReport, ...]
    best_epoch: int


def distillation_loss(student: Tensor, teachers: Tensor, labels: Tensor, alpha: float, temperature: float) -> Tensor:
    """Return the mean loss of a batch.

    ``student`` are logits (examples, labels), ``teachers`` the teachers' mean probabilities at this ``temperature``, of
    the same shape. T^2 keeps the gradients of both parts of about one size whatever the temperature.
    """
    softened = (student / temperature).log_softmax(dim=1)
    soft = nn.functional.kl_div(softened, teachers, reduction="batchmean") * temperature**2
    return alpha * soft + (1.0 - alpha) * nn.functional.cross_entropy(student, labels)


def softened(logits: Sequence[Logits], temperature: float) -> Logits:
    """Return the mean over teachers of their probabilities at ``temperature``, shape (examples, labels)."""
    shares = [torch.from_numpy(one / np.float32(temperature)).softmax(dim=1) for one in logits]
    return np.asarray(torch.stack(shares).mean(dim=0).numpy(), np.float32)


def distil(
    config: DistilConfig, dataset: Dataset, logits: Sequence[Logits], on_epoch: OnEpoch = lambda _: False
) -> DistilResult:
    """Distil a student from teachers' ``logits``, each of shape (all examples, labels), on the training part.

    The epoch that does best on the validation part is kept. The same seed gives the same student on one processor.
    """
    torch.manual_seed(config.seed)
    network = StudentNetwork(config.bits, config.width, len(dataset.labels), config.feature_dropout)
    run = _Distilling(config, dataset, torch.from_numpy(softened(logits, config.temperature)), network)
    history: list[DistilReport] = []
    best: dict[str, Tensor] = {}
    best_epoch, best_score = 0, float("-inf")
    for epoch in range(1, config.epochs + 1):
        loss = run.epoch(epoch)
        accuracy, f1 = run.validate()
        is_best = (accuracy + f1) / 2 > best_score
        if is_best:
            best = {name: one.detach().clone() for name, one in network.state_dict().items()}
            best_epoch, best_score = epoch, (accuracy + f1) / 2
        history.append(DistilReport(epoch, config.epochs, loss, accuracy, f1, is_best))
        if on_epoch(history[-1]):
            break
    network.load_state_dict(best)
    return DistilResult(network.eval(), tuple(history), best_epoch)


class _Distilling:
    """One distilling: what its epochs share."""

    def __init__(self, config: DistilConfig, dataset: Dataset, teachers: Tensor, network: StudentNetwork) -> None:
        self.config, self.dataset, self.teachers, self.network = config, dataset, teachers, network
        self.rows = hashed(dataset, config.bits)
        self.labels = torch.from_numpy(dataset.label)
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=config.lr, weight_decay=config.weight_decay, fused=True
        )

    def epoch(self, epoch: int) -> float:
        """Take a step for each batch of the training part; return the mean loss."""
        config, total = self.config, 0.0
        torch.manual_seed(config.seed * 10_007 + epoch)
        order = np.random.default_rng([config.seed, epoch]).permutation(self.dataset.part(TRAIN))
        self.network.train()
        for start in range(0, len(order), config.batch_size):
            wanted = order[start : start + config.batch_size]
            found = self.network(self.rows.batch(wanted))
            loss = distillation_loss(
                found, self.teachers[wanted], self.labels[wanted], config.alpha, config.temperature
            )
            self.optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(self.network.parameters(), config.clip)
            self.optimizer.step()
            total += float(loss.detach()) * len(wanted)
        return total / len(order)

    def validate(self) -> tuple[float, float]:
        """Return accuracy and macro F1 on the validation part."""
        places = self.dataset.part(VALIDATION)
        found = student_logits(self.network, self.rows, places).argmax(axis=1)
        accuracy, f1 = score(self.dataset.label[places].tolist(), found.tolist())
        return accuracy, f1


def student_logits(network: StudentNetwork, rows: Encoded, wanted: Indices) -> Logits:
    """Return the student's logits of some examples, shape (examples, labels)."""
    network.eval()
    with torch.inference_mode():
        starts = range(0, len(wanted), EVALUATED)
        found = [network(rows.batch(wanted[start : start + EVALUATED])).numpy() for start in starts]
    return np.concatenate(found) if found else np.zeros((0, network.output.out_features), np.float32)
