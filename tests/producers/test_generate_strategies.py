"""Strategies: what each is for shows in what it makes, and the same request gives the same programs everywhere."""

from __future__ import annotations

import ast
import hashlib
import itertools
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.generate.choices import choices_of, seed_of
from producers.generate.coverage import Coverage, Parent, mutated, node_chains
from producers.generate.curriculum import PATIENCE, Curriculum
from producers.generate.dedupe import Seen
from producers.generate.exhaustive import distinct_rules
from producers.generate.kinds import LEVELS, Level
from producers.generate.profile import Profile
from producers.generate.program import decode
from producers.generate.request import GRAMMAR_VERSION, STRATEGIES, GenerateError, Outcome, Request
from producers.generate.run import WORTH_PROCESSES, Progress, batches
from producers.generate.sampling import SWARM_PROGRAMS, candidate, profile_of
from producers.generate.tracing import Span, TracingDraft

ROOT = Path(__file__).parent.parent.parent
DIGEST = """
import hashlib, sys
from producers.generate.request import Request
from producers.generate.run import Progress, batches
digest = hashlib.sha256()
for strategy in sys.argv[1:]:
    for batch in batches(Request(strategy, 120, 3, 9, "advanced"), Progress()):
        for row in batch.to_pylist():
            digest.update(repr(row).encode())
print(digest.hexdigest())
"""


def rows(request: Request, progress: Progress | None = None, processes: int = 1) -> list[dict[str, Any]]:
    """Return the rows that a request gives."""
    return [row for batch in batches(request, progress or Progress(), processes) for row in batch.to_pylist()]


class TestSameSeed:
    def test_whatever_the_hash_seed(self) -> None:
        """Two processes with different hash seeds make the same programs, by every strategy."""
        digests = set()
        for seed in ("0", "4711"):
            environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-c", DIGEST, *STRATEGIES]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
            digests.add(done.stdout)
        assert len(digests) == 1

    def test_whatever_the_number_of_processes(self) -> None:
        """Several processes give what one gives, in the same batches."""
        request = Request("random", WORTH_PROCESSES, 2, 3)
        alone = [batch.column("source").to_pylist() for batch in batches(request, Progress())]
        together = [batch.column("source").to_pylist() for batch in batches(request, Progress(), processes=2)]
        assert alone == together
        assert sum(map(len, alone)) == WORTH_PROCESSES

    @pytest.mark.parametrize("strategy", [one for one in STRATEGIES if one != "exhaustive"])
    def test_another_seed_gives_others(self, strategy: str) -> None:
        """With another seed hardly a program is the same."""
        first, second = ({row["source"] for row in rows(Request(strategy, 60, 3, seed))} for seed in (1, 2))
        assert len(first & second) <= 6

    def test_a_longer_run_begins_like_a_shorter(self) -> None:
        """Asking for more programs leaves those that came before as they were."""
        short, long = (rows(Request("random", count, 3, 8)) for count in (2_500, 3_000))
        assert [row["program_id"] for row in long[:2_500]] == [row["program_id"] for row in short]

    def test_the_grammar_has_a_version(self) -> None:
        """Whatever changes the programs of a seed raises the grammar's version: here stands what each gave."""
        digest = hashlib.sha256()
        for level in ("basic", "expert"):
            for index in range(100):
                digest.update(candidate(Request("boundary", 1, 3, 1, level), index).program.source.encode())
        assert {GRAMMAR_VERSION: digest.hexdigest()[:16]} == {"2": "501c6c483c04577e"}


class TestDuplicates:
    @given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9), max_size=20), max_size=8))
    def test_seen_is_a_set(self, groups: list[list[int]]) -> None:
        """A key is new once, whichever batches it comes in."""
        seen, reference = Seen(), set()
        for group in groups:
            fresh = seen.new(np.array(group, np.int64))
            expected = []
            for key in group:
                expected.append(key not in reference)
                reference.add(key)
            assert fresh.tolist() == expected
        assert len(seen) == len(reference)

    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_no_two_alike(self, strategy: str) -> None:
        """No two programs of a run have the same fingerprint."""
        keys = [row["fingerprint"] for row in rows(Request(strategy, 300, 2, 4))]
        assert len(set(keys)) == len(keys) == 300

    def test_a_space_that_is_used_up(self) -> None:
        """A run over a finite space ends when there is no more, and says so."""
        progress = Progress()
        found = rows(Request("exhaustive", 10_000_000, 1, 1), progress)
        assert progress.ended_early
        assert progress.kept == len(found) < 10_000
        assert 0.0 < progress.rejection_rate < 0.9


class TestRequest:
    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"strategy": "guess"}, "exhaustive"),
            ({"level": "hard"}, "intermediate"),
            ({"grammar": "rust"}, "python"),
            ({"count": 0}, "from 1"),
            ({"depth": 9}, "from 1 to 8"),
            ({"seed": -1}, "from 0"),
        ],
    )
    def test_mistakes(self, wrong: dict[str, Any], said: str) -> None:
        """A request that cannot be met says what is allowed."""
        with pytest.raises(GenerateError, match=said):
            Request(**wrong)


class TestCoverage:
    def test_reaches_more_than_chance(self) -> None:
        """With as many programs, more pairs of rules and chains of nodes are reached than at random."""
        guided = Coverage("expert", 3, Random(1))  # noqa: S311
        for index in range(1_000):
            guided.candidate(seed_of(1, "coverage", index))
        profiles = [Profile("expert"), Profile("expert", boundary=True)]
        by_chance: set[Any] = set()
        for index in range(1_000):
            draft = TracingDraft(profiles[index % 4 == 0], choices_of(seed_of(1, "coverage", index)))
            by_chance |= node_chains(decode(draft, 3).source) | draft.pairs
        assert len(guided.reached) > len(by_chance)

    def test_learns_from_outcomes(self) -> None:
        """What the feedback names is something new: programs that lead to it are kept, and lead to more like it."""
        asked: list[str] = []

        def feedback(source: str) -> Outcome:
            asked.append(source)
            return Outcome(True, (f"lambdas {min(source.count('lambda'), 6)}",))

        guided = Coverage("expert", 3, Random(2))  # noqa: S311
        for index in range(200):
            guided.candidate(seed_of(2, "coverage", index), feedback)
        assert len(asked) == 200
        assert {one for one in guided.reached if isinstance(one, str)} >= {"lambdas 0", "lambdas 1"}

    def test_subtrees_are_spliced(self) -> None:
        """A mutant has the parent's choices up to an expression, and another's of the same type in its place."""
        parent = Parent(bytes(range(100)), (Span("i", 10, 20),))
        other = Parent(bytes([255]) * 100, (Span("i", 5, 8), Span("s", 0, 50)))
        mutants = {mutated(parent, other, bytes([7]) * 200, Random(seed)) for seed in range(40)}  # noqa: S311
        assert all(one[:10] == parent.choices[:10] and len(one) == 200 for one in mutants)
        assert parent.choices[:10] + bytes([255]) * 3 + parent.choices[20:] in {one[:93] for one in mutants}

    def test_a_mutant_is_mostly_its_parent(self) -> None:
        """Most of a parent's statements are there again in a mutant."""
        profile = Profile("basic")
        draft = TracingDraft(profile, choices_of(seed_of(5, "parent", 0)))
        before = decode(draft, 4).source
        parent = Parent(bytes(draft.taken), tuple(draft.spans))
        shared = []
        for seed in range(30):
            mutant = decode(TracingDraft(profile, mutated(parent, parent, choices_of(seed), Random(seed))), 4).source  # noqa: S311
            lines = Counter(before.splitlines())
            shared.append(sum((lines & Counter(mutant.splitlines())).values()) / sum(lines.values()))
        assert sorted(shared)[15] > 0.5


class TestExhaustive:
    @pytest.mark.parametrize("level", LEVELS)
    def test_every_rule_of_depth_one(self, level: Level) -> None:
        """Depth one has every expression that one rule makes, in functions with only the parameters that they use."""
        found = rows(Request("exhaustive", 1_000_000, 1, 1, level))
        per_type = Counter(row["entry_points"][0]["returns"] for row in found)
        assert per_type["int"] >= len(distinct_rules(level)["i"])
        for row in found:
            tree = ast.parse(row["source"])
            names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            assert {one["name"] for one in row["entry_points"][0]["parameters"]} <= names

    def test_types_take_turns(self) -> None:
        """A run that is cut short has seen every type."""
        found = rows(Request("exhaustive", 200, 4, 1, "intermediate"))
        assert len({row["entry_points"][0]["returns"] for row in found}) >= 10

    def test_deeper_after_shallow(self) -> None:
        """All of depth one comes before anything of depth two."""
        shallow = [row["source"] for row in rows(Request("exhaustive", 1_000_000, 1, 1))]
        deeper = [row["source"] for row in rows(Request("exhaustive", len(shallow) + 500, 2, 1))]
        assert deeper[: len(shallow)] == shallow
        assert len(deeper) == len(shallow) + 500


class TestBoundaryAndSwarm:
    def test_boundary_values(self) -> None:
        """Boundary programs speak of the limits of types, of floor division by negatives, NaN and text beyond ASCII."""
        text = "\n".join(row["source"] for row in rows(Request("boundary", 600, 3, 1, "intermediate")))
        wanted = ["2147483647", "-2147483648", "9223372036854775807", '"nan"', "% -", "// -", "日本", "::-", "5e-324"]
        assert [one for one in wanted if one not in text] == []

    def test_swarms_differ(self) -> None:
        """A swarm's groups have different features, about half of them each."""
        request = Request("swarm", 10, 3, 6, "expert")
        groups = [profile_of(request, index).features for index in range(0, 40 * SWARM_PROGRAMS, SWARM_PROGRAMS)]
        assert len(set(groups)) == 40
        assert 0.4 < sum(map(len, groups)) / 40 / len(Profile().features) < 0.6
        assert profile_of(request, 1) == profile_of(request, 0)


class TestCurriculum:
    def test_goes_through_all_levels(self) -> None:
        """A run has all levels in their order, a quarter each, and every way of making programs."""
        found = rows(Request("curriculum", 400, 3, 1))
        assert [level for level, _ in itertools.groupby(row["level"] for row in found)] == list(LEVELS)
        strategies = {row["strategy"] for row in found}
        assert strategies > {"random", "boundary", "swarm", "stdlib:docstring-mining", "stdlib:composition"}

    def test_waits_for_success(self) -> None:
        """A level whose programs fail lasts until they pass, or until patience ends."""
        steps = Curriculum(per_level=10)
        for _ in range(10):
            steps.record(False)
        assert steps.level == "basic"
        for _ in range(10 * (PATIENCE - 1)):
            steps.record(False)
        assert steps.level == "intermediate"
        for _ in range(10):
            steps.record(True)
        assert steps.level == "advanced"

    def test_the_last_level_lasts(self) -> None:
        """After the last level there is none."""
        steps = Curriculum(per_level=1)
        for _ in range(20):
            steps.record(True)
        assert steps.level == "expert"

    def test_feedback_decides(self) -> None:
        """Where a feedback says that nothing passes, the easy levels take twice as long."""
        request = Request("curriculum", 400, 3, 1)
        found = [
            row["level"]
            for batch in batches(request, Progress(), feedback=lambda _: Outcome(False))
            for row in batch.to_pylist()
        ]
        assert Counter(found)["basic"] > 150

    def test_impossible_settings(self) -> None:
        """A curriculum without programs, or with a share above one, is refused."""
        for arguments in ((0, 0.5), (1, 1.5)):
            with pytest.raises(ValueError, match="at least 1 program"):
                Curriculum(*arguments)
