"""Figures of the templates' benchmark by hand, and that it runs without drain3."""

from __future__ import annotations

import sys
from math import log

import pytest

from benchmarks import templates

PAIRS = [("t", "a"), ("t", "a"), ("t", "b"), ("u", "b")]


def test_purity_by_hand() -> None:
    """Three of four messages have the code that most of their template have."""
    assert templates.purity(PAIRS) == 0.75
    assert templates.purity([]) == 0


def test_v_measure_by_hand() -> None:
    """Mutual information over the mean of both entropies, from the counts 2, 1, 1."""
    template, code = -(0.75 * log(0.75) + 0.25 * log(0.25)), log(2)
    both = -(0.5 * log(0.5) + 2 * 0.25 * log(0.25))
    assert templates.v_measure(PAIRS) == pytest.approx(2 * (template + code - both) / (template + code))


@pytest.mark.parametrize(
    ("pairs", "value"),
    [([("t", "a"), ("u", "b")], 1.0), ([("t", "a"), ("t", "b")], 0.0), ([("t", "a")], 1.0), ([], 1.0)],
)
def test_v_measure_at_its_ends(pairs: list[tuple[str, str]], value: float) -> None:
    """Templates that are the codes reach 1, one template for all codes 0."""
    assert templates.v_measure(pairs) == pytest.approx(value)


def test_new_later_counts_a_template_once() -> None:
    """Of the second half only the first message of a template that did not come before is new."""
    assert templates.new_later(["a", "b", "b", "c", "c", "a"]) == pytest.approx(1 / 3)


def test_without_drain3_the_others_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where drain3 is not installed the benchmark says how to get it, and compares what there is."""
    monkeypatch.setitem(sys.modules, "drain3.drain", None)
    found = templates.contenders()
    assert "pip install drain3" in capsys.readouterr().err
    assert set(found) == {"jidoka, masked", "exact text, masked", "exact text, raw"}
    masked = ["no field <name> on type <int>", "no field <name> on type <Type>", "mismatched types"]
    counts = {
        name: templates.measure(name, make(), masked, ["E0609", "E0609", None]).templates
        for name, (_, make) in found.items()
    }
    assert counts == {"jidoka, masked": 2, "exact text, masked": 3, "exact text, raw": 3}
