"""Runs a pipeline's stages in order, goes on where it was cut off, and stops at a gate that is not passed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from producers.generate.request import GRAMMAR_VERSION
from producers.pipeline import stages
from producers.pipeline.config import Evaluation, Pipeline, PipelineError
from producers.transpile.tools import find_rustc
from producers.transpile.transpiler import transpiler

STAGES = ("generate", "augment", "transpile", "verify", "train", "monitor")
FILES = {
    "generate": "1-generated.parquet",
    "augment": "2-augmented.parquet",
    "transpile": "3-transpiled.parquet",
    "verify": "4-verified.parquet",
    "train": "5-predictions.parquet",
    "monitor": "6-monitored.parquet",
}
REPORT = "report.json"
DONE = "stages.json"
VERSION = "1"
# Which sections a stage's result depends on, beside those of the stages it reads.
_SECTIONS = {
    "generate": ("seed", "generation"),
    "augment": ("augmentation",),
    "transpile": ("transpilation",),
    "verify": ("verification",),
    "train": ("training", "automl", "ensemble", "evaluation"),
    "monitor": ("monitoring",),
}
_READS = {"generate": None, "augment": "generate", "transpile": "augment", "verify": "transpile", "train": "transpile"}


class Gate(NamedTuple):
    """A condition between stages; ``wanted`` is the bound, at least or (a rate) at most."""

    name: str
    stage: str
    value: float | None
    wanted: float
    passed: bool


class Outcome(NamedTuple):
    """What a run came to; ``resumed`` are the stages that were there already."""

    document: dict[str, Any]
    gates: list[Gate]
    resumed: list[str]

    @property
    def passed(self) -> bool:
        """Return whether every gate was passed."""
        return all(gate.passed for gate in self.gates)


Told = Callable[[str, int, int], None]


def run(pipeline: Pipeline, told: Told = lambda _stage, _done, _all: None) -> Outcome:
    """Run what is not there yet, and write ``report.json``; a gate that fails ends the run after its stage.

    Raises ``PipelineError``, ``ToolError`` where the transpiler or rustc is missing, and ``OSError``.
    """
    folder = pipeline.output
    folder.mkdir(parents=True, exist_ok=True)
    done = _done(folder)
    keys = _keys(pipeline)
    found: dict[str, Any] = {}
    gates: list[Gate] = []
    resumed: list[str] = []
    for stage in STAGES:
        target = folder / FILES[stage]
        earlier = done.get(stage)
        if isinstance(earlier, dict) and earlier.get("key") == keys[stage] and target.is_file():
            found[stage] = earlier["document"]
            resumed.append(stage)
        else:
            found[stage] = _stage(stage, pipeline, target, lambda a, b, name=stage: told(name, a, b))  # type: ignore[misc]
            done[stage] = {"key": keys[stage], "document": found[stage]}
            _write(folder / DONE, done)
        gates += _gates(stage, found[stage], pipeline.evaluation)
        if not all(gate.passed for gate in gates):
            break
    document = {"version": VERSION, "stages": found, "gates": [gate._asdict() for gate in gates]}
    outcome = Outcome(document | {"passed": all(gate.passed for gate in gates)}, gates, resumed)
    _write(folder / REPORT, outcome.document)
    return outcome


def _stage(stage: str, pipeline: Pipeline, target: Path, told: stages.Told) -> dict[str, Any]:
    before = _READS.get(stage, "transpile")
    source = pipeline.output / FILES[before] if before else target
    if stage == "train":
        return stages.train(pipeline, source, target, told)[0]
    work = {
        "generate": stages.generate,
        "augment": stages.augment,
        "transpile": stages.through,
        "verify": stages.compare,
        "monitor": stages.monitor,
    }[stage]
    return work(pipeline, source, target, told)


def _gates(stage: str, document: dict[str, Any], wanted: Evaluation) -> list[Gate]:
    if stage == "augment":
        return [Gate(one["gate"], stage, None, 0.0, bool(one["passed"])) for one in document["gates"]]
    if stage == "transpile":
        share = document["accepted"]
        return [Gate("programs compile", stage, share, 0.0, share > 0)]
    if stage == "monitor":
        return [Gate("mix of defects", stage, document["divergence_nats"], 0.0, not document["alarm"])]
    if stage != "train":
        return []
    test = document["scores"]["test"]
    least = (("auc_roc", wanted.min_auc), ("f1", wanted.min_f1))
    found = [Gate(name, stage, test[name], bound, (test[name] or 0.0) >= bound) for name, bound in least]
    rate, most = test["false_positive_rate"], wanted.max_false_positive_rate
    return [*found, Gate("false_positive_rate", stage, rate, most, rate <= most)]


def _keys(pipeline: Pipeline) -> dict[str, str]:
    """Return what each stage's result depends on, as a hash: its settings, its tools, and the stage it reads."""
    settings = pipeline.model_dump(mode="json")
    if pipeline.generation.parameters is not None:
        try:
            settings["parameters"] = hashlib.sha256(pipeline.generation.parameters.read_bytes()).hexdigest()
        except OSError as error:
            raise PipelineError(f"generation.parameters: {error}") from None
    tool = transpiler(pipeline.transpilation.transpiler)
    tools = {"transpile": [tool.name, tool.version, find_rustc().version], "generate": [GRAMMAR_VERSION]}
    keys: dict[str, str] = {}
    for stage in STAGES:
        own = {name: settings[name] for name in _SECTIONS[stage]}
        if stage == "generate":
            own["parameters"] = settings.get("parameters")
        before = _READS.get(stage, "transpile")
        said = [VERSION, stage, own, tools.get(stage), keys[before] if before else None]
        keys[stage] = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return keys


def _done(folder: Path) -> dict[str, Any]:
    try:
        found = orjson.loads((folder / DONE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, document: dict[str, Any]) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    part.replace(path)
