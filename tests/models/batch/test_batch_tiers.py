"""Tiers: forests, and an encoder that is made on the spot, tuned with LoRA and loaded as CodeBERT would be."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import numpy as np
import pytest

from models.batch.codebert import encoder_shares, load_encoder, tune
from models.batch.dataset import Dataset
from models.batch.texts import texts
from models.batch.tiers import tier_table
from models.batch.trainer import TrainResult
from models.card import ModelFileError
from models.evaluation.splits import Entry
from models.records import CompilerErrors


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny RoBERTa of random weights and a tokenizer of single characters."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForSequenceClassification

    folder = tmp_path_factory.mktemp("encoder")
    words = ["<s>", "<pad>", "</s>", "<unk>", *(chr(code) for code in range(32, 127))]
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))  # noqa: S106 - a token of text
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    special = {"pad_token": "<pad>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **special).save_pretrained(folder)
    config = RobertaConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=300, pad_token_id=1,
    )  # fmt: skip
    RobertaForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_encoder_is_tuned(encoder_folder: Path, entries: list[Entry[CompilerErrors]], dataset: Dataset) -> None:
    """Only LoRA's layers and the head are trained, the loss falls, and every example gets probabilities."""
    encoder = load_encoder(encoder_folder, dataset.labels, seed=1)
    trained = sum(one.numel() for one in encoder.model.parameters() if one.requires_grad)
    assert 0 < trained < sum(one.numel() for one in encoder.model.parameters())
    said = texts(entries, "category", "main")
    losses = tune(encoder, dataset, said, epochs=2, batch_size=32)
    assert losses[1] < losses[0]
    shares = encoder_shares(encoder, said[:3])
    assert shares.shape == (3, len(dataset.labels))
    assert shares.sum(1) == pytest.approx(np.ones(3), abs=1e-4)


def test_no_weights_on_disk(tmp_path: Path) -> None:
    """A folder without safetensors is refused; pickled weights are not looked for."""
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"model\.safetensors"):
        load_encoder(tmp_path, ("a", "b"), seed=1)


def test_one_table(dataset: Dataset, result: TrainResult) -> None:
    """Each tier has scores, latencies and a weight; the weights of all sum to one."""
    ticks = count(0, 1_000)
    rows = tier_table(dataset, result, seed=1, clock=lambda: next(ticks))
    weights = [row["weight"] for row in rows.values() if "weight" in row]
    assert sum(weights) == pytest.approx(1.0)
    assert {"random forest", "gradient boosting", "mixture of experts"} < set(rows)
    assert all(row["p50_us"] >= 1.0 for row in rows.values())
