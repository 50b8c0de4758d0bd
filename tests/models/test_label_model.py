"""The label model: what votes are worth, who decides, and that it agrees with the batch answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.feedback import Verdict
from models.labels import codes, coverage
from models.labels import model as label_model
from models.labels.agreement import MOST, UNIFORM
from models.labels.functions import CODE_TABLE, LabellingFunction
from models.labels.model import LabelModel, Settings, SoftLabel, Votes

LABELS = ("A", "B", "C")
PRIOR = 20.0  # votes: less than by default, so that short streams teach
READS = ("text", "text", "advice", "line", "build")
FUNCTIONS = (
    LabellingFunction(CODE_TABLE.name, "code", LABELS, 0.9, "", PRIOR),
    *[LabellingFunction(f"f{place}", reads, LABELS, 0.7, "", PRIOR) for place, reads in enumerate(READS)],
)
REFERENCE = json.loads((Path(__file__).parents[1] / "golden" / "label_model" / "reference.json").read_text())

said = st.dictionaries(st.sampled_from([f"f{place}" for place in range(len(READS))]), st.sampled_from(LABELS))
tables = st.sampled_from(LABELS) | st.none()
streams = st.lists(st.tuples(said, tables), max_size=60)


def model(functions: Sequence[LabellingFunction] = FUNCTIONS, **settings: Any) -> LabelModel:
    """Return a label model of the functions above, with few diagnostics between updates."""
    return LabelModel(functions, LABELS, Settings(**{"batch": 8, "least": 0.0, **settings}))


def votes(
    of: LabelModel, said: dict[str, str], table: str | None = None, code: str = "E1", floor: float = 0.9
) -> Votes:
    """Return votes by name, and what the code table says of a code."""
    named = [*said.items(), *([(CODE_TABLE.name, table)] if table else [])]
    return Votes(of.agreement.slots(named), code if table else None, floor if table else 0.0)


def judged(of: LabelModel, seen: Votes) -> SoftLabel:
    """Return the soft label of votes that have one."""
    soft = of.judge(seen)
    assert soft is not None
    return soft


def share(of: LabelModel, seen: Votes, label: str) -> float:
    """Return the probability of a label, that of its balance when all abstain."""
    return (of.probabilities(seen) or of.agreement.shares)[LABELS.index(label)]


def taught(stream: Sequence[tuple[dict[str, str], str | None]], **settings: Any) -> LabelModel:
    """Return a model that has seen a stream of votes."""
    seen = model(**settings)
    for said, table in stream:
        seen.observe(votes(seen, said, table))
    return seen


class TestSnorkel:
    """Against snorkel 0.10's LabelModel, which sees all rows at once and is told the labels' balance."""

    @pytest.fixture(params=REFERENCE, ids=lambda case: case["name"])
    def case(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        found: dict[str, Any] = request.param
        return found

    @pytest.fixture
    def online(self, case: dict[str, Any]) -> LabelModel:
        """Return a model that has seen every row once; the functions are independent, as snorkel assumes."""
        functions = [
            LabellingFunction(f"f{place}", f"f{place}", tuple([str(label) for label in knows]), 0.7, "", PRIOR)
            for place, knows in enumerate(case["knows"])
        ]
        seen = LabelModel(functions, ("0", "1", "2", "3"), Settings(temper=1.0, least=0.0))
        for row in self.rows(seen, case):
            seen.observe(row)
        return seen

    def rows(self, online: LabelModel, case: dict[str, Any]) -> list[Votes]:
        return [
            Votes(online.agreement.slots([(f"f{place}", vote) for place, vote in enumerate(row) if vote != "."]))
            for row in case["votes"]
        ]

    def labels(self, online: LabelModel, case: dict[str, Any]) -> list[str]:
        return [soft.label if (soft := online.judge(row)) else "." for row in self.rows(online, case)]

    def test_accuracies_are_close(self, online: LabelModel, case: dict[str, Any]) -> None:
        """Every accuracy is within .08 of snorkel's, and on average within .03."""
        away = [
            abs(online.agreement.accuracy(online.agreement.slot(f"f{place}", str(label))) - accuracies[label])
            for place, (knows, accuracies) in enumerate(zip(case["knows"], case["accuracies"], strict=True))
            for label in knows
        ]
        assert max(away) < 0.08
        assert sum(away) / len(away) < 0.03

    def test_labels_agree(self, online: LabelModel, case: dict[str, Any]) -> None:
        """At least 97 % of the labels are snorkel's, and no more than 1.5 % fewer of them are right."""
        labels = self.labels(online, case)
        same = sum([one == other for one, other in zip(labels, case["labels"], strict=True)])
        right, theirs = ([a == b for a, b in zip(one, case["truth"], strict=True)] for one in (labels, case["labels"]))
        assert same >= 0.97 * len(labels)
        assert sum(right) >= sum(theirs) - 0.015 * len(labels)

    def test_confidences_are_close(self, online: LabelModel, case: dict[str, Any]) -> None:
        """The confidence in a label is within .03 of snorkel's, on average."""
        pairs = zip(map(online.judge, self.rows(online, case)), case["confidences"], strict=True)
        away = [abs(soft.confidence - theirs) for soft, theirs in pairs if soft]
        assert sum(away) / len(away) < 0.03


class TestPosterior:
    def test_abstaining_everywhere_is_no_label(self) -> None:
        """Without a vote there is nothing to learn from, whatever was seen before."""
        assert taught([({"f0": "A", "f2": "A"}, "A")] * 50).judge(Votes(())) is None

    def test_one_vote_is_as_sure_as_its_function(self) -> None:
        """A single vote's confidence is the function's accuracy."""
        seen = model()
        soft = judged(seen, votes(seen, {"f3": "B"}))
        assert (soft.label, soft.source) == ("B", "functions")
        assert soft.confidence == pytest.approx(0.7)

    @given(streams, said, tables)
    def test_probabilities_sum_to_one(
        self, stream: list[tuple[dict[str, str], str | None]], one: dict[str, str], table: str | None
    ) -> None:
        """The probabilities of all labels are a distribution, and the label's is its confidence, or a table's more."""
        seen = taught(stream)
        shares, soft = seen.probabilities(votes(seen, one, table)), seen.judge(votes(seen, one, table))
        assert (shares is None) == (soft is None)
        if shares is not None and soft is not None:
            assert sum(shares) == pytest.approx(1.0)
            assert min(shares) >= 0.0
            probability = shares[LABELS.index(soft.label)]
            assert soft.confidence == probability or (soft.source == "rule" and soft.confidence < probability)

    @given(
        streams, said, tables, st.sampled_from([f"f{place}" for place in range(len(READS))]), st.sampled_from(LABELS)
    )
    def test_an_agreeing_vote_never_lowers(
        self,
        stream: list[tuple[dict[str, str], str | None]],
        one: dict[str, str],
        table: str | None,
        name: str,
        label: str,
    ) -> None:
        """One more function that votes for a label never makes it less likely, however bad the function is."""
        seen = taught(stream)
        without = {function: vote for function, vote in one.items() if function != name}
        before = share(seen, votes(seen, without, table), label)
        assert share(seen, votes(seen, {**without, name: label}, table), label) >= before - 1e-12

    @given(st.lists(said, max_size=40), st.permutations(FUNCTIONS), said)
    def test_order_of_functions_says_nothing(
        self, stream: list[dict[str, str]], order: list[LabellingFunction], one: dict[str, str]
    ) -> None:
        """Functions in another order learn the same accuracies and give the same probabilities."""
        here, there = model(), model(order)
        for said in stream:
            for seen in (here, there):
                seen.observe(votes(seen, said))
        ours, theirs = (seen.probabilities(votes(seen, one)) for seen in (here, there))
        assert (ours is None) == (theirs is None)
        assert ours is None or ours == pytest.approx(theirs)

    def test_who_reads_the_same_text_counts_once(self) -> None:
        """Two functions of one block are as sure as the better of them; two of two blocks are surer."""
        seen = model()
        alone, copied, backed = ({"f0": "A"}, {"f0": "A", "f1": "A"}, {"f0": "A", "f2": "A"})
        assert judged(seen, votes(seen, copied)) == judged(seen, votes(seen, alone))
        assert judged(seen, votes(seen, backed)).confidence > judged(seen, votes(seen, alone)).confidence

    def test_the_functions_abstain_when_unsure(self) -> None:
        """Below the least confidence there is no label."""
        seen = model(least=0.6)
        assert seen.judge(votes(seen, {"f0": "A", "f2": "B"})) is None
        assert seen.judge(votes(seen, {"f0": "A"})) is not None


class TestLearning:
    def test_a_stream_of_one_kind_still_teaches(self) -> None:
        """However frequent a label is, votes for it are evidence, and their functions are judged."""
        seen = taught([({"f0": "A", "f2": "A"}, None)] * 2_000)
        assert seen.agreement.accuracies()["f0"]["A"] > 0.75
        assert judged(seen, votes(seen, {"f0": "A"})).label == "A"

    def test_agreement_is_learned(self) -> None:
        """A function that agrees with two others gains, one that contradicts them loses."""
        seen = taught([({"f0": label, "f2": label, "f3": label, "f4": "C"}, None) for label in "AB" * 200], temper=1.0)
        accuracy = seen.agreement.accuracies()
        assert accuracy["f0"]["A"] > 0.9
        assert accuracy["f4"]["C"] < 0.4

    def test_one_block_does_not_make_itself_sure(self) -> None:
        """Functions that read one text and agree with nobody else learn nothing from each other."""
        seen = taught([({"f0": "A", "f1": "A"}, None)] * 200)
        assert seen.agreement.accuracies() == {}

    def test_the_past_is_forgotten(self) -> None:
        """A function that was right for long and is now wrong is followed within its horizon."""
        good, bad = ({"f0": "A", "f2": "A", "f3": "A"}, None), ({"f0": "A", "f2": "B", "f3": "B"}, None)
        stream = [good] * 1_000 + [bad] * 1_000
        quick, slow = (taught(stream, temper=1.0, horizon=horizon).agreement.accuracies() for horizon in (100.0, 1e6))
        assert quick["f0"]["A"] < 0.4 < slow["f0"]["A"]

    def test_rare_labels_become_rare(self) -> None:
        """The balance follows the labels of the stream."""
        seen = taught([({"f0": label, "f2": label}, None) for label in "AAAAAAAAAB" * 30])
        assert seen.agreement.shares[0] == MOST
        assert UNIFORM / len(LABELS) < seen.agreement.shares[2] < seen.agreement.shares[1] < MOST

    @given(streams, said.filter(bool), st.sampled_from(LABELS), st.booleans())
    def test_feedback_moves_accuracy_the_right_way(
        self, stream: list[tuple[dict[str, str], str | None]], one: dict[str, str], label: str, verifier: bool
    ) -> None:
        """Who said what people say gains, who said something else loses, by words of people and of verifiers."""
        seen = taught(stream)
        before = [seen.agreement.accuracy(seen.agreement.slot(*vote)) for vote in one.items()]
        seen.learn(votes(seen, one), "message", label, verifier=verifier)
        after = [seen.agreement.accuracy(seen.agreement.slot(*vote)) for vote in one.items()]
        for was, now, vote in zip(before, after, one.values(), strict=True):
            assert now > was if vote == label else now < was

    def test_a_person_outweighs_a_verifier(self) -> None:
        """A person's word moves an accuracy further than a verifier's."""
        moved = []
        for verifier in (False, True):
            seen = model()
            seen.learn(votes(seen, {"f0": "A"}), "message", "B", verifier=verifier)
            moved.append(seen.agreement.accuracies()["f0"]["A"])
        assert moved[0] < moved[1] < 0.7

    def test_an_unknown_label_is_refused(self) -> None:
        """Feedback with a label that is none changes nothing and says what is allowed."""
        seen = model()
        with pytest.raises(ValueError, match="'Z' is not one of A, B, C"):
            seen.learn(Votes(()), "message", "Z")
        assert seen.dump() == model().dump()


class TestWhoDecides:
    def test_people_come_first(self) -> None:
        """What people say of a kind of message is the answer, whatever table and functions say."""
        seen = model()
        verdict = Verdict("C", votes=1, total=1)
        assert seen.judge(votes(seen, {"f0": "A", "f2": "A"}, "B"), verdict) == SoftLabel(
            "C", verdict.confidence, "feedback"
        )

    @given(streams, said, st.floats(0.51, 0.95))
    def test_the_trusted_table_cannot_be_outvoted(
        self, stream: list[tuple[dict[str, str], str | None]], one: dict[str, str], floor: float
    ) -> None:
        """As long as people do not contradict it, the label is the code table's, and as sure as the table."""
        seen = taught(stream)
        soft = judged(seen, votes(seen, one, "B", floor=floor))
        assert (soft.label, soft.source) == ("B", "rule")
        assert soft.confidence == floor

    @pytest.mark.parametrize(("floor", "words"), [(0.95, 2), (0.8, 2), (0.75, 1), (0.6, 1)])
    def test_people_turn_a_code(self, floor: float, words: int) -> None:
        """A table that is sure of a code falls when people contradict it twice, a doubtful one at once."""
        seen = model()
        shown = votes(seen, {}, "B", floor=floor)
        for _ in range(words):
            assert seen.trusts("E1", floor)
            seen.learn(shown, "message", "A")
        assert not seen.trusts("E1", floor)
        assert seen.trusts("E2", floor)
        assert seen.codes.label("E1") == "A"
        assert judged(seen, votes(seen, {"f0": "C", "f2": "C"}, "B", floor=floor)).source == "functions"

    def test_people_confirm_a_code(self) -> None:
        """Each confirmation makes up for a contradiction, before or after it."""
        seen = model()
        shown = votes(seen, {}, "B")
        for label in "BAABA":
            seen.learn(shown, "message", label)
        assert seen.trusts("E1", 0.9)

    def test_a_verifier_does_not_turn_a_code(self) -> None:
        """A verifier moves accuracies, but only people speak against the table."""
        seen = model()
        for _ in range(5):
            seen.learn(votes(seen, {}, "B"), "message", "A", verifier=True)
        assert seen.trusts("E1", 0.9)

    def test_speakers_are_named(self) -> None:
        """The functions that voted for a label are known by name."""
        seen = model()
        assert seen.speakers(votes(seen, {"f0": "A", "f2": "B", "f3": "A"}), "A") == ["f0", "f3"]


class TestState:
    @given(streams, streams, said)
    def test_goes_on_where_it_was(
        self,
        first: list[tuple[dict[str, str], str | None]],
        then: list[tuple[dict[str, str], str | None]],
        one: dict[str, str],
    ) -> None:
        """Dumped as JSON and loaded, the model goes on to the same bytes, and shares nothing with the dumped one."""
        part, loaded, whole = taught(first), model(), taught([*first, *then])
        part.learn(votes(part, one, "A"), "a message", "B")
        dumped = orjson.dumps(part.dump())
        loaded.load(orjson.loads(dumped))
        assert orjson.dumps(loaded.dump()) == dumped
        whole = taught(first)
        whole.learn(votes(whole, one, "A"), "a message", "B")
        for said, table in then:
            for seen in (loaded, whole):
                seen.observe(votes(seen, said, table))
        assert orjson.dumps(loaded.dump()) == orjson.dumps(whole.dump())
        assert loaded.judge(votes(loaded, one)) == whole.judge(votes(whole, one))
        assert orjson.dumps(part.dump()) == dumped

    def test_functions_are_kept_by_name(self) -> None:
        """A model with other functions in another order takes what it has a name for."""
        seen = taught([({"f0": "A", "f2": "A", "f3": "B"}, None)] * 30)
        later = model([LabellingFunction("new", "new", LABELS, 0.5, ""), *reversed(FUNCTIONS[:4])])
        later.load(seen.dump())
        assert later.agreement.accuracies() == {name: seen.agreement.accuracies()[name] for name in ("f2", "f0")}

    def test_judging_changes_nothing(self) -> None:
        """To ask for a label is not to learn."""
        seen = taught([({"f0": "A", "f2": "A"}, "B")] * 20)
        before = orjson.dumps(seen.dump())
        seen.judge(votes(seen, {"f0": "A"}, "B"))
        seen.probabilities(votes(seen, {"f0": "A"}))
        assert orjson.dumps(seen.dump()) == before

    def test_a_soft_label_follows_what_is_learned(self) -> None:
        """A label that was asked for before is judged anew after feedback and after an update."""
        seen = model()
        shown = votes(seen, {"f0": "A"})
        first = judged(seen, shown).confidence
        seen.learn(shown, "message", "A")
        second = judged(seen, shown).confidence
        for _ in range(8):
            seen.observe(votes(seen, {"f0": "A", "f2": "A"}))
        assert first < second < judged(seen, shown).confidence

    def test_what_waits_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Votes that are never alike, of codes that are never alike, do not pile up."""
        monkeypatch.setattr(label_model, "MAX_PATTERNS", 10)
        monkeypatch.setattr(codes, "MAX_CODES", 5)
        seen = model(batch=1_000)
        for number in range(200):
            shown = votes(seen, {"f0": "A"}, "B", code=f"E{number}")
            seen.observe(shown)
            seen.learn(shown, f"message <name> {number}", "A")
        dumped = seen.dump()
        assert len(dumped["pending"]) < 10
        assert [code for code, *_ in dumped["codes"]] == [f"E{number}" for number in range(195, 200)]

    def test_a_sample_of_builds_teaches(self) -> None:
        """Once updates are rare one build of ``every`` is counted, the same ones whenever the model was saved."""
        whole, saved = model(batch=2, every=4), model(batch=2, every=4)
        build = [votes(whole, {"f0": "A", "f2": "A"})] * 2
        for number in range(100):
            whole.observe_build(build)
            saved.observe_build(build)
            if number % 7 == 0:
                dumped = saved.dump()
                saved = model(batch=2, every=4)
                saved.load(dumped)
        assert saved.dump() == whole.dump()
        every_one = model(batch=2, every=1)
        for _ in range(100):
            every_one.observe_build(build)
        counted, all_votes = (of.dump()["agreement"]["tallies"]["f0"]["A"][1] for of in (whole, every_one))
        assert 0.25 * all_votes <= counted < 0.6 * all_votes

    def test_coverage_is_the_share_voted_on(self) -> None:
        """Of each function the share of diagnostics that it voted on is known, and follows the stream."""
        seen = model()
        for number in range(400):
            seen.observe(votes(seen, {"f0": "A"} if number % 4 == 0 else {"f2": "B"}))
        assert seen.coverage.shares() == {"f0": pytest.approx(0.25, abs=0.01), "f2": pytest.approx(0.75, abs=0.01)}
        loaded = model()
        loaded.load(seen.dump())
        assert loaded.coverage.shares() == seen.coverage.shares()

    def test_coverage_forgets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A function that fell silent loses its coverage."""
        monkeypatch.setattr(coverage, "HORIZON", 100)
        seen = model()
        for number in range(1_000):
            seen.observe(votes(seen, {"f0": "A"} if number < 200 else {"f2": "B"}))
        assert seen.coverage.shares()["f0"] < 0.05

    @pytest.mark.parametrize(
        "wrong", [{"batch": 0}, {"every": 0}, {"temper": 1.1}, {"least": -0.1}, {"horizon": 0}, {"person": 0}]
    )
    def test_settings_that_mean_nothing_are_refused(self, wrong: dict[str, Any]) -> None:
        """Settings outside their range are refused when they are made."""
        with pytest.raises(ValueError, match="Settings"):
            Settings(**wrong)
