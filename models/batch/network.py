"""The teacher: a sparse mixture of experts over hashed words, hashed code and a few numbers.

Shazeer et al., "Outrageously large neural networks: the sparsely-gated mixture-of-experts layer" (ICLR 2017); the loss
that keeps the experts equally busy is that of Fedus, Zoph and Shazeer, "Switch Transformers" (JMLR 23, 2022). Beside
the experts stands a linear model of all features (Cheng et al., "Wide & deep learning", 2016): rare features need it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.batch.config import TrainConfig
from models.batch.tabular import TABULAR

NUMBERS_WIDTH = 32
EMBEDDING_SCALE = 0.05  # of first weights: sums of some hundred features stay of about one size


class Inputs(NamedTuple):
    """A batch. ``text`` and ``code`` are rows of the vocabularies, all examples' in a row; offsets are (examples,)."""

    text: Tensor
    text_offsets: Tensor
    code: Tensor
    code_offsets: Tensor
    tabular: Tensor  # (examples, TABULAR)

    def to(self, device: torch.device) -> Inputs:
        """Return the batch on ``device``."""
        return Inputs(*(one.to(device, non_blocking=True) for one in self))


class Outputs(NamedTuple):
    """``logits`` (examples, labels), ``gates`` (examples, experts) that sum to one, and the balance loss, a scalar."""

    logits: Tensor
    gates: Tensor
    balance: Tensor


class Bag(nn.Module):
    """Features that are present → the sum of their rows, divided by the root of how many they are.

    In training a share of ``dropout`` of them is left out, others each time, so that none is relied on alone.
    """

    def __init__(self, rows: int, width: int, scale: float, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.table = nn.EmbeddingBag(max(rows, 1), width, mode="sum")
        nn.init.normal_(self.table.weight, std=scale) if scale else nn.init.zeros_(self.table.weight)

    def forward(self, rows: Tensor, offsets: Tensor) -> Tensor:
        """Return (examples, width); zeros for an example without known features."""
        ends = torch.cat([offsets[1:], offsets.new_tensor([len(rows)])])
        kept = None
        if self.training and self.dropout:
            kept = (torch.rand(len(rows), device=rows.device) >= self.dropout).float() / (1.0 - self.dropout)
        summed = torch.as_tensor(self.table(rows, offsets, kept))
        return summed * (ends - offsets).clamp(min=1).rsqrt().unsqueeze(1)


class Expert(nn.Module):
    """Two layers, the second to logits."""

    def __init__(self, width: int, hidden: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, labels))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (examples, labels)."""
        return torch.as_tensor(self.layers(x))


class MixtureOfExperts(nn.Module):
    """Embeddings and numbers → gate → the ``top_k`` likeliest experts' logits, plus those of the linear model."""

    def __init__(self, text: int, code: int, labels: int, config: TrainConfig) -> None:
        super().__init__()
        width = 2 * config.width + NUMBERS_WIDTH
        self.top_k = min(config.top_k, config.experts)
        self.text, self.code = (
            Bag(rows, config.width, EMBEDDING_SCALE, config.feature_dropout) for rows in (text, code)
        )
        self.wide_text, self.wide_code = (Bag(rows, labels, 0.0, config.feature_dropout) for rows in (text, code))
        self.numbers = nn.Sequential(nn.LayerNorm(TABULAR), nn.Linear(TABULAR, NUMBERS_WIDTH))
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(config.dropout)
        self.gate = nn.Linear(width, config.experts)
        self.experts = nn.ModuleList(
            Expert(width, config.hidden, labels, config.dropout) for _ in range(config.experts)
        )
        self.bias = nn.Parameter(torch.zeros(labels))

    def forward(self, inputs: Inputs) -> Outputs:
        """Return logits, gates and balance loss of a batch."""
        text, code = (inputs.text, inputs.text_offsets), (inputs.code, inputs.code_offsets)
        parts = [self.text(*text), self.code(*code), self.numbers(inputs.tabular)]
        x = self.drop(self.norm(torch.cat(parts, dim=1)))
        gates, balance = self._gates(x)
        wide = self.wide_text(*text) + self.wide_code(*code)
        return Outputs(self._mixed(x, gates) + wide + self.bias, gates, balance)

    def _gates(self, x: Tensor) -> tuple[Tensor, Tensor]:
        shares = self.gate(x).float().softmax(dim=1)
        best, chosen = shares.topk(self.top_k, dim=1)
        gates = torch.zeros_like(shares).scatter(1, chosen, best / best.sum(dim=1, keepdim=True))
        busy = (gates > 0).float().mean(dim=0) / self.top_k  # share of the batch's examples each expert is given
        return gates, len(self.experts) * (busy * shares.mean(dim=0)).sum()

    def _mixed(self, x: Tensor, gates: Tensor) -> Tensor:
        """Return the gated sum of the experts; each sees only the examples it was chosen for."""
        mixed = x.new_zeros(len(x), len(self.bias))
        for number, expert in enumerate(self.experts):
            rows = gates[:, number].nonzero().squeeze(1)
            if len(rows):
                given = gates[rows, number].unsqueeze(1) * expert(x[rows])
                mixed = mixed.index_add(0, rows, given.to(mixed.dtype))
        return mixed

    def count_parameters(self) -> int:
        """Return how many numbers the network has."""
        return sum(one.numel() for one in self.parameters())
