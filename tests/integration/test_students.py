"""A student on a line: published, taken up, answering and gone again, while workers run and are killed."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from models.records import DeadLetter, Model
from streams.cli.models_publish import read_student
from streams.commands import send
from tests.builders import model_command
from tests.command import Jidoka
from tests.integration.conftest import Line, make_failures
from tests.polling import poll
from tests.students import student


def published(line: Line, folder: Path, name: str) -> Model:
    """Put a student on the line, as `models publish` does."""
    card, weights = student(make_failures(50, seed=4), name=name)
    folder.mkdir()
    (folder / "card.json").write_bytes(card)
    (folder / "student.onnx").write_bytes(weights)
    model = read_student(folder)
    line.send(Model, [model.to_bytes()])
    return model


def ask(line: Line, action: str, model: Model | None = None) -> None:

    about = {"name": model.name, "sha256": model.sha256} if model is not None else {"name": None, "sha256": None}
    command = model_command(id=f"{action}-{model.name if model else ''}", action=action, sequence=None, **about)
    asyncio.run(send(line.settings, command))


def test_swapped_in_and_out_under_kills_nothing_is_lost_or_doubled(line: Line, tmp_path: Path) -> None:
    """Promoted and retired as builds come and the worker is killed: each is answered once, by the right model."""
    model, failures = published(line, tmp_path / "student", "student-1"), make_failures(240)
    worker = line.worker().start()
    line.push(failures[:60])
    line.wait_until_answered(60)
    ask(line, "promote", model)
    poll(lambda: worker.partition(0)["student"], deadline_s=60)
    line.push(failures[60:120])
    worker.kill()
    worker.start()
    line.push(failures[120:180])
    line.wait_until_answered(180)
    assert worker.partition(0)["student"]["name"] == "student-1"
    ask(line, "retire")
    poll(lambda: worker.partition(0)["student"] is None, deadline_s=60)
    line.push(failures[180:])
    found = line.wait_until_answered(240)
    assert Counter(one.failure_id for one in found) == Counter(one.id for one in failures)
    assert [one.failure_id for one in found] == [one.id for one in failures]
    versions = [one.model_version.endswith("+student-1") for one in found]
    assert versions == [False] * 60 + [True] * 120 + [False] * 60
    assert line.records(DeadLetter) == []
    assert worker.stop() == 0


def test_taken_up_as_a_challenger_without_a_restart(
    line: Line, tmp_path: Path, jidoka: Jidoka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`models publish --challenge` puts a student on trial in a running worker; one not there is a dead letter."""
    model = published(line, tmp_path / "first", "student-1")
    worker = line.worker().start()
    line.push(make_failures(20))
    line.wait_until_answered(20)
    for name, value in (("BROKER", f"kafka://{line.broker}"), ("DATA_DIR", str(line.settings.data_dir))):
        monkeypatch.setenv(f"JIDOKA_{name}", value)
    done = jidoka("models", "publish", tmp_path / "first", "--name", "student-2", "--challenge")
    assert done.status == 0
    poll(lambda: worker.partition(0)["trial"], deadline_s=60)
    assert worker.partition(0)["trial"]["name"] == "student-2"
    assert worker.partition(0)["student"] is None
    shown = jidoka("models", "list", "0")
    assert "student on trial student-2" in " ".join(shown.out.split())
    ask(line, "promote", model.model_copy(update={"sha256": "0" * 64}))
    (letter,) = poll(lambda: line.records(DeadLetter), deadline_s=60)
    assert "no published model 'student-1' with sha256 000000000000" in letter.reason
