"""Replay: what is scored is chosen by code, order and seed, and the run is the stream's own step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import pytest

from models.evaluation.prequential import Baselines, Prequential
from models.evaluation.replay import backtest, keep_codes, replay, run, shuffled, singles, without_repeats
from models.evaluation.scorecard import Opinion, Scorecard
from models.evaluation.splits import Entry, Fold, Group, folds
from models.evaluation.tasks import EPOCH
from models.records import CompilerErrors
from models.step import step
from models.taxonomy import rule_for
from tests.builders import build, diagnostic, random_builds, small_state, span

BUILDS = random_builds(60, seed=13)
Failure = Entry[CompilerErrors]


def nothing(_: int) -> None:
    """Take progress and say nothing."""


def entries(records: Iterable[CompilerErrors]) -> list[Failure]:
    """Return each record as an entry of its own file."""
    return [Entry(record, len(record.diagnostics), Group(file=record.id)) for record in records]


def messages(found: Iterable[Failure]) -> list[str]:
    """Return all messages in their order."""
    return [one.message for entry in found for one in entry.item.diagnostics]


class TestKeepCodes:
    def test_wanted_codes(self) -> None:
        """Only diagnostics of the wanted codes stay; builds without any go."""
        kept = list(keep_codes(entries(BUILDS), frozenset({"E0308", "E0106"})))
        codes = [one.code for entry in kept for one in entry.item.diagnostics]
        assert set(codes) == {"E0308", "E0106"}
        assert len(codes) == sum(one.code in {"E0308", "E0106"} for record in BUILDS for one in record.diagnostics)
        assert all(entry.size == len(entry.item.diagnostics) > 0 for entry in kept)

    def test_whatever_has_a_label(self) -> None:
        """Without codes everything stays that a rule can label, also by its message."""
        kept = [one for entry in keep_codes(entries(BUILDS), None) for one in entry.item.diagnostics]
        assert kept == [
            one for record in BUILDS for one in record.diagnostics if rule_for(one.code, one.message) is not None
        ]
        assert None in {one.code for one in kept}

    def test_builds_stay_themselves(self) -> None:
        """A build keeps its id and its group, and the records given are not changed."""
        before = [record.model_dump() for record in BUILDS]
        kept = list(keep_codes(entries(BUILDS), None))
        assert {entry.item.id for entry in kept} <= {record.id for record in BUILDS}
        assert all(entry.group.file == entry.item.id for entry in kept)
        assert [record.model_dump() for record in BUILDS] == before


class TestOrder:
    def test_singles(self) -> None:
        """Every diagnostic comes once, alone in its record, under an id of its own, in the group of its build."""
        found = list(singles(entries(BUILDS)))
        assert messages(found) == messages(entries(BUILDS))
        assert {len(entry.item.diagnostics) for entry in found} == {1}
        assert len({entry.item.id for entry in found}) == len(found)
        assert [entry.group.file for entry in found] == [one.id for one in BUILDS for _ in one.diagnostics]

    def test_seed(self) -> None:
        """One seed gives one order, another seed another, none the order of the file; all hold the same."""
        once, again, other = (messages(shuffled(entries(BUILDS), seed)) for seed in (42, 42, 43))
        assert once == again
        assert once != other
        assert once != messages(entries(BUILDS))
        assert Counter(once) == Counter(other) == Counter(messages(entries(BUILDS)))

    def test_order_is_fixed(self) -> None:
        """The order of a seed is part of every published number: it does not change."""
        numbered = entries(build(f"b{number}", diagnostic(), project=str(number)) for number in range(8))
        assert "".join(one.item.project for one in shuffled(numbered, seed=42)) == "34672501"

    def test_ids_that_begin_alike(self) -> None:
        """Long ids that differ only at their end stay apart."""
        twins = entries(build("x" * 127 + end, diagnostic("m", "E0308")) for end in "ab")
        assert len({entry.item.id for entry in singles(twins)}) == 2


class TestWithoutRepeats:
    def test_same_message_and_code_window(self) -> None:
        """A diagnostic whose message and code were seen before goes; another line or message stays."""
        one, same = diagnostic("m", "E0308", spans=(span("«x»"),)), diagnostic("m", "E0277", spans=(span(" «x»"),))
        same = same.model_copy(update={"spans": one.spans})
        other_line = diagnostic("m", spans=(span("«y»"),))
        records = [build("a", one, same), build("b", one), build("c", other_line, diagnostic("m"), diagnostic("n"))]
        kept = list(without_repeats(entries(records)))
        assert [(entry.item.id, entry.size) for entry in kept] == [("a", 1), ("c", 3)]

    def test_twice_is_once(self) -> None:
        """What has no repeats is left as it is."""
        once = list(without_repeats(entries(BUILDS)))
        assert list(without_repeats(once)) == once
        assert 0 < len(messages(once)) < len(messages(entries(BUILDS)))


class TestReplay:
    def test_equals_stepping_by_hand(self) -> None:
        """A replay is the stream's step over the records, in their order."""
        replayed, stepped = small_state(), small_state()
        scores = replay(BUILDS, replayed, nothing)
        for record in BUILDS:
            step(stepped, record, EPOCH)
        assert scores.dump() == stepped.scores.dump()
        assert replayed.classifier.weights.tobytes() == stepped.classifier.weights.tobytes()

    def test_progress(self) -> None:
        """Progress counts the diagnostics of each record, labelled or not."""
        told: list[int] = []
        replay(BUILDS, small_state(), told.append)
        assert told == [len(record.diagnostics) for record in BUILDS]

    def test_keeps_nothing_for_a_checkpoint(self) -> None:
        """A long replay does not collect what only a checkpoint would need."""
        state = small_state()
        replay(BUILDS, state, nothing)
        assert (state.recent.added, state.recent.added_ids, state.changed_rows) == ([], [], [])

    def test_nothing_to_replay(self) -> None:
        """Without records there are scores of nothing."""
        assert replay([], small_state(), nothing).n == 0


class Parrot:
    """A learner of words: says the word that it learned last, and counts what it was asked."""

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.learned: list[str] = []
        self.asked: list[str] = []

    def take(self, item: str, *, learn: bool) -> list[Opinion]:
        """Return one opinion on the word."""
        self.asked.append(item)
        said = self.learned[-1] if self.learned else None
        opinion = Opinion(item, said, [float(label == said) for label in self.labels])
        if learn:
            self.learned.append(item)
            self.labels = list(dict.fromkeys([*self.labels, item]))
        return [opinion]


def words(text: str) -> list[Entry[str]]:
    """Return an entry for each letter."""
    return [Entry(letter, 1, Group()) for letter in text]


def outcome_of(parts: Sequence[Fold[str]], parrots: list[Parrot]) -> dict[str, Any]:
    """Run a backtest; every learner that it makes is put on ``parrots``."""

    def make() -> Parrot:
        parrots.append(Parrot())
        return parrots[-1]

    return backtest(parts, make, clock=count(step=1_000).__next__, progress=nothing)


class TestRun:
    def test_baselines_equal_the_stream(self) -> None:
        """On a prequential run the baselines are those that a worker shows."""
        card, scores = Scorecard(), Prequential()
        clock = count().__next__
        run(words("AABAC"), Parrot(), Baselines(), card, learn=True, rivals_learn=True, clock=clock, progress=nothing)
        for before, letter in zip([None, *"AABA"], "AABAC", strict=True):
            scores.update(letter, before, None)
        assert {name: one["accuracy"] for name, one in card.baselines().items()} == scores.baselines
        assert card.accuracy == scores.accuracy

    def test_time_is_that_of_the_learner(self) -> None:
        """Only the learner's own time is counted: here each question takes one tick of a microsecond."""
        scores = outcome_of(folds(words("AAA"), "none", 0), [])
        assert scores["latency"] == {"p50_us": 1.0, "p99_us": 1.0, "mean_us": 1.0}


class TestBacktest:
    def test_frozen_folds_learn_only_their_train_part(self) -> None:
        """Each fold has a learner of its own, which learns the train part and nothing of what it is scored on."""
        parrots: list[Parrot] = []
        parts = [Fold("x", words("AB"), words("BC")), Fold("y", words("BC"), words("AB"))]
        scores = outcome_of(parts, parrots)
        assert [(one.learned, one.asked) for one in parrots] == [
            (["A", "B"], ["A", "B", "B", "C"]),
            (["B", "C"], ["B", "C", "A", "B"]),
        ]
        assert (scores["n"], scores["accuracy"]) == (4, 0.25)

    def test_frozen_baselines(self) -> None:
        """Where the model stands still, majority and lookup do, too; the label before is known to anybody."""
        scores = outcome_of([Fold("x", words("AAB"), words("BBB"))], [])
        assert scores["baselines"] == {"majority": 0.0, "last_label": 1.0, "lookup": 0.0}

    def test_a_saved_model_meets_baselines_that_learn(self) -> None:
        """Where there was nothing to learn from, the baselines learn on the way and the model does not."""
        parrots: list[Parrot] = []
        scores = outcome_of([Fold("x", [], words("BBB"))], parrots)
        assert parrots[0].learned == []
        assert scores["baselines"] == {"majority": pytest.approx(2 / 3), "last_label": 2 / 3, "lookup": 2 / 3}

    def test_folds_are_told(self) -> None:
        """Each fold tells what it learned from and how it scored."""
        scores = outcome_of([Fold("x", words("AAA"), words("AAB"))], [])
        (fold,) = scores["folds"]
        assert (fold["name"], fold["frozen"], fold["learned"], fold["n"]) == ("x", True, 3, 3)
        assert (fold["learned_accuracy"], fold["accuracy"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
        assert fold["baselines"]["majority"] == pytest.approx(2 / 3)

    def test_a_switch_needs_one_run(self) -> None:
        """From one file to the next only a model that goes on learning has something to recover from."""
        two = [Entry("A", 1, Group(source=number // 3)) for number in range(6)]
        assert [one["at"] for one in outcome_of(folds(two, "none", 0), [])["switch"]] == [3]
        assert outcome_of([Fold("x", words("A"), two)], [])["switch"] == []
