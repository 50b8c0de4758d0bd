"""``monitor``: files watched against a baseline; quiet, alarm and mistakes by the exit status, findings as YAML."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from models.andon.recorded import LEAST_VOTES
from tests.builders import KINDS, NAMES, build, diagnostic, span
from tests.command import Jidoka

KNOWN = [kind for kind in KINDS if kind[0]]
EVEN = tuple(range(len(KNOWN)))


def write(path: Path, count: int, kinds: Sequence[int], seed: int = 1) -> Path:
    """Write builds as jidoka's JSON lines; each has one error of one of these kinds."""
    draw, lines = random.Random(seed), []  # noqa: S311 - test data
    for number in range(count):
        code, message, line, _ = KNOWN[draw.choice(kinds)]
        names = {name: draw.choice(choices) for name, choices in NAMES.items()}
        one = diagnostic(message.format(**names), code, file="src/lib.rs", spans=(span(line.format(**names)),))
        lines.append(build(f"{path.stem}-{number}", one, project="acme/web").to_bytes())
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


@pytest.fixture
def normal(tmp_path: Path) -> Path:
    return write(tmp_path / "normal.jsonl", 400, EVEN)


def monitor(jidoka: Jidoka, *arguments: object) -> tuple[int, dict[str, Any]]:
    done = jidoka("monitor", *arguments, "--json")
    assert done.status in {0, 1}, done.err
    found: dict[str, Any] = json.loads(done.out)
    return done.status, found


class TestWatching:
    def test_quiet(self, jidoka: Jidoka, normal: Path, tmp_path: Path) -> None:
        """More of the same raises nothing: status 0, a green lamp, and the divergence that there was."""
        more = write(tmp_path / "more.jsonl", 400, EVEN, seed=2)
        status, found = monitor(
            jidoka, "--baseline", normal, "--input", more, "--alert-threshold", 0.5, "--window", 200
        )
        assert (status, found["lamp"], found["alarms"]) == (0, "green", [])
        assert 0 < found["highest_divergence"] < 0.1
        assert found["builds"] == {"baseline": 400, "input": 400}

    def test_names_what_moved(self, jidoka: Jidoka, normal: Path, tmp_path: Path) -> None:
        """Another mix raises an alarm that names the category, by how much, since when, with examples; as YAML too."""
        other = write(tmp_path / "other.jsonl", 400, (1,), seed=3)
        report = tmp_path / "alerts" / "drift.yaml"
        status, found = monitor(
            *(jidoka, "--baseline", normal, "--input", other, "--alert-threshold", 0.5),
            *("--window", 200, "--output", report),
        )
        assert status == 1
        alarm = next(one for one in found["alarms"] if one["signal"] == "divergence")
        assert (alarm["kind"], alarm["severity"], alarm["recommendation"]) == ("ConceptDrift", "warning", "Retrain")
        assert alarm["statistic"] > alarm["threshold"] == 0.5
        moved = alarm["categories"][0]
        assert (moved["category"], moved["now"]) == ("OwnershipBorrow", 1.0)
        assert moved["before"] == pytest.approx(1 / len(KNOWN), abs=0.06)
        assert "OwnershipBorrow +" in alarm["message"]
        assert alarm["first_build"] == "other-0"
        assert alarm["examples"][0]["code"] == "E0382"
        assert alarm["examples"][0]["message"].startswith("borrow of moved value")
        assert yaml.safe_load(report.read_text(encoding="utf-8")) == found

    def test_a_short_input(self, jidoka: Jidoka, normal: Path, tmp_path: Path) -> None:
        """An input shorter than the window is judged at its end, unless it is too short to say anything."""
        short = write(tmp_path / "short.jsonl", 2 * LEAST_VOTES, (1,))
        few = write(tmp_path / "few.jsonl", LEAST_VOTES - 1, (1,))
        common = ("--baseline", normal, "--alert-threshold", 0.5)
        assert monitor(jidoka, "--input", short, *common)[0] == 1
        assert monitor(jidoka, "--input", few, *common)[0] == 0

    def test_several_files_and_formats(self, jidoka: Jidoka, tmp_path: Path) -> None:
        """Options given again add files; cargo's log, JSON lines and Parquet are read alike."""
        said = {"message": "mismatched types", "code": {"code": "E0308"}, "level": "error", "spans": [], "children": []}
        rows = [{"origin": "x", "source_file": f"{n}.rs", "diagnostic": json.dumps(said)} for n in range(60)]
        table = tmp_path / "builds.parquet"
        pq.write_table(pa.Table.from_pylist(rows), table)
        log = tmp_path / "build.log"
        log.write_text("error[E0308]: mismatched types\n --> src/main.rs:3:5\n", encoding="utf-8")
        status, found = monitor(
            *(jidoka, "--baseline", table, "--baseline", log),
            *("--input", log, "--input", table, "--alert-threshold", 0.5),
        )
        assert status == 0
        assert found["input"] == ["build.log", "builds.parquet"]
        assert found["builds"]["baseline"] == 61

    def test_for_people(self, jidoka: Jidoka, normal: Path, tmp_path: Path) -> None:
        """Without --json it says the lamp, what moved, an example and where to read on."""
        other = write(tmp_path / "other.jsonl", 300, (1,))
        done = jidoka("monitor", "--baseline", normal, "--input", other, "--alert-threshold", 0.5)
        assert done.status == 1
        for said in ("lamp amber", "OwnershipBorrow +", "E0382", "docs/operations/andon.md#conceptdrift"):
            assert said in done.out

    def test_markup_in_a_message_is_shown(self, jidoka: Jidoka, normal: Path, tmp_path: Path) -> None:
        """Text from a log is printed as it is, whatever it looks like to the terminal or to the printer."""
        bad = tmp_path / "bad.jsonl"
        one = diagnostic("borrow of moved value: `[red]x[/red]\x1b[2J`", "E0382")
        bad.write_bytes(b"\n".join(build(f"x{n}", one).to_bytes() for n in range(100)))
        done = jidoka("monitor", "--baseline", normal, "--input", bad, "--alert-threshold", 0.5)
        assert "[red]x[/red]" in done.out
        assert "\x1b[2J" not in done.out


class TestMistakes:
    def test_a_baseline_too_short(self, jidoka: Jidoka, tmp_path: Path) -> None:
        """Without a threshold a short baseline is refused, with what to do."""
        short = write(tmp_path / "short.jsonl", 100, EVEN)
        done = jidoka("monitor", "--baseline", short, "--input", short)
        assert done.status == 2
        assert "100 builds are too few" in done.err
        assert "--alert-threshold" in done.err

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"--input": "missing.jsonl"}, "missing.jsonl"),
            ({"--baseline": "missing.jsonl"}, "missing.jsonl"),
            ({"--model": "missing.jdk"}, "missing.jdk"),
            ({"--alert-threshold": "-1"}, "alert-threshold"),
            ({"--window": "3"}, "window"),
            ({"--output": "/dev/null/x.yaml"}, "/dev/null"),
        ],
    )
    def test_told_in_one_sentence(self, jidoka: Jidoka, normal: Path, change: dict[str, str], message: str) -> None:
        """A mistake ends with status 2 and names what is wrong, without a stack trace."""
        options = {"--baseline": str(normal), "--input": str(normal), "--alert-threshold": "0.5"} | change
        done = jidoka("monitor", *(word for pair in options.items() for word in pair))
        assert done.status == 2, done.out
        assert message in done.err.replace("\n", "")
        assert "Traceback" not in done.err

    def test_no_failed_build(self, jidoka: Jidoka, normal: Path, tmp_path: Path) -> None:
        """An input without a single failed build is a mistake, not a quiet stream."""
        empty = tmp_path / "empty.log"
        empty.write_text("Finished dev in 0.1s\n", encoding="utf-8")
        done = jidoka("monitor", "--baseline", normal, "--input", empty, "--alert-threshold", 0.5)
        assert (done.status, "no failed build" in done.err) == (2, True)
