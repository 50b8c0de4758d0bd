"""Prometheus's own tool on the rules: they are valid, and do what their tests say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.monitoring import ALERTS, run, tool


def test_rules_are_valid() -> None:
    """Every rule file passes promtool's check."""
    done = run(tool("promtool"), "check", "rules", *map(str, sorted(ALERTS.glob("*.yaml"))))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", sorted((ALERTS / "tests").glob("*.yaml")), ids=lambda file: file.stem)
def test_rules_do_what_their_tests_say(file: Path) -> None:
    """Each alert is quiet, fires with these words, and is over."""
    done = run(tool("promtool"), "test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
