"""Replay: what is scored is chosen by code, order and seed, and the run is the stream's own step."""

from __future__ import annotations

from collections import Counter

import pytest

from models.classifiers import CLASSIFIERS, HashedLogistic
from models.records import CompilerErrors
from models.replay import EPOCH, keep_codes, replay, replay_rival, shuffled, without_repeats
from models.step import step
from models.taxonomy import rule_for
from models.weighting import StaticWeights
from tests.builders import build, diagnostic, random_builds, small_state, span

BUILDS = random_builds(60, seed=13)


def nothing(_: int) -> None:
    """Take progress and say nothing."""


def messages(records: list[CompilerErrors]) -> list[str]:
    """Return all messages in their order."""
    return [one.message for record in records for one in record.diagnostics]


class TestKeepCodes:
    def test_wanted_codes(self) -> None:
        """Only diagnostics of the wanted codes stay; builds without any go."""
        kept = list(keep_codes(BUILDS, frozenset({"E0308", "E0106"})))
        codes = [one.code for record in kept for one in record.diagnostics]
        assert set(codes) == {"E0308", "E0106"}
        assert len(codes) == sum(one.code in {"E0308", "E0106"} for record in BUILDS for one in record.diagnostics)
        assert all(record.diagnostics for record in kept)

    def test_whatever_has_a_label(self) -> None:
        """Without codes everything stays that a rule can label, also by its message."""
        kept = [one for record in keep_codes(BUILDS, None) for one in record.diagnostics]
        assert kept == [
            one for record in BUILDS for one in record.diagnostics if rule_for(one.code, one.message) is not None
        ]
        assert None in {one.code for one in kept}

    def test_builds_stay_themselves(self) -> None:
        """A build keeps its id, and the records given are not changed."""
        before = [record.model_dump() for record in BUILDS]
        assert {record.id for record in keep_codes(BUILDS, None)} <= {record.id for record in BUILDS}
        assert [record.model_dump() for record in BUILDS] == before


class TestShuffled:
    def test_permutation(self) -> None:
        """Every diagnostic comes once, alone in its record, under an id of its own."""
        singles = shuffled(BUILDS, seed=42)
        assert Counter(messages(singles)) == Counter(messages(BUILDS))
        assert {len(record.diagnostics) for record in singles} == {1}
        assert len({record.id for record in singles}) == len(singles)

    def test_seed(self) -> None:
        """One seed gives one order, another seed another, none the order of the file."""
        once, again, other = (messages(shuffled(BUILDS, seed)) for seed in (42, 42, 43))
        assert once == again
        assert once != other
        assert once != messages(BUILDS)

    def test_order_is_fixed(self) -> None:
        """The order of a seed is part of every published number: it does not change."""
        assert "".join(one.project for one in shuffled(numbered(8), seed=42)) == "34672501"

    def test_ids_that_begin_alike(self) -> None:
        """Long ids that differ only at their end stay apart."""
        twins = [build("x" * 127 + end, diagnostic("m", "E0308")) for end in "ab"]
        assert len({record.id for record in shuffled(twins, seed=1)}) == 2


def numbered(count: int) -> list[CompilerErrors]:
    """Return builds whose project is their number."""
    return [build(f"b{number}", diagnostic(), project=str(number)) for number in range(count)]


class TestWithoutRepeats:
    def test_same_message_and_code_window(self) -> None:
        """A diagnostic whose message and code were seen before goes; another line or message stays."""
        one, same = diagnostic("m", "E0308", spans=(span("«x»"),)), diagnostic("m", "E0277", spans=(span(" «x»"),))
        same = same.model_copy(update={"spans": one.spans})
        other_line = diagnostic("m", spans=(span("«y»"),))
        records = [build("a", one, same), build("b", one), build("c", other_line, diagnostic("m"), diagnostic("n"))]
        kept = list(without_repeats(records))
        assert [(record.id, len(record.diagnostics)) for record in kept] == [("a", 1), ("c", 3)]

    def test_twice_is_once(self) -> None:
        """What has no repeats is left as it is."""
        once = list(without_repeats(BUILDS))
        assert list(without_repeats(once)) == once
        assert 0 < len(messages(once)) < len(messages(BUILDS))


class TestReplay:
    def test_equals_stepping_by_hand(self) -> None:
        """A replay is the stream's step over the records, in their order."""
        replayed, stepped = small_state(), small_state()
        scores = replay(BUILDS, replayed, nothing)
        for record in BUILDS:
            step(stepped, record, EPOCH)
        assert scores.dump() == stepped.scores.dump()
        assert replayed.classifier.weights.tobytes() == stepped.classifier.weights.tobytes()

    def test_equals_the_rival_of_its_own_kind(self) -> None:
        """Given the same classifier, no weights and single diagnostics, replay and the rivals' loop score the same."""
        state, singles = small_state(weights=StaticWeights(enabled=False)), shuffled(BUILDS, seed=3)
        rival = HashedLogistic(bits=10)
        assert replay(singles, state, nothing).dump() == replay_rival(singles, rival, nothing).dump()
        assert state.classifier.weights.tobytes() == rival.weights.tobytes()

    @pytest.mark.parametrize("name", CLASSIFIERS)
    def test_rivals_run(self, name: str) -> None:
        """Every classifier learns the stream, is scored on the same examples and beats the majority."""
        scores = replay_rival(BUILDS, CLASSIFIERS[name](), nothing)
        labelled = [rule_for(one.code, one.message) for record in BUILDS for one in record.diagnostics]
        assert scores.n == sum(rule is not None for rule in labelled)
        assert scores.accuracy > scores.baselines["majority"] + 0.2

    def test_seeded_scores(self) -> None:
        """A seeded stream has exactly these scores, run after run."""
        scores = replay(shuffled(random_builds(100, seed=1), seed=42), small_state(), nothing)
        assert (scores.n, round(scores.accuracy, 4), round(scores.macro_f1, 4)) == (227, 0.9648, 0.9659)
        assert {name: round(value, 4) for name, value in scores.baselines.items()} == {
            "majority": 0.0969,
            "last_label": 0.1322,
            "lookup": 0.9648,
        }

    def test_progress(self) -> None:
        """Progress counts the diagnostics of each record, labelled or not."""
        for run in (lambda tell: replay(BUILDS, small_state(), tell), lambda tell: replay_rival(BUILDS, model(), tell)):
            told: list[int] = []
            run(told.append)
            assert told == [len(record.diagnostics) for record in BUILDS]

    def test_keeps_nothing_for_a_checkpoint(self) -> None:
        """A long replay does not collect what only a checkpoint would need."""
        state = small_state()
        replay(BUILDS, state, nothing)
        assert (state.recent.added, state.recent.added_ids, state.changed_rows) == ([], [], [])

    def test_nothing_to_replay(self) -> None:
        """Without records there are scores of nothing."""
        assert replay([], small_state(), nothing).n == 0
        assert replay_rival([], model(), nothing).n == 0


def model() -> HashedLogistic:
    """Return a small classifier."""
    return HashedLogistic(bits=10)
