"""The pipeline file: settings, learning without near-duplicates, gates, and going on where it was cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from producers.generate.tune import (
    CELLS,
    SIZE,
    TuneError,
    bank_of,
    judge,
    load,
    parameters_of,
    plain,
    requests,
    save,
)
from producers.pipeline.config import PipelineError, pipeline_of, read_pipeline
from producers.pipeline.learning import example_of, learn
from producers.pipeline.run import FILES, STAGES, run
from tests.command import Jidoka, in_process

SMALL: dict[str, Any] = {
    "generation": {"count": 10, "max_depth": 1},
    "verification": {"programs": 1, "cases": 4},
    "evaluation": {"min_samples": 1},
}


@pytest.fixture
def jidoka(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Jidoka:
    """Return the command line in this process."""
    return in_process(monkeypatch, capsys)


class TestSettings:
    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({"generatoin": {}}, "generatoin"),
            ({"generation": {"cuont": 3}}, "count"),
            ({"generation": {"count": 1}}, "generation.count"),
            ({"training": {"passes": "5..1"}}, "passes"),
            ({"evaluation": {"train": 0.9, "validation": 0.2}}, "test"),
            ({"monitoring": {"baseline": "nobody"}}, "depyler-words"),
        ],
    )
    def test_mistakes(self, values: dict[str, Any], said: str) -> None:
        """A setting that is none, or out of bounds, is refused by its name before anything runs."""
        with pytest.raises(PipelineError, match=said):
            pipeline_of(values)

    def test_ranges_are_searched(self) -> None:
        """A range is searched, a single value is taken as it is."""
        space, fixed = pipeline_of({"training": {"passes": "1..4"}, "ensemble": {"members": [1, 3]}}).searched()
        assert (set(space), set(fixed)) == ({"passes", "members"}, {"bits", "share"})

    @pytest.mark.parametrize("text", ["- a\n", "a: [", "!!python/object:os.system {}\n"])
    def test_not_a_pipeline(self, text: str, tmp_path: Path) -> None:
        """A file that holds no settings is refused, and YAML makes no objects."""
        (tmp_path / "p.yaml").write_text(text)
        with pytest.raises(PipelineError):
            read_pipeline(tmp_path / "p.yaml")

    def test_defaults_are_the_specification(self) -> None:
        """Split and gates are those of the specification where the file says nothing."""
        found = pipeline_of({}).evaluation
        assert (found.train, found.validation, found.min_samples) == (0.7, 0.15, 50)
        assert (found.min_auc, found.min_f1, found.max_false_positive_rate) == (0.8, 0.75, 0.1)


class TestLearning:
    def test_learns_and_keeps_near_duplicates_together(self) -> None:
        """What always fails is told from what never does, and variants are on their original's side."""
        good = "def f(a: int) -> int:\n    return a + {}\n"
        bad = "def f(a: str) -> str:\n    return eval(a) + '{}'\n"
        texts = [
            (source.format(number), fails) for number in range(60) for source, fails in ((good, False), (bad, True))
        ]
        examples = [
            example_of(str(place), text, str(place // 4), fails, None) for place, (text, fails) in enumerate(texts)
        ]
        learned = learn(examples, pipeline_of({"training": {"passes": "1..2"}, "automl": {"trials": 2}}))
        assert learned.scores["test"]["auc_roc"] == 1.0
        assert all(len({learned.sides[place] for place in range(first, first + 4)}) == 1 for first in range(0, 120, 4))
        assert learned.search is not None


class TestRun:
    def test_stages_and_resumption(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each stage leaves its file; a second run does nothing again, one with other gates learns again only."""
        monkeypatch.setenv("JIDOKA_CACHE_DIR", str(tmp_path / "cache"))
        lenient = {"min_auc": 0.0, "min_f1": 0.0, "max_false_positive_rate": 1.0, "min_samples": 1}
        settings = SMALL | {"output": str(tmp_path / "out"), "evaluation": lenient}
        first = run(pipeline_of(settings))
        assert first.passed
        assert first.resumed == []
        assert all((tmp_path / "out" / FILES[stage]).is_file() for stage in STAGES)
        assert pq.read_metadata(tmp_path / "out" / FILES["transpile"]).num_rows == 10
        again = run(pipeline_of(settings))
        assert again.resumed == list(STAGES)
        assert again.document == first.document
        strict = run(pipeline_of(settings | {"evaluation": lenient | {"max_false_positive_rate": 0.0, "min_f1": 1.0}}))
        assert strict.resumed[:4] == list(STAGES[:4])
        assert not strict.passed
        assert "monitor" not in strict.document["stages"]

    def test_a_mistake_in_the_file(self, jidoka: Jidoka, tmp_path: Path) -> None:
        """At the command line a mistake in the file is said in words."""
        (tmp_path / "p.yaml").write_text("generation: {count: 0}\n")
        done = jidoka("pipeline", "run", tmp_path / "p.yaml")
        assert done.status == 2
        assert "generation.count" in done.err


class TestTuning:
    def test_mixtures(self) -> None:
        """Acceptance is the share-weighted one, and a mixture is more diverse than one kind."""
        sources = [
            [f"def f(a: int) -> int:\n    return a {'+*-/%&'[place % 6]} {place}\n"] for place in range(len(CELLS))
        ]
        bank = bank_of(sources, np.ones((len(CELLS), 1)))
        mixed, pure = judge(parameters_of(np.full(SIZE, 0.5)), bank), judge(plain(), bank)
        assert mixed.acceptance == pytest.approx(1.0)
        assert mixed.diversity >= pure.diversity

    def test_saved_and_loaded(self, tmp_path: Path) -> None:
        """Parameters come back from their file, and give as many programs as are asked for."""
        chosen = parameters_of(np.linspace(0, 1, SIZE))
        save(
            tmp_path / "p.json", chosen, judge(chosen, bank_of([["x = 1"]] * len(CELLS), np.ones((len(CELLS), 1)))), {}
        )
        again = load(tmp_path / "p.json")
        assert again.levels == pytest.approx(chosen.levels)
        assert sum(one.count for one in requests(again, 97, 1)) == 97

    @pytest.mark.parametrize("text", ["no", "{}", '{"version": 7}', '{"version": 1, "parameters": {"strategies": {}}}'])
    def test_other_files(self, text: str, tmp_path: Path) -> None:
        """A file that holds no parameters is refused."""
        (tmp_path / "p.json").write_text(text)
        with pytest.raises(TuneError, match=r"optimize|sum"):
            load(tmp_path / "p.json")
