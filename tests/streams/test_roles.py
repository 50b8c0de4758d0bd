"""What a worker is asked to do: roles by name, and how many workers of each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from streams.cli.console import UserError
from streams.cli.processes import worker_count


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("2", 2), ("64", 64), ("classify=3", 3)])
def test_counts(text: str, count: int) -> None:
    """Workers are counted plainly or by role."""
    assert worker_count(text) == count


@pytest.mark.parametrize("text", ["0", "65", "-1", "two", "", "classify=", "classify=0", "2=", "1.5", "٢", "9" * 9999])
def test_what_is_no_count_is_refused(text: str) -> None:
    """Anything else is refused with what may be given."""
    with pytest.raises(UserError, match=r"give a number from 1 to 64|there are: classify"):
        worker_count(text)


def test_an_unknown_role_names_those_there_are() -> None:
    """A role that is not there is refused with those that are, in the count too."""
    with pytest.raises(UserError, match=r"no role paint; there are: classify"):
        worker_count("paint=2")


def test_a_worker_of_an_unknown_role_does_not_start(tmp_path: Path) -> None:
    """``jidoka worker --role paint`` ends with 2 and names the roles there are, without a stack trace."""
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "worker", "--role", "paint", "--data-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "role" in done.stderr
    assert "'classify'" in done.stderr
    assert "Traceback" not in done.stderr
