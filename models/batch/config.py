"""Settings of training and distilling: typed, bounded, and what of them a search may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Share = Annotated[float, Field(gt=0, lt=1)]


class ConfigError(ValueError):
    """A setting that is not one, or not within its bounds; the message names it and what is allowed."""


class Settings(BaseModel):
    """What both have in common: immutable, nothing unknown taken."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 100
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 32
    lr: Annotated[float, Field(gt=0, le=1)] = 1e-4
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    clip: Annotated[float, Field(gt=0)] = 1.0  # largest norm of all gradients together
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 42

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Return the settings in ``values``; raises ``ConfigError`` that names the first one at fault."""
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            name = ".".join(map(str, first["loc"]))
            allowed = f"; settings are {', '.join(cls.model_fields)}" if first["type"] == "extra_forbidden" else ""
            raise ConfigError(f"{name}: {first['msg']}{allowed}") from None

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """Return these settings with some changed; raises ``ConfigError`` as ``read`` does."""
        return type(self).read({**self.model_dump(), **values})


class TrainConfig(Settings):
    """How a teacher is trained; the defaults are those of the specification."""

    experts: Annotated[int, Field(ge=1, le=64)] = 8
    hidden: Annotated[int, Field(ge=8, le=4_096)] = 256
    top_k: Annotated[int, Field(ge=1, le=64)] = 2
    width: Annotated[int, Field(ge=4, le=1_024)] = 128  # of a feature's embedding
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    feature_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3  # share of an example's features left out each time
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0  # of labels
    balance: Annotated[float, Field(ge=0, le=10)] = 0.01  # weight of the loss that keeps experts equally busy
    min_count: Annotated[int, Field(ge=1, le=1_000)] = 2  # examples that a feature must stand in to be known
    reweight: Annotated[float, Field(ge=1, le=100)] = 1.5  # most that an example of a rare label is drawn more often
    samples: Annotated[int, Field(ge=1)] | None = None  # drawn in an epoch; nothing: as many as there are
    curriculum: tuple[Share, ...] = (0.6, 0.7, 0.8)  # accuracies from which harder tiers are added
    patience: Annotated[int, Field(ge=1)] = 5
    delta: Annotated[float, Field(ge=0, lt=1)] = 0.001
    prefetch: Annotated[int, Field(ge=0, le=64)] = 4  # batches made ahead
    embedding_lr: Annotated[float, Field(gt=0, le=1_000)] = 10.0  # times ``lr``, for what few examples touch


class DistilConfig(Settings):
    """How a student is distilled: L = alpha T^2 KL(teachers ‖ student) + (1 - alpha) CE."""

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 20
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 32
    lr: Annotated[float, Field(gt=0, le=1)] = 3e-3
    temperature: Annotated[float, Field(gt=0, le=100)] = 3.0
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.7
    bits: Annotated[int, Field(ge=8, le=20)] = 15
    width: Annotated[int, Field(ge=2, le=256)] = 16
    feature_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3


class Searchable(NamedTuple):
    """What a search may try for one setting: a range, or ``choices``."""

    kind: Literal["int", "float", "choice"]
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()


# Setting -> what may be tried; give what was chosen to ``TrainConfig.with_values``.
SEARCH_SPACE: Mapping[str, Searchable] = {
    "lr": Searchable("float", 3e-5, 3e-3, log=True),
    "weight_decay": Searchable("float", 1e-4, 0.3, log=True),
    "batch_size": Searchable("choice", choices=(32, 64, 128, 256)),
    "experts": Searchable("choice", choices=(4, 8, 16)),
    "hidden": Searchable("choice", choices=(64, 128, 256, 512)),
    "top_k": Searchable("int", 1, 4),
    "width": Searchable("choice", choices=(32, 64, 128, 256)),
    "dropout": Searchable("float", 0.0, 0.5),
    "reweight": Searchable("float", 1.0, 4.0),
    "min_count": Searchable("int", 1, 5),
}
