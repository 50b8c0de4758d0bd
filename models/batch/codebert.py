"""Tier 2: a pretrained encoder such as CodeBERT, from a folder on disk, tuned with LoRA.

Feng et al., "CodeBERT: a pre-trained model for programming and natural languages" (2020); Hu et al., "LoRA: low-rank
adaptation of large language models" (ICLR 2022). Nothing is fetched: the folder holds config, tokenizer and
``model.safetensors``; pickled weights and code that comes with a model are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.batch.dataset import TRAIN, Dataset
from models.card import ModelFileError

RANK, ALPHA, DROPOUT = 16, 32, 0.05
TARGETS = ["query", "value"]  # the projections of RoBERTa, which CodeBERT is
LR = 2e-4
CLIP = 1.0
LONGEST = 256  # tokens
EVALUATED = 64
WEIGHTS = "model.safetensors"


class Encoder(NamedTuple):
    """A tokenizer, and a classifier over the pretrained layers of which only LoRA's and the head are trained."""

    tokenizer: Any
    model: Any


def load_encoder(folder: Path, labels: Sequence[str], seed: int) -> Encoder:
    """Return the encoder in ``folder`` with a new head for ``labels``; raises ``ModelFileError`` otherwise."""
    from peft import LoraConfig, TaskType, get_peft_model  # noqa: PLC0415 - seconds that no other tier needs
    from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415

    if not (folder / WEIGHTS).is_file():
        raise ModelFileError(
            f"{folder}: no {WEIGHTS}; save the encoder there with save_pretrained, pickles are not read"
        )
    torch.manual_seed(seed)
    safely = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **safely)
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=len(labels), use_safetensors=True, ignore_mismatched_sizes=True, **safely
        )
        config = LoraConfig(
            task_type=TaskType.SEQ_CLS, r=RANK, lora_alpha=ALPHA, lora_dropout=DROPOUT, target_modules=TARGETS
        )
        return Encoder(tokenizer, get_peft_model(model, config))
    except (OSError, ValueError, KeyError) as error:
        raise ModelFileError(f"{folder}: not an encoder that can be tuned: {str(error)[:300]}") from None


def tune(
    encoder: Encoder, dataset: Dataset, texts: Sequence[str], *, epochs: int = 3, batch_size: int = 32, seed: int = 42
) -> list[float]:
    """Train LoRA's layers and the head on the training part; ``texts`` are all examples'. Return each epoch's loss."""
    trained = [one for one in encoder.model.parameters() if one.requires_grad]
    optimizer, losses = torch.optim.AdamW(trained, lr=LR, weight_decay=0.01), []
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    encoder.model.to(device).train()
    for epoch in range(epochs):
        torch.manual_seed(seed * 10_007 + epoch)
        order, total = np.random.default_rng([seed, epoch]).permutation(dataset.part(TRAIN)), 0.0
        for wanted in _chunks(order, batch_size):
            labels = torch.from_numpy(dataset.label[wanted]).to(device)
            logits = encoder.model(**_tokens(encoder, [texts[one] for one in wanted], device)).logits
            loss = nn.functional.cross_entropy(logits.float(), labels)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(trained, CLIP)
            optimizer.step()
            total += float(loss.detach()) * len(wanted)
        losses.append(total / len(order))
    return losses


def encoder_shares(encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return probabilities of the texts, shape (texts, labels)."""
    device = next(encoder.model.parameters()).device
    encoder.model.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(texts), EVALUATED):
            tokens = _tokens(encoder, texts[start : start + EVALUATED], device)
            found.append(encoder.model(**tokens).logits.float().softmax(dim=1).cpu().numpy())
    return np.concatenate(found)


def _tokens(encoder: Encoder, texts: Sequence[str], device: torch.device) -> Any:
    made = encoder.tokenizer(list(texts), truncation=True, max_length=LONGEST, padding=True, return_tensors="pt")
    return {name: made[name].to(device) for name in ("input_ids", "attention_mask")}


def _chunks(order: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(order), size):
        yield order[start : start + size]
