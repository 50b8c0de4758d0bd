"""The README tells the truth: its commands exist, and those that need no broker print what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SHOWN = re.findall(r"^\$ (.+)\n((?:(?!\$ |```).*\n)*)", README, re.MULTILINE)
ALONE = [(command, output) for command, output in SHOWN if re.search(r"jidoka (classify|replay)\b", command)]


def squeezed(text: str) -> list[str]:
    """Return the lines without what differs from machine to machine: times, and where a terminal breaks a line."""
    timeless = re.sub(r"latency \d+ µs \(p99 \d+\)", "latency N", re.sub(r"\d+\.\d s\b", "N s", " ".join(text.split())))
    return timeless.split()


@pytest.mark.parametrize(("command", "output"), ALONE, ids=[command[:50] for command, _ in ALONE])
def test_output_is_what_the_readme_shows(command: str, output: str) -> None:
    """A command of the README that needs no broker prints what stands below it."""
    here = command.replace(".venv/bin/jidoka", f"{sys.executable} -m streams.cli")
    done = subprocess.run(["bash", "-c", here], cwd=ROOT, capture_output=True, check=True, timeout=120)
    assert squeezed(done.stdout.decode()) == squeezed(output)


def test_some_output_is_checked() -> None:
    """The README still shows commands with their output."""
    assert len(ALONE) >= 3


def test_make_targets_exist() -> None:
    """Every make target that the README names is in the Makefile."""
    named = set(re.findall(r"^make ([a-z-]+)", README, re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text()
    assert {"demo", "test"} <= named
    assert not [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)]


def test_commands_exist() -> None:
    """Every jidoka command that the README names answers to --help."""
    named = set(re.findall(r"jidoka ([a-z][a-z-]+)", " ".join(re.findall(r"`[^`]+`|^\$ .+$", README, re.MULTILINE))))
    environment = os.environ | {"COLUMNS": "200"}
    listed = subprocess.run(
        [sys.executable, "-m", "streams.cli", "--help"], capture_output=True, check=True, env=environment, timeout=60
    )
    known = set(re.findall(r"│ ([a-z-]+) ", listed.stdout.decode()))
    assert {"up", "push", "classify"} <= named
    assert named <= known


def test_files_exist() -> None:
    """Every file that the README links to is there."""
    linked = [target for target in re.findall(r"\]\(([^)#:]+)\)", README) if not target.startswith("http")]
    missing = [target for target in linked if not (ROOT / target).exists() and not list(ROOT.glob(f"{target}*"))]
    assert linked
    assert not missing
