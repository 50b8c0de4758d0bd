"""The archive's sink: each offset of the topics in one file, whatever is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.archive.files import chain_of, partition_folder, read_rows
from models.archive.tables import FAILURES, FEEDBACK, PREDICTIONS
from models.records import Feedback
from streams.supervisor import child_environment
from tests.builders import NOW
from tests.integration.conftest import Line, make_failures
from tests.polling import poll

INTERVAL_S = "0.2"  # files come quickly, so that kills fall between and into writes


@contextmanager
def sink(line: Line, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the archive's process as `jidoka up` does; whoever leaves the block has ended it."""
    announce = line.settings.data_dir / f"{name}.json"
    line.settings.data_dir.mkdir(parents=True, exist_ok=True)
    announce.unlink(missing_ok=True)
    arguments = [sys.executable, "-m", "streams.cli", "worker", "--role", "archive", "--announce", str(announce)]
    environment = child_environment(line.settings) | {"JIDOKA_ARCHIVE_INTERVAL_S": INTERVAL_S}
    with (line.settings.data_dir / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def stopped(line: Line, process: subprocess.Popen[bytes]) -> int:
    """Ask a sink that is up to stop, as a service manager does, and return its exit status."""
    poll((line.settings.data_dir / "archive.json").exists, deadline_s=60)
    process.terminate()
    return process.wait(30)


def archived(line: Line, partition: int = 0) -> list[tuple[int, int]]:
    """Return offset and index of each archived diagnostic, as a reader gets them."""
    rows = read_rows(line.settings.archive, FAILURES, partition)
    return [(row["offset"], row["index"]) for row in rows]


def pieces(line: Line) -> int:
    return len(chain_of(partition_folder(line.settings.archive, FAILURES, 0)).links)


def test_killed_again_and_again_it_loses_and_doubles_nothing(line: Line) -> None:
    """With the sink killed (-9) three times while builds come in, every diagnostic is archived once, at its offset."""
    failures = make_failures(360)
    expected: dict[tuple[int, int], str] = {}
    for kill in range(3):
        with sink(line, "archive") as process:
            batch = failures[kill * 120 : (kill + 1) * 120]
            for one, offset in zip(batch, line.push(batch), strict=True):
                expected |= {(offset, index): one.id for index in range(len(one.diagnostics))}
            before = pieces(line)
            poll(lambda before=before: pieces(line) > before, deadline_s=60)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
    with sink(line, "archive") as process:
        poll(lambda: len(archived(line)) >= len(expected), deadline_s=60, every_s=0.2)
        assert stopped(line, process) == 0
    rows = list(read_rows(line.settings.archive, FAILURES, 0))
    assert {(row["offset"], row["index"]): row["id"] for row in rows} == expected
    assert Counter(archived(line)).most_common(1)[0][1] == 1


def test_answers_and_labels_stand_beside_the_failures(line: Line) -> None:
    """What a worker answered and a person said is archived under the failure's id; refused records are not."""
    failures = make_failures(20)
    with sink(line, "archive") as process:
        line.worker().start()
        line.push(failures)
        said = Feedback(
            id="said", time=NOW, project="test/one", failure_id=failures[0].id, index=0, category="TypeErrors"
        )
        line.push([said])
        line.send(Feedback, [b"no record"])
        line.wait_until_answered(20)
        poll(lambda: len(list(read_rows(line.settings.archive, PREDICTIONS, 0))) >= 20, deadline_s=60, every_s=0.2)
        poll(lambda: chain_of(partition_folder(line.settings.archive, FEEDBACK, 0)).end == 2, deadline_s=60)
        assert stopped(line, process) == 0
    answered = {row["failure_id"] for row in read_rows(line.settings.archive, PREDICTIONS, 0)}
    assert answered == {one.id for one in failures}
    labels = [(row["failure_id"], row["label"]) for row in read_rows(line.settings.archive, FEEDBACK, 0)]
    assert labels == [(failures[0].id, "TypeErrors")]


def test_a_topic_made_anew_begins_another_archive(line: Line, tmp_path: Path) -> None:
    """Files that reach beyond the log are another topic's: they are put aside, and nothing of the new one is missed."""
    folder = partition_folder(line.settings.archive, FAILURES, 0)
    folder.mkdir(parents=True)
    (folder / "00000000000000000000-00000000000000009000.parquet").write_bytes(b"older")
    failures = make_failures(5)
    with sink(line, "archive") as process:
        line.push(failures)
        poll(lambda: list(folder.parent.glob("before-*")), deadline_s=60)
        poll(lambda: {offset for offset, _ in archived(line)} == set(range(5)), deadline_s=60)
        assert stopped(line, process) == 0
    assert [path.name.startswith("before-") for path in folder.parent.iterdir()].count(True) == 1
