"""A large corpus through the real line: ``pytest -m scale -s --corpus FILE [--corpus FILE …]``."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from producers.ci import Report, open_input, read
from streams.supervisor import child_environment

pytestmark = [pytest.mark.scale, pytest.mark.integration]
ANSWER_S = 900.0


def ids_in(path: Path, project: str) -> set[str]:
    """Return the ids of the failed compilations in a corpus file."""
    with open_input(path) as source:
        found = read(source, name=path.name, project=project, time=datetime.now(UTC), report=Report())
        return {record.id for record in found}


class TestScale:
    def test_one_prediction_for_each_compilation(
        self, line: Any, corpus: list[Path], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Each compilation of the corpus has one prediction: none is missing, none is there twice."""
        line.worker().start()
        for path in corpus:
            expected = ids_in(path, path.stem)
            before, started = len(line.predictions()), time.monotonic()
            done = subprocess.run(
                [sys.executable, "-m", "streams.cli", "push", str(path), "--project", path.stem, "--json"],
                env=child_environment(line.settings),
                capture_output=True,
                text=True,
                check=False,
            )
            pushed = time.monotonic() - started
            assert done.returncode == 0, done.stderr
            counted = json.loads(done.stdout)
            assert counted["accepted"] == len(expected)
            line.wait_until_answered(before + len(expected), deadline_s=ANSWER_S)
            seconds = time.monotonic() - started
            answers = Counter(one.failure_id for one in line.predictions() if one.project == path.stem)
            assert answers.keys() == expected
            assert set(answers.values()) == {1}
            with capsys.disabled():
                print(  # noqa: T201 - the figures are what this test is run for
                    f"\n{path.name}: {len(answers)} compilations ({counted['diagnostics']} diagnostics) answered once "
                    f"each, none missing; pushed in {pushed:.1f} s, answered after {seconds:.1f} s: "
                    f"{len(answers) / seconds:.0f} compilations/s, {counted['diagnostics'] / seconds:.0f} diagnostics/s"
                )
        assert line.workers[0].stop() == 0
