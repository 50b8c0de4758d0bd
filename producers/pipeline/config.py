"""The sections of a pipeline file, typed and bounded; what may be tuned is written as a range, ``50..500``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.commits.profiles import PROFILES
from models.search.space import Parameter, SpaceError, checked, parse_parameter

MAX_FILE_BYTES = 1 << 20
TUNABLE = ("passes", "bits", "members", "share")
Share = Annotated[float, Field(ge=0, le=1)]


class PipelineError(ValueError):
    """A pipeline that cannot run as it is written; the message names the setting and what is allowed."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Generation(_Section):
    """Programs to begin with; ``parameters`` is a file of ``jidoka optimize``, which then decides on all but these."""

    count: Annotated[int, Field(ge=10, le=1_000_000)] = 500
    strategy: Literal["random", "swarm", "boundary"] = "random"
    level: Literal["basic", "intermediate", "advanced", "expert"] = "basic"
    max_depth: Annotated[int, Field(ge=1, le=8)] = 3
    parameters: Path | None = None


class Augmenting(_Section):
    """Variants of them; with ``factor`` 1 there are none."""

    factor: Annotated[float, Field(ge=1, le=10)] = 1.0
    augmenters: tuple[Literal["eda", "mutate", "template"], ...] = ("mutate",)


class Transpilation(_Section):
    """Through which transpiler, how many at a time."""

    transpiler: str = "depyler"
    parallel: Annotated[int, Field(ge=1, le=256)] = 2


class Verification(_Section):
    """How many of those that compile are run beside their Rust."""

    programs: Annotated[int, Field(ge=0, le=1_000_000)] = 20
    cases: Annotated[int, Field(ge=1, le=10_000)] = 24
    timeout_ms: Annotated[int, Field(ge=100, le=600_000)] = 5_000


class Training(_Section):
    """The model that says before transpiling whether a program fails; each of these may be a range or a list."""

    passes: Any = 2  # over the training part
    bits: Any = 16  # the hash's
    share: Any = 1.0  # of the training part that each member sees


class AutoMl(_Section):
    """The search over ranges of ``training`` and ``ensemble``, by TPE beside a random search."""

    trials: Annotated[int, Field(ge=1, le=10_000)] = 20
    time_budget_s: Annotated[float, Field(gt=0)] = 60.0
    patience: Annotated[int, Field(ge=1)] = 5


class Ensemble(_Section):
    """How many models, each from an order of its own, are averaged."""

    members: Any = 1


class Evaluation(_Section):
    """The split, and the gates that a model has to pass; a failing program is the positive case."""

    train: Share = 0.7
    validation: Share = 0.15
    min_auc: Share = 0.8
    min_f1: Share = 0.75
    max_false_positive_rate: Share = 0.1
    min_samples: Annotated[int, Field(ge=1)] = 50  # of programs that fail, and of those that do not


class Monitoring(_Section):
    """What the mix of defects is compared with: a profile, or an earlier run's folder; alarm above, in nats."""

    baseline: str | None = None
    threshold: Annotated[float, Field(gt=0)] = 0.5


class Pipeline(_Section):
    """A whole pipeline file."""

    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 42
    output: Path = Path("pipeline")
    generation: Generation = Generation()
    augmentation: Augmenting = Augmenting()
    transpilation: Transpilation = Transpilation()
    verification: Verification = Verification()
    training: Training = Training()
    automl: AutoMl = AutoMl()
    ensemble: Ensemble = Ensemble()
    evaluation: Evaluation = Evaluation()
    monitoring: Monitoring = Monitoring()

    def searched(self) -> tuple[dict[str, Parameter], dict[str, Any]]:
        """Return what is a range, typed, and what is a single value. Raises ``PipelineError``."""
        space: dict[str, Parameter] = {}
        fixed: dict[str, Any] = {}
        for name, value in {**self.training.model_dump(), **self.ensemble.model_dump()}.items():
            try:
                found = parse_parameter(name, value)
            except SpaceError as error:
                raise PipelineError(str(error)) from None
            if found is not None:
                space[name] = found
            else:
                fixed[name] = value
        if space:
            checked(space, TUNABLE)
        return space, fixed


def read_pipeline(path: Path) -> Pipeline:
    """Return a pipeline file's settings; raises ``PipelineError`` that names the first one at fault."""
    import yaml  # noqa: PLC0415 - only here

    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PipelineError(f"{path}: more than {MAX_FILE_BYTES >> 20} MiB; a pipeline file holds settings")
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(f"{path}: cannot be read: {error}") from None
    except (yaml.YAMLError, RecursionError):
        raise PipelineError(f"{path}: not YAML: sections of name: value lines are taken") from None
    if values is not None and not isinstance(values, dict):
        raise PipelineError(f"{path}: sections of name: value lines; there are {', '.join(Pipeline.model_fields)}")
    return pipeline_of(values or {})


def pipeline_of(values: Mapping[str, Any]) -> Pipeline:
    """Return the settings in ``values``; raises ``PipelineError``."""
    try:
        found = Pipeline.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name, allowed = ".".join(map(str, first["loc"])), ""
        if first["type"] == "extra_forbidden":
            section = Pipeline.model_fields.get(str(first["loc"][0]))
            fields = section.annotation if section and len(first["loc"]) > 1 else Pipeline
            allowed = f"; there are {', '.join(getattr(fields, 'model_fields', {}))}"
        raise PipelineError(f"{name}: {first['msg']}{allowed}") from None
    if found.evaluation.train + found.evaluation.validation >= 1:
        raise PipelineError("evaluation: train and validation together leave nothing to test on; 0.7 and 0.15 say")
    baseline = found.monitoring.baseline
    if baseline is not None and baseline not in PROFILES and not Path(baseline).is_dir():
        raise PipelineError(
            f"monitoring.baseline: {baseline!r} is neither the folder of an earlier run nor a profile; there are "
            f"{', '.join(PROFILES)}"
        )
    found.searched()
    return found
