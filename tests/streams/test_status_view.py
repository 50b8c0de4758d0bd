"""What ``jidoka status`` prints of what was learned, and how predictions tell whether their kind is new."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from models.classification import Novelty
from models.state import Outcome
from models.step import step
from streams.cli.read import novelty_text, prediction_line
from streams.cli.status_view import show_status
from streams.web.learned import describe
from tests.builders import NOW, build, diagnostic, random_builds, small_state


def status_of(**changed: Any) -> dict[str, Any]:
    """Return what ``status --json`` prints of a line with one partition that has learned a little."""
    state = small_state()
    for record in random_builds(40, seed=5):
        step(state, record, NOW)
    worker = {"pid": 7, "url": "http://w", "ready": True, "problem": "", "partitions": [0]}
    counts = {"lag": 0, "predictions": 40, "dead_letters": 0, "unmatched_feedback": 0, "expired_feedback": 3}
    model = {"partition": 0, "offsets": {}} | describe(state) | changed
    return {"broker": "b:1", "silent_brokers": [], "web": None, "workers": [worker], "models": [model]} | counts


def shown(capsys: pytest.CaptureFixture[str], **changed: Any) -> str:
    """Return what is printed."""
    show_status(status_of(**changed))
    return capsys.readouterr().out


class TestStatus:
    def test_threshold_and_temperature(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A row for each partition has threshold, temperature, kinds of messages and the share of new ones."""
        templates = {"held": 143, "created": 150, "new_share": 0.021}
        row = shown(capsys, threshold=0.3, temperature=1.234, templates=templates).splitlines()
        assert ["0", "0.30", "1.23", "143", "2.1%"] in [line.split() for line in row]

    def test_the_heaviest_weights(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The three categories that count most are named, heaviest first; how many more there are is told."""
        weights = {"A": 1.0, "B": 2.0, "C": 3.96, "D": 1.5, "E": 1.2, "F": 1.01}
        said = "weights of partition 0: C 4.0, B 2.0, D 1.5, 1 more above 1, of 6 seen"
        assert said in shown(capsys, current_weights=weights)

    def test_no_weight_is_raised(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Where all count alike that is said."""
        assert "none raised, of 2 seen" in shown(capsys, current_weights={"A": 1.0, "B": 1.0})

    def test_a_challenger(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A running challenge is told with its votes and its evidence, also evidence beyond any number."""
        challenge = {"name": "wide[red]", "builds": 250, "wins": 9, "losses": 1, "evidence": 18.46, "needed": 20.0}
        said = "challenger of partition 0: wide[red], 9 votes for it, 1 against in 250 builds; evidence 18.5 of 20"
        assert said in shown(capsys, challenge=challenge)
        assert "evidence beyond measure" in shown(capsys, challenge={**challenge, "evidence": None})

    def test_a_challenge_that_ended(self, capsys: pytest.CaptureFixture[str]) -> None:
        """When none runs the last one's end is told."""
        outcomes = [Outcome(name, "retire", 312, 3, 20)._asdict() for name in ("first", "second")]
        text = shown(capsys, outcomes=outcomes)
        assert "none; the last, second, ended with retire: 3 votes for it, 20 against in 312 builds" in text

    def test_labelling_functions(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The most and the least trusted ones are named with mean accuracy and coverage; of a few all are."""
        few = {"low": {"A": 0.2}, "high": {"A": 1.0, "B": 0.9}}
        text = shown(capsys, label_functions=few, label_coverage={"high": 0.25})
        assert "labelling functions of partition 0, accuracy (coverage): high 0.95 (25.0%), low 0.20\n" in text
        many = {f"f{number}": {"A": number / 10} for number in range(9)}
        text = shown(capsys, label_functions=many, label_coverage=dict.fromkeys(many, 0.5))
        assert "f8 0.80 (50.0%), f7 0.70 (50.0%), f6 0.60 (50.0%), … f2 0.20 (50.0%), f1" in text
        assert "f0 0.00 (50.0%), of 9 judged" in text

    def test_feedback_that_came_too_late(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Feedback on failures that were let go is told apart from feedback on failures nobody knows."""
        assert "feedback on unknown failures 0 too late 3" in " ".join(shown(capsys).split())

    def test_an_idle_partition_has_no_row(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A partition that has answered nothing is no news."""
        assert "threshold" not in shown(capsys, failures=0, scored=0)


class TestNovelty:
    @pytest.mark.parametrize(
        ("seen", "said"),
        [(0, "new"), (1, "seen 1 time, first on 2026-05-01"), (412, "seen 412 times, first on 2026-05-01")],
    )
    def test_in_words(self, seen: int, said: str) -> None:
        """New, or how often it was met and since when."""
        novelty = Novelty(template="t", seen=seen, first=datetime(2026, 5, 1, tzinfo=UTC))
        assert novelty_text(novelty) == said

    def test_in_a_line_of_tail(self) -> None:
        """``tail predictions`` tells it of the root error."""
        state = small_state()
        lines = [
            prediction_line(step(state, build(f"b{number}", diagnostic("mismatched types", "E0308")), NOW)[0])
            for number in range(3)
        ]
        assert all(text in line for text, line in zip(("new", "seen 1 time,", "seen 2 times,"), lines, strict=True))
        assert "new" not in lines[1]
