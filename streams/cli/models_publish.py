"""``models export`` and ``publish``: a partition's model as a file, and a file's model on the topic of models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import (
    AsJson,
    DataDir,
    UserError,
    as_user_error,
    err,
    find_line,
    load_settings,
    out,
    print_json,
    run_async,
    safe,
)
from streams.cli.models_topics import about, checkpoints, new_command, partitions

if TYPE_CHECKING:
    from models.records import Model
    from models.state import LineState

MAX_BYTES = 11 << 20  # of a snapshot: a third more as base64 has to fit a message


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(export)
    app.command()(publish)


def export(
    partition: Annotated[int, typer.Argument(min=0, help="Whose model: a partition of the line.")],
    file: Annotated[Path, typer.Argument(help="Where to write it.", metavar="FILE.jdk")],
    sequence: Annotated[int | None, typer.Option(min=0, help="As of that checkpoint; default: the newest.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write a partition's model to a file: `jidoka evaluate --model` scores it, `models publish` offers it.

    What was answered and what people said stays behind.
    """
    from models.state import LineState
    from models.warm_start import saved
    from streams.checkpoints import restore

    settings, _ = find_line(load_settings(data_dir=data_dir))
    partitions(settings, partition)
    found = checkpoints(settings, partition)
    if sequence is not None:
        found = [record for record in found if record.sequence <= sequence]
    restored, problems = restore(partition, found, LineState)
    if restored.base_sequence is None or (sequence is not None and restored.broken):
        why = f": {safe(problems[0])}" if problems else "; `jidoka models list` shows them"
        raise UserError(f"partition {partition} has no usable checkpoint {'' if sequence is None else sequence}{why}")
    write(file, saved(restored.state, file.stem))


def publish(
    file: Annotated[
        Path, typer.Argument(help="A model as `models export` or `replay --save` writes it, or a student.")
    ],
    name: Annotated[str | None, typer.Option(help="What it is called; default: the file's name.")] = None,
    challenge: Annotated[bool, typer.Option("--challenge", help="Let it challenge at once, everywhere.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Put a model on the line: new partitions start from the newest, and `models challenge` can name it.

    A folder holds a student (ONNX and card, as `distill` writes it), from which no partition starts.
    """
    from streams.commands import send
    from streams.kafka import client_options

    model = read_student(file, name) if file.is_dir() else read(file, name)
    card = about(model)
    if card["problem"]:
        raise UserError(f"{safe(file)} is no model that a line can take: {safe(card['problem'])}")
    settings, _ = find_line(load_settings(data_dir=data_dir))
    numbers = partitions(settings, None) if challenge else []
    run_async(_send(model, settings.broker or "", client_options(settings)))
    commands = [
        new_command("challenge", number, name=model.name, sha256=model.sha256, rules=True) for number in numbers
    ]
    if commands:
        run_async(send(settings, *commands))
    if as_json:
        print_json(card)
        return
    out.print(f"published {safe(model.name)}  {model.sha256[:12]}  {card['size']:,} bytes", soft_wrap=True)
    if commands:
        err.print(f"it challenges in {len(commands)} partitions; `jidoka models list` shows how it stands")
    else:
        err.print(f"`jidoka models challenge {safe(model.name)}` lets it learn beside the champion", soft_wrap=True)


def read(file: Path, name: str | None = None) -> Model:
    """Return the model in a file as a record, with the scores that it was saved with; raises ``UserError``."""
    from models.snapshots import snapshot
    from models.snapshots.frame import SnapshotError
    from models.state import LineState

    with as_user_error(OSError):
        size = file.stat().st_size
        packed = file.read_bytes() if size <= MAX_BYTES else b""
    if size > MAX_BYTES:
        raise UserError(f"{safe(file)}: {size:,} bytes; a model on the topic has at most {MAX_BYTES:,}")
    state = LineState()
    with as_user_error(SnapshotError):
        snapshot.apply(state, packed)
    state.origin = name or file.stem
    return _record(state, snapshot.base(state))


def read_student(folder: Path, name: str | None = None) -> Model:
    """Return the student in a folder as a record, with its card; raises ``UserError``."""
    from models.card import ModelFileError, read_model

    with as_user_error(ModelFileError):
        card, weights = read_model(folder, "student")
    if len(weights) > MAX_BYTES:
        raise UserError(f"{safe(folder)}: {len(weights):,} bytes; a model on the topic has at most {MAX_BYTES:,}")
    baselines = {
        f"{rival} {score}": value for rival, scores in card.baselines.items() for score, value in scores.items()
    }
    fields = {"scores": card.scores, "baselines": baselines, "card": card.to_json().decode()}
    return _model(name or card.name, weights, fields)


def _record(state: LineState, packed: bytes) -> Model:
    scores = state.scores
    said = {"accuracy": scores.accuracy, "macro_f1": scores.macro_f1, "n": float(scores.n)} if scores.n else {}
    return _model(state.origin, packed, {"scores": said, "baselines": scores.baselines if scores.n else {}})


def _model(name: str, payload: bytes, fields: dict[str, Any]) -> Model:
    import base64
    import hashlib
    from datetime import UTC, datetime

    from pydantic import ValidationError

    from models.records import Model, content_id

    digest = hashlib.sha256(payload).hexdigest()
    try:
        return Model(
            id=content_id("model", name, digest),
            time=datetime.now(UTC),
            project="jidoka",
            name=name,
            sha256=digest,
            payload=base64.b64encode(payload).decode(),
            **fields,
        )
    except ValidationError as error:
        raise UserError(f"--name: {error.errors(include_url=False, include_input=False)[0]['msg']}") from None


def write(path: Path, packed: bytes) -> None:
    """Write a model to a file and say what can be done with it; raises ``UserError``."""
    with as_user_error(OSError):
        path.write_bytes(packed)
    err.print(
        f"model: {safe(path)}, {len(packed):,} bytes; `jidoka models publish {safe(path)}` offers it to a line",
        soft_wrap=True,
    )


async def _send(model: Model, broker: str, options: dict[str, object]) -> None:
    from producers.sender import Sender, SenderError

    with as_user_error(SenderError):
        async with Sender(broker, options, "/jidoka/models") as sender:
            await sender.send(model)
