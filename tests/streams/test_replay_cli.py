"""``replay`` and ``evaluate``: options say what is learned and scored, and mistakes are told before anything runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.state import LineState
from models.warm_start import pack
from tests.command import Jidoka

# A kind of failure: code, message, and the line at which the compiler points.
KINDS = (
    ("E0308", "mismatched types", "let x: i32 = y;"),
    ("E0382", "borrow of moved value: `y`", "drop(y); y.len()"),
    ("E0433", "failed to resolve: use of undeclared type `Widget`", "Widget::new()"),
)
MISTAKES = [
    (("replay", "x", "--task", "root"), "no input says which error of a build was the root"),
    (("replay", "x", "--task", "guess"), "category, source, source-unmarked, outcome"),
    (("replay", "x", "--split", "moon"), "none, file, directory, origin, project, time"),
    (("replay", "x", "--split", "file", "--first", "3"), "give one of them"),
    (("replay", "x", "--task", "outcome", "--classifier", "river-logistic"), "one learner"),
    (("replay", "x", "--task", "outcome", "--order", "time"), "no time"),
    (("replay", "x", "--importance"), "give --split or --first"),
    (("evaluate", "x", "--labels", "none"), "main, all"),
    (("evaluate", "x", "--model", "missing.jdk"), "missing.jdk"),
]

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def scores(jidoka: Jidoka) -> Run:
    """Return a function that runs ``jidoka … --json`` and gives what it printed."""

    def run(*arguments: object) -> dict[str, Any]:
        done = jidoka(*arguments, "--json")
        assert done.status == 0, done.err
        found: dict[str, Any] = json.loads(done.out)
        return found

    return run


def history(path: Path, count: int, times: bool = False) -> Path:
    """Return a file of failures with two diagnostics each, the three kinds in turn."""
    lines = []
    for number in range(count):
        code, message, line = KINDS[number % len(KINDS)]
        span = {"file": "a.rs", "line_start": 1, "line_end": 1, "column_start": 1, "column_end": 4, "text": [line]}
        one = {"level": "error", "code": code, "message": f"{message} {number % 5}", "spans": [span]}
        time = {"time": f"2026-01-01T00:{59 - number % 60:02}:00Z"} if times else {}
        lines.append({"id": f"{path.stem}-{number}", "diagnostics": [one, one | {"message": message}], **time})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def failures(tmp_path: Path) -> Path:
    """Return a file with sixty failures."""
    return history(tmp_path / "h.jsonl", 60)


class TestScores:
    def test_agreed_keys(self, failures: Path, scores: Run) -> None:
        """All scores that were agreed on are there, as numbers."""
        found = scores("replay", failures)
        numbers = ("n", "accuracy", "macro_f1", "auc", "auc_pr", "log_loss", "ece", "seconds")
        assert all(isinstance(found[key], int | float) for key in numbers)
        others = {"task", "per_category", "baselines", "latency", "split", "order", "seed", "curve", "confusion"}
        assert found.keys() >= others
        assert (found["n"], found["seed"], found["order"], found["split"]) == (120, 42, "shuffled", "none")
        assert found["accuracy"] > found["baselines"]["majority"]
        assert found["curve"][-1]["n"] == 120

    def test_equal_runs_score_equally(self, failures: Path, scores: Run) -> None:
        """But for the time that it took, the same command prints the same."""
        once, again = (scores("replay", failures, "--split", "file") for _ in range(2))
        timeless = {"seconds": 0, "latency": {}}
        assert once | timeless == again | timeless

    @pytest.mark.parametrize("task", ["source", "source-unmarked"])
    def test_from_source(self, task: str, failures: Path, scores: Run) -> None:
        """The task from source is scored on the same examples, without the message."""
        found = scores("replay", failures, "--task", task)
        assert (found["task"], found["n"]) == (task, 120)
        assert found["accuracy"] > 0.8

    def test_rivals(self, failures: Path, scores: Run) -> None:
        """River's classifiers answer the task from source, too, and have probabilities."""
        found = scores("replay", failures, "--task", "source", "--classifier", "river-naive-bayes")
        assert found["accuracy"] > 0.8
        assert found["auc"] > 0.9

    def test_as_text(self, failures: Path, jidoka: Jidoka) -> None:
        """Without ``--json`` people read the same numbers."""
        done = jidoka("replay", failures, "--split", "file")
        assert done.status == 0
        for word in ("macro F1", "majority", "AUC-ROC", "ECE", "TypeErrors", "a fifth by file"):
            assert word in done.out

    def test_page(self, failures: Path, tmp_path: Path, scores: Run) -> None:
        """``--report`` writes a page with the same scores."""
        page = tmp_path / "out.html"
        found = scores("replay", failures, "--report", page)
        assert f"{found['accuracy']:.4f}" in page.read_text()


class TestSplits:
    def test_by_file(self, failures: Path, scores: Run) -> None:
        """A fifth of the files is scored by a model that has stopped learning; the seed says which."""
        found = scores("replay", failures, "--split", "file")
        (fold,) = found["folds"]
        assert fold["frozen"]
        assert fold["learned"] + fold["n"] == 120
        assert 0 < fold["n"] == found["n"] < 60

    def test_cold_start(self, failures: Path, scores: Run) -> None:
        """``--first`` learns from the first labels only, and scores the rest."""
        found = scores("replay", failures, "--first", 30)
        assert (found["folds"][0]["learned"], found["n"], found["first"]) == (30, 90, 30)

    def test_in_time(self, tmp_path: Path, scores: Run) -> None:
        """In the order of time the newest fifth is scored: here those that stand first in the file."""
        found = scores("replay", history(tmp_path / "t.jsonl", 50, times=True), "--order", "time", "--split", "time")
        assert (found["folds"][0]["learned"], found["n"]) == (80, 20)

    def test_from_one_file_to_the_next(self, failures: Path, tmp_path: Path, scores: Run) -> None:
        """In the order of the files each change of file is told, in the order in which they were given."""
        more = history(tmp_path / "more.jsonl", 9)
        found = scores("replay", failures, more, "--order", "file")
        assert [one["at"] for one in found["switch"]] == [120]
        assert found["files"] == ["h.jsonl", "more.jsonl"]
        assert [one["at"] for one in scores("replay", more, failures, "--order", "file")["switch"]] == [18]

    def test_what_cannot_be_split(self, failures: Path, jidoka: Jidoka) -> None:
        """A split by what the input does not say is a mistake, told in a sentence."""
        done = jidoka("replay", failures, "--split", "directory")
        assert (done.status, done.out) == (2, "")
        assert "does not say each example's directory" in " ".join(done.err.split())


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a file of programs, half of which compile, tried with two tools each."""
    sources = [f"def f{n}(a: int) -> int:\n    return a + {n}\n" for n in range(20)]
    sources += [f"async def g{n}():\n    yield {n}\n" for n in range(20)]
    rows = [
        {"python_code": source, "compiles": "async" not in source, "first_error_code": None}
        | {"pair_origin": origin, "project": "pq"[number % 2], "file": f"d/e{number}/x.py"}
        for origin in ("v3", "v4")
        for number, source in enumerate(sources)
    ]
    path = tmp_path / "pairs.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


class TestOutcome:
    def test_scores(self, programs: Path, scores: Run) -> None:
        """Whether programs compile is scored beside the majority and the last verdict; there is no code to look up."""
        found = scores("replay", programs, "--task", "outcome")
        assert (found["task"], found["n"], set(found["per_category"])) == ("outcome", 80, {"compiles", "fails"})
        assert found["baselines"].keys() == {"majority", "last_label"}
        assert found["accuracy"] > max(found["baselines"].values()) + 0.2

    def test_distinct_programs(self, programs: Path, scores: Run) -> None:
        """``--dedupe`` takes each program once."""
        assert scores("replay", programs, "--task", "outcome", "--dedupe")["n"] == 40

    @pytest.mark.parametrize(("split", "names"), [("origin", ["v3", "v4"]), ("project", ["p", "q"])])
    def test_one_against_the_other(self, split: str, names: list[str], programs: Path, scores: Run) -> None:
        """Origins and projects are held against each other."""
        found = scores("replay", programs, "--task", "outcome", "--split", split)
        assert [(fold["name"], fold["learned"], fold["n"]) for fold in found["folds"]] == [
            (one, 40, 40) for one in names
        ]

    def test_failures_are_no_programs(self, failures: Path, jidoka: Jidoka) -> None:
        """A file of failures is no file of programs, and says so."""
        done = jidoka("replay", failures, "--task", "outcome")
        assert (done.status, done.out) == (2, "")
        assert "not readable as Parquet" in " ".join(done.err.split())


class TestSave:
    def test_a_model_that_learned_all_of_it(self, failures: Path, tmp_path: Path, scores: Run) -> None:
        """``--save`` writes the model as it stands at the end: it answers what it learned."""
        saved = tmp_path / "mine.jdk"
        replayed = scores("replay", failures, "--save", saved)
        found = scores("evaluate", failures, "--model", saved)
        assert found["model"] == f"mine+{replayed['n']}"
        assert found["accuracy"] > replayed["accuracy"]

    def test_only_what_a_line_can_take(self, failures: Path, tmp_path: Path, jidoka: Jidoka) -> None:
        """What was held out, or another task's model, is nothing that a line answers with."""
        for arguments in (["--split", "file"], ["--task", "source"], ["--first", "5"]):
            done = jidoka("replay", failures, *arguments, "--save", tmp_path / "no.jdk")
            assert (done.status, "--save: what a line can take" in " ".join(done.err.split())) == (2, True)
            assert not (tmp_path / "no.jdk").exists()


class TestImportance:
    def test_of_what_was_held_out(self, failures: Path, tmp_path: Path, scores: Run) -> None:
        """``--importance`` says what groups of features are worth on what was not learned, in the page, too."""
        page = tmp_path / "out.html"
        found = scores("replay", failures, "--split", "file", "--importance", "--report", page)
        assert {one["name"] for one in found["importance"]} >= {"message", "mark"}
        assert "Importance" in page.read_text()
        assert "importance" not in scores("replay", failures, "--split", "file")


class TestEvaluate:
    def test_the_bundled_model(self, failures: Path, scores: Run) -> None:
        """The bundled model is scored as it is, beside baselines that learn on the way."""
        found = scores("evaluate", failures)
        assert (found["n"], found["task"], found["folds"][0]["learned"]) == (120, "category", 0)
        assert found["model"].startswith("warm-start")
        assert found["accuracy"] > found["baselines"]["majority"] + 0.2
        assert found["baselines"]["lookup"] > 0.9

    def test_a_snapshot(self, failures: Path, tmp_path: Path, scores: Run) -> None:
        """A snapshot's file is a model, too; one that has learned nothing answers nothing, and learns nothing here."""
        model = tmp_path / "empty.jdk"
        model.write_bytes(pack(LineState().classifier, "mine"))
        found = scores("evaluate", failures, "--model", model)
        assert (found["model"], found["accuracy"], sum(found["confusion"]["unanswered"])) == ("mine+0", 0.0, 120)

    def test_no_snapshot(self, failures: Path, jidoka: Jidoka) -> None:
        """A file that is no snapshot is told."""
        done = jidoka("evaluate", failures, "--model", failures)
        assert done.status == 2
        assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "told"), MISTAKES, ids=lambda one: " ".join(one) if isinstance(one, tuple) else ""
)
def test_mistakes(arguments: tuple[str, ...], told: str, jidoka: Jidoka) -> None:
    """What cannot be done is told in a paragraph that names the value and what is allowed, with status 2."""
    done = jidoka(*arguments)
    assert (done.status, done.out) == (2, "")
    assert told in " ".join(done.err.split())
    assert "Traceback" not in done.err
