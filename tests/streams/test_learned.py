"""What a worker tells of what its partitions have learned: as JSON, and on gauges."""

from __future__ import annotations

import asyncio
import json
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from models.challenge import Challenge, PairedTest
from models.classifiers import HashedLogistic
from models.hybrid import MIN_CONFIDENCE
from models.labels.functions import LabellingFunction
from models.labels.model import LabelModel, Votes
from models.shadow import begin
from models.state import LineState, Outcome
from models.step import step
from models.taxonomy import LABELS
from streams.app import build as build_app
from streams.line import Line
from streams.liveness import Verdict
from streams.metrics import Metrics
from streams.settings import Settings
from streams.web.learned import describe, describe_labels, observe_labels, observe_partition
from streams.web.ops import ops_app
from tests.builders import NOW, random_builds, small_state


@pytest.fixture(scope="module")
def learned() -> LineState:
    """Return a state that has learned a stream, with a challenger beside it."""
    state = small_state()
    begin(state, "wider", HashedLogistic(bits=10))
    for record in random_builds(60, seed=3):
        step(state, record, NOW)
    return state


def gauges(state: LineState, number: str = "3") -> dict[str, dict[str, float]]:
    """Return the samples of one partition by the metric's name, and within it by its other label, if it has one."""
    metrics = Metrics()
    observe_partition(metrics, number, state)
    return by_name(generate_latest(metrics.registry).decode())


def by_name(text: str) -> dict[str, dict[str, float]]:
    """Return samples with a partition by name and by their other label."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            if "partition" in one.labels:
                others = [value for name, value in one.labels.items() if name != "partition"]
                found.setdefault(one.name, {})[" ".join(others)] = one.value
    return found


class TestGauges:
    def test_threshold_and_temperature(self, learned: LineState) -> None:
        """The confidence below which the model is silent, and the temperature as learned, are told."""
        found = gauges(learned)
        assert found["jidoka_model_threshold_ratio"] == {"": MIN_CONFIDENCE}
        assert found["jidoka_model_temperature"] == {"": learned.calibrator.temperature}
        assert learned.calibrator.temperature != 1.0

    def test_weights_are_those_of_now(self, learned: LineState) -> None:
        """Each category's weight is the one its next example would have, and categories are the taxonomy's."""
        found = gauges(learned)["jidoka_category_weight_ratio"]
        assert found == learned.weights.current()
        assert found.keys() <= set(LABELS)
        assert max(found.values()) > 1.0

    def test_templates(self, learned: LineState) -> None:
        """How many kinds of messages are known, were ever met, and how many of the last builds had a new one."""
        found, templates = gauges(learned), learned.templates
        assert found["jidoka_templates"] == {"": len(templates)}
        assert found["jidoka_templates_created_total"] == {"": templates.created}
        assert found["jidoka_new_template_share_ratio"] == {"": templates.new_share}
        assert templates.created > 0 < templates.new_share < 1

    def test_a_running_challenge(self, learned: LineState) -> None:
        """Builds, votes for and against, and the evidence of the running challenge are told."""
        found, challenge = gauges(learned), learned.challenge
        assert challenge is not None
        assert found["jidoka_challenge_builds"] == {"": challenge.counts.builds}
        assert found["jidoka_challenge_wins"] == {"": challenge.test.wins}
        assert found["jidoka_challenge_losses"] == {"": challenge.test.losses}
        assert found["jidoka_challenge_evidence"] == {"": challenge.test.evidence}
        assert challenge.counts.builds > 0

    def test_no_challenge_no_sample(self) -> None:
        """Without a challenger there is no number that could be taken for one's."""
        assert not [name for name in gauges(small_state()) if "challenge" in name]

    def test_an_empty_state_has_no_scores(self) -> None:
        """Before the first label an accuracy of 0 would be a lie; what is known is told all the same."""
        found = gauges(small_state())
        assert not {"jidoka_prequential_accuracy_ratio", "jidoka_baseline_accuracy_ratio"} & found.keys()
        assert found["jidoka_templates_created_total"] == {"": 0.0}

    def test_a_partition_that_left_is_forgotten(self, learned: LineState) -> None:
        """Cleared, no metric speaks of the partition any more: its new worker does."""
        metrics = Metrics()
        observe_partition(metrics, "3", learned)
        assert by_name(generate_latest(metrics.registry).decode())
        for one in metrics.by_partition():
            one.clear()
        assert by_name(generate_latest(metrics.registry).decode()) == {}

    def test_created_templates_are_a_counter(self, learned: LineState) -> None:
        """What only grows is exported as a counter, or ``rate`` and ``increase`` would be told off for it."""
        metrics = Metrics()
        observe_partition(metrics, "0", learned)
        assert "# TYPE jidoka_templates_created_total counter" in generate_latest(metrics.registry).decode()


class TestDescribed:
    def test_says_the_same_as_the_gauges(self, learned: LineState) -> None:
        """Threshold, temperature, weights of now, templates and the challenge are told as JSON, too."""
        found = json.loads(json.dumps(describe(learned)))
        assert (found["threshold"], found["temperature"]) == (MIN_CONFIDENCE, learned.calibrator.temperature)
        assert found["current_weights"] == learned.weights.current()
        assert found["templates"]["held"] == len(learned.templates)
        assert found["challenge"]["name"] == "wider"
        assert found["challenge"]["needed"] == pytest.approx(20)

    def test_evidence_without_bound(self) -> None:
        """Evidence that no float holds is null in JSON, which has no infinity, and +Inf for Prometheus."""
        state = small_state(challenge=Challenge("sure", HashedLogistic(bits=10), test=PairedTest(5_000, 0)))
        assert describe(state)["challenge"]["evidence"] is None
        assert gauges(state)["jidoka_challenge_evidence"] == {"": inf}

    def test_how_challenges_ended(self) -> None:
        """Ended challenges keep their names, verdicts and votes."""
        state = small_state(outcomes=[Outcome("wider", "retire", 312, 3, 20)])
        assert describe(state)["outcomes"] == [
            {"name": "wider", "verdict": "retire", "builds": 312, "wins": 3, "losses": 20}
        ]


class TestLabels:
    @pytest.fixture
    def judged(self) -> LabelModel:
        """Return a label model in which a person, worth 20 votes, went against one prior (80 of 100) and for two."""
        one, other = (LabellingFunction(name, name, ("A", "B"), 0.8, "") for name in ("text", "advice"))
        model = LabelModel([one, other], ("A", "B"))
        slots = [
            model.agreement.slot("text", "A"),
            model.agreement.slot("text", "B"),
            model.agreement.slot("advice", "B"),
        ]
        model.learn(Votes((slots[0],)), "a message", "B")
        model.learn(Votes((slots[1], slots[2])), "another message", "B")
        return model

    def test_gauge_is_the_mean_over_categories(self, judged: LabelModel) -> None:
        """A function's accuracy is one sample a partition, whatever number of categories it votes for."""
        metrics = Metrics()
        observe_labels(metrics, "1", judged)
        found = by_name(generate_latest(metrics.registry).decode())["jidoka_label_function_accuracy_ratio"]
        assert found == pytest.approx({"text": (80 / 120 + 100 / 120) / 2, "advice": 100 / 120})

    def test_json_has_each_category(self, judged: LabelModel) -> None:
        """For people each category's accuracy is there."""
        found = json.loads(json.dumps(describe_labels(judged)))
        assert found["label_functions"] == {
            "text": pytest.approx({"A": 80 / 120, "B": 100 / 120}),
            "advice": pytest.approx({"B": 100 / 120}),
        }

    def test_coverage(self, judged: LabelModel) -> None:
        """Of each function that voted, the share of diagnostics that it voted on is told, and is a gauge."""
        text = Votes((judged.agreement.slot("text", "A"),))
        for votes in [text] * 16 + [Votes(())] * 48:  # after 64 diagnostics they are counted
            judged.observe(votes)
        metrics = Metrics()
        observe_labels(metrics, "1", judged)
        found = by_name(generate_latest(metrics.registry).decode())["jidoka_label_function_coverage_ratio"]
        assert found == describe_labels(judged)["label_coverage"] == {"text": 0.25}

    def test_a_partition_tells_them(self, learned: LineState) -> None:
        """The functions of a partition that has learned are in its state and on its gauges."""
        assert gauges(learned)["jidoka_label_function_coverage_ratio"]["code_table"] > 0.5
        assert describe(learned)["label_functions"]["type_mismatch_words"]["TypeErrors"] > 0.5


class TestEndpoint:
    @pytest.fixture
    def served(self, tmp_path: Path, learned: LineState) -> Any:
        """Return a function that asks the operations endpoint of a worker that holds one partition."""
        _, line = build_app(Settings(broker="127.0.0.1:1", data_dir=tmp_path), Metrics(), LineState)
        partition: Any = SimpleNamespace(number=3, state=learned, offsets={})
        line.partitions = {3: partition}
        return lambda path: asyncio.run(ask(line, path))

    def test_state(self, served: Any, learned: LineState) -> None:
        """``/v1/state`` has what ``jidoka status`` shows of each partition."""
        (one,) = json.loads(served("/v1/state"))["partitions"]
        assert one["partition"] == 3
        assert one.items() >= json.loads(json.dumps(describe(learned))).items()

    def test_metrics(self, served: Any, learned: LineState) -> None:
        """``/metrics`` is brought up to date when it is asked for, not before."""
        found = by_name(served("/metrics"))
        assert found["jidoka_templates"] == {"": len(learned.templates)}
        assert found["jidoka_category_weight_ratio"] == learned.weights.current()


async def ask(line: Line, path: str) -> str:
    """Return what the operations endpoint answers; its watch has seen nothing."""
    watch: Any = SimpleNamespace(
        verdict=Verdict(), broker_answers=True, offsets={}, lags=dict[Any, int], positions=dict[Any, int]
    )
    async with TestClient(TestServer(ops_app(line, watch))) as client, client.get(path) as response:
        assert response.status == 200
        return await response.text()
