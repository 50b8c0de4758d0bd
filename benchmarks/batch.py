"""The trainer beside a bare torch loop on the same batches: ``python -m benchmarks.batch --corpus F.parquet``.

Both train the same network with the same optimiser on the same examples in the same order; the bare loop has no
callbacks, no curriculum, no report, no validation. Times are of the steps, in processor time and on the wall.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson
import torch
from torch import nn

from models.batch.batches import batches
from models.batch.config import TrainConfig
from models.batch.dataset import Dataset, collect, parted
from models.batch.trainer import Trainer
from producers.ci import Report
from producers.corpus import read_failures


def bare(trainer: Trainer, order: np.ndarray) -> None:
    """Take one pass over ``order`` as a script would that is written for this once."""
    config, network, optimizer = trainer.config, trainer.network, trainer.optimizer
    network.train()
    for inputs, labels, _ in batches(trainer.encoded, trainer.dataset.label, order, config.batch_size):
        outputs = network(inputs)
        loss = nn.functional.cross_entropy(outputs.logits, labels) + config.balance * outputs.balance
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        optimizer.step()


def measure(dataset: Dataset, config: TrainConfig, rounds: int) -> dict[str, float]:
    """Return examples a second of both, the better of ``rounds`` that take turns, and their ratio."""
    trainer = Trainer(config, dataset)
    order = trainer.places
    best = {"trainer": float("inf"), "bare": float("inf")}
    runs = {"trainer": lambda: trainer.pass_over(order), "bare": lambda: bare(trainer, order)}
    for _ in range(rounds):
        for name, run in runs.items():
            started = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - started)
    rates = {f"{name}_examples_per_cpu_s": len(order) / seconds for name, seconds in best.items()}
    return rates | {"ratio": best["trainer"] / best["bare"], "parameters": float(trainer.network.count_parameters())}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read a corpus and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, nargs="+")
    parser.add_argument("--limit", type=int, default=600, help="builds of each file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    entries = []
    for source, file in enumerate(given.corpus):
        entries += list(read_failures(file, source, datetime.now(UTC), Report()))[: given.limit]
    dataset = parted(collect(entries, "category"), "file", 42)
    config = TrainConfig(batch_size=given.batch_size, curriculum=(), width=64)
    print(orjson.dumps(measure(dataset, config, given.rounds), option=orjson.OPT_INDENT_2).decode())


if __name__ == "__main__":
    main()
