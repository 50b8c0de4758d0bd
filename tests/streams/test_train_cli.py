"""``jidoka train`` and ``jidoka distill`` on the bundled failures, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.student import load_student
from tests.command import Jidoka, in_process

CORPUS = Path(__file__).parents[2] / "producers" / "demo" / "failures.jsonl.gz"
QUICK = ("--corpus", CORPUS, "--limit", 150, "--epochs", 2, "--lr", 0.003, "--curriculum", "none")


@pytest.fixture
def jidoka(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Jidoka:
    """Return a function that runs a command line, with a data folder of its own."""
    monkeypatch.setenv("JIDOKA_DATA_DIR", str(tmp_path / "data"))
    return in_process(monkeypatch, capsys)


def test_from_failures_to_a_student(jidoka: Jidoka, tmp_path: Path) -> None:
    """A teacher is trained, its logits stored, and a student distilled from them that serves."""
    teacher, student, logits = tmp_path / "teacher", tmp_path / "student", tmp_path / "logits"
    done = jidoka("train", *QUICK, "--output", teacher, "--logits", logits, "--json")
    assert done.status == 0, done.err
    report = json.loads(done.out)
    assert report["models"]["teacher"]["accuracy"] > report["models"]["majority"]["accuracy"]
    done = jidoka("distill", "--input", logits, "--num-teachers", 1, "--epochs", 2, "--output", student, "--json")
    assert done.status == 0, done.err
    assert json.loads(done.out)["figures"]["auc_retained"] > 0.5
    assert load_student(student).card.scores["accuracy"] > 0


def test_settings_from_a_file(jidoka: Jidoka, tmp_path: Path) -> None:
    """A file's settings are taken, flags win, and a misspelt one is named with those there are."""
    file = tmp_path / "oracle.yaml"
    file.write_text(f"corpus: {CORPUS}\ntraining:\n  epoch: 3\n")
    done = jidoka("train", "--config", file, "--output", tmp_path / "m")
    assert done.status == 2
    assert "epoch" in done.err
    assert "settings are epochs" in done.err.replace("\n", " ")


def test_check_says_what_is_amiss(jidoka: Jidoka) -> None:
    """A corpus that is too small for training is said to be, with exit status 1."""
    done = jidoka("train", "--corpus", CORPUS, "--limit", 100, "--check")
    assert done.status == 1
    assert "collect more" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--output", "m"], "--corpus"),
        (["train", "--corpus", "nowhere.parquet", "--output", "m"], "no such file"),
        (["train", "--corpus", CORPUS, "--task", "root", "--output", "m"], "category, source"),
        (["train", "--corpus", CORPUS, "--curriculum", "a,b", "--output", "m"], "60,70,80"),
        (["train", "--corpus", CORPUS, "--lr", "-1", "--output", "m"], "lr"),
        (["distill", "--output", "s"], "--teacher"),
        (["distill", "--teacher", "nowhere", "--corpus", CORPUS, "--output", "s"], "card.json"),
        (["distill", "--input", "nowhere", "--output", "s"], "dataset.safetensors"),
    ],
)
def test_mistakes_are_named(
    jidoka: Jidoka, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[object], said: str
) -> None:
    """A mistake ends with status 2 and one paragraph that says what is allowed."""
    monkeypatch.chdir(tmp_path)
    done = jidoka(*arguments)
    assert done.status == 2
    assert said in done.err.replace("\n", " ")
    assert "Traceback" not in done.err


def test_without_the_extra(jidoka: Jidoka, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where torch is not installed, both commands say which extra to install."""
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    for command in ("train", "distill"):
        done = jidoka(command, "--corpus", CORPUS, "--output", "m")
        assert done.status == 2
        assert "jidoka[torch]" in done.err
