"""The examples as text, for an encoder: what the features are made of, in words; codes and paths left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from streams.cli.console import as_user_error


def texts_of(corpus: Sequence[Path], task: str, labels: str, limit: int | None) -> list[str]:
    """Return one text per example, in the order of ``read_dataset``."""
    from models.batch.texts import texts
    from producers.ci import InputError
    from streams.cli.train_data import read_entries

    with as_user_error(InputError):
        entries, said = read_entries(corpus)
    return texts(entries[:limit], task, labels, said)
