"""The benchmark of drift detectors: its streams, its counting, and one small run from end to end."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import drift
from benchmarks.drift_streams import KINDS, Scenario, Source, changed, flow, read, scenarios


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpus of two origins with 300 files each, in 30 directories."""
    draw = random.Random(1)  # noqa: S311 - a corpus, not a secret
    rows = []
    for origin, codes in (("first", ["E0308", "E0277", "E0425", None]), ("second", ["E0599", "E0308", "E0061"])):
        for file in range(300):
            name = f"{origin}/{file // 10}/{file}.rs"
            rows += [(origin, name, draw.choice(codes)) for _ in range(draw.randint(1, 6))]
    path = tmp_path_factory.mktemp("corpus") / "corpus.parquet"
    columns = dict(zip(("sub_origin", "source_file", "error_code"), zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({name: list(values) for name, values in columns.items()}), path)
    return path


@pytest.fixture
def sources(corpus: Path) -> list[Source]:
    """Return the corpus's sources."""
    return read([corpus])


class TestStreams:
    def test_sources_are_read_with_their_directories(self, sources: list[Source]) -> None:
        """Each origin is a source; files keep their diagnostics and directories their files."""
        assert [one.name for one in sources] == ["first", "second"]
        assert [len(one.directories) for one in sources] == [30, 30]
        assert [len(one.builds) for one in sources] == [300, 300]

    def test_halves_share_no_file(self, corpus: Path) -> None:
        """The two parts of a corpus have all its builds together."""
        parts = [sum(len(one.builds) for one in read([corpus], part, 2)) for part in (0, 1)]
        assert sum(parts) == 600
        assert min(parts) > 200

    def test_kinds_draw_what_they_say(self, sources: list[Source]) -> None:
        """Independent builds have one diagnostic; directories come whole."""
        draw = random.Random(2)  # noqa: S311 - a stream, not a secret
        assert {len(build) for build in islice(flow(sources[0], "iid", draw), 100)} == {1}
        first = list(islice(flow(sources[0], "directories", draw), 10))
        assert first in sources[0].directories

    def test_a_share_of_a_mixture_is_of_diagnostics(self, sources: list[Source]) -> None:
        """A mixture's and a new code's share hold for diagnostics in every kind of stream."""
        draw = random.Random(3)  # noqa: S311 - a stream, not a secret
        for kind in KINDS[:2]:
            mixed = changed(Scenario("", "new", sources[0], None, 0.1), kind, draw)
            codes = Counter(code for build in islice(mixed, 8_000) for code in build)
            assert codes["new"] / codes.total() == pytest.approx(0.1, abs=0.02)
            mixed = changed(Scenario("", "mix", sources[0], sources[1], 0.5), kind, draw)
            codes = Counter(code for build in islice(mixed, 8_000) for code in build)
            assert (codes["E0599"] + codes["E0061"]) / codes.total() == pytest.approx(1 / 3, abs=0.03)

    def test_a_vanished_code_is_gone(self, sources: list[Source]) -> None:
        """After its most frequent code has vanished a stream has the others."""
        draw = random.Random(4)  # noqa: S311 - a stream, not a secret
        builds = islice(changed(Scenario("", "vanish", sources[1], None, 0.0), "bursty", draw), 500)
        assert len({code for build in builds for code in build}) == 2

    def test_scenarios_have_names_of_their_own(self, sources: list[Source]) -> None:
        """No two scenarios are called alike, and each kind of change is among them."""
        found = scenarios(sources)
        assert len({one.name for one in found}) == len(found)
        assert {one.kind for one in found} == {"mix", "switch", "new", "vanish"}


class TestCounting:
    def test_runs_without_a_find_count_in_the_delay(self) -> None:
        """The median delay is of all runs: one detector that finds little does not look quick."""
        found = drift.Run(found=True, events=10, diagnostics=20, false=False)
        missed = drift.Run(found=False, events=float("inf"), diagnostics=float("inf"), false=False)
        early = drift.Run(found=False, events=float("inf"), diagnostics=float("inf"), false=True)
        assert drift.summary([found, missed, missed, early])["delay"] is None
        assert drift.summary([found, found, missed]) == {"found": 2 / 3, "delay": 10, "delay_diagnostics": 20}

    def test_a_false_alarm_begins_anew(self, sources: list[Source]) -> None:
        """A detector that always alarms is counted as often as it does."""

        class Nervous:
            statistic = threshold = 0.0
            alarm = False

            def __init__(self) -> None:
                self.left = 100

            def update(self, votes: Iterable[str], build: str = "") -> None:  # noqa: ARG002 - the interface
                self.left -= 1
                self.alarm = not self.left

        alarms, events = drift.false_alarms(Nervous, sources[0], "iid", 5_000, 1)
        assert (alarms, events) == (50, 5_000)


class TestCommand:
    def test_prints_every_figure(self, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """``--json`` has the default detector under its name, with every figure that is promised."""
        assert drift.main(["--corpus", str(corpus), "--quick", "--events", "5000", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)["jidoka"]
        promised = {
            "iid_found", "iid_delay", "bursty_found", "bursty_delay", "new_category_delay", "microseconds",
            *(f"false_alarms_{kind}" for kind in KINDS),
        }  # fmt: skip
        assert promised <= found.keys()
        assert found["iid_found"] > 0.6

    @pytest.mark.parametrize("wrong", [["--only", "nobody"], ["--corpus", "missing.parquet"]])
    def test_a_mistake_is_told_in_words(
        self, corpus: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """An unknown detector and a missing file end with code 2 and a message."""
        assert drift.main(["--corpus", str(corpus), *wrong]) == 2
        assert capsys.readouterr().err.strip()
