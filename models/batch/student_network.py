"""The student: one small hashed table, one hidden layer. ``models.batch.export`` writes it as ONNX."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from models.batch.batches import Encoded
from models.batch.dataset import Dataset, Ragged
from models.batch.network import Inputs

SCALE = 0.05  # of first weights


class StudentNetwork(nn.Module):
    """Hashed features → the sum of their rows over the root of how many they are → logits of it and of its ReLU.

    Both parts of a batch's features meet in one table of 2^``bits`` rows, as in the stream, where they come together.
    """

    def __init__(self, bits: int, width: int, labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.bits, self.dropout = bits, dropout
        self.table = nn.EmbeddingBag(1 << bits, width, mode="sum")
        nn.init.normal_(self.table.weight, std=SCALE)
        self.bias = nn.Parameter(torch.zeros(width))
        self.output = nn.Linear(2 * width, labels)

    def forward(self, inputs: Inputs) -> Tensor:
        """Return logits, shape (examples, labels)."""
        text, text_counts = self._sum(inputs.text, inputs.text_offsets)
        code, code_counts = self._sum(inputs.code, inputs.code_offsets)
        x = (text + code) * (text_counts + code_counts).clamp(min=1).rsqrt().unsqueeze(1)
        return torch.as_tensor(self.output(torch.cat([x, (x + self.bias).relu()], dim=1)))

    def _sum(self, rows: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        ends = torch.cat([offsets[1:], offsets.new_tensor([len(rows)])])
        kept = None
        if self.training and self.dropout:
            kept = (torch.rand(len(rows), device=rows.device) >= self.dropout).float() / (1.0 - self.dropout)
        return torch.as_tensor(self.table(rows, offsets, kept)), ends - offsets


def hashed(dataset: Dataset, bits: int) -> Encoded:
    """Return a dataset's examples as rows of a student's table."""
    mask = np.uint32((1 << bits) - 1)
    text, code = (Ragged((one.values & mask).astype(np.int64), one.offsets) for one in (dataset.text, dataset.code))
    return Encoded(text, code, dataset.tabular)
