"""Novelty: what is new, what is known and since when; bounded, and restored exactly."""

from __future__ import annotations

import random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.masking import mask
from models.novelty import WINDOW, Sighting, Templates
from models.template_tree import MAX_LEAF

MONDAY, TUESDAY, FRIDAY = "2026-01-05T08:00:00Z", "2026-01-06T08:00:00Z", "2026-01-09T08:00:00Z"
MISSING = "cannot find value <name> in this scope"
texts = st.lists(st.sampled_from(["a b c", "d", "<int>", "e f", "<name> g"]), min_size=1, max_size=5).map(" ".join)
builds = st.lists(st.lists(texts, min_size=1, max_size=6), max_size=25)


def fed(templates: Templates, *messages: str) -> Templates:
    """Return ``templates`` after builds of one message each."""
    for message in messages:
        templates.observe(message, MONDAY)
    return templates


def replayed(templates: Templates, builds: list[list[str]]) -> list[list[Sighting]]:
    """Return what was known of each build before it."""
    return [templates.observe_build(build, MONDAY) for build in builds]


class TestSightings:
    def test_new_then_known_since_its_first_time(self) -> None:
        """The first build of a kind is new; later ones know how many there were, and when the first one was."""
        templates = Templates()
        seen = [templates.observe(MISSING, time) for time in (MONDAY, TUESDAY, FRIDAY)]
        assert [(one.seen, one.first) for one in seen] == [(0, MONDAY), (1, MONDAY), (2, MONDAY)]
        assert {one.template_id for one in seen} == {seen[0].template_id}

    def test_in_words(self) -> None:
        """What is printed of a sighting says whether it is new, how often it was seen, and since when."""
        said = [str(Sighting("id", seen, MONDAY, MISSING)) for seen in (0, 1, 412)]
        assert said == [
            "new: no build before had a failure like this",
            "known: seen in 1 build before, first on 2026-01-05",
            "known: seen in 412 builds before, first on 2026-01-05",
        ]

    def test_a_cascade_is_one_sighting(self) -> None:
        """Forty errors of one kind in one build count once, and none of them is known from the others."""
        templates = Templates()
        assert {one.seen for one in templates.observe_build([MISSING] * 40, MONDAY)} == {0}
        assert templates.observe(MISSING, TUESDAY).seen == 1

    def test_messages_that_differ_in_a_name_are_one_kind(self) -> None:
        """Whatever the programs call their things, the failure is known."""
        templates = Templates()
        first = templates.observe(mask("no field `total` on type `Invoice`"), MONDAY)
        then = templates.observe(mask("no field `x` on type `&Vec<u8>`"), TUESDAY)
        assert (then.template_id, then.seen) == (first.template_id, 1)
        assert then.template == "no field <name> on type <*>"

    def test_the_id_stays_when_the_template_changes(self) -> None:
        """The id is that of the first message, also after a template has become more general."""
        templates = Templates()
        ids = [
            templates.observe(f"cannot add <{shape}> to <int>", MONDAY).template_id for shape in ("int", "T", "&str")
        ]
        assert len(set(ids)) == 1

    def test_answers_stand_in_the_order_of_the_messages(self) -> None:
        """Each message of a build gets its own answer, in its place."""
        templates = fed(Templates(), "mismatched types")
        seen = templates.observe_build([MISSING, "mismatched types", MISSING], TUESDAY)
        assert [one.seen for one in seen] == [0, 1, 0]
        assert [one.template for one in seen] == [MISSING, "mismatched types", MISSING]

    def test_a_build_without_messages_is_no_new_failure(self) -> None:
        """Nothing in, nothing out, and nothing new."""
        templates = Templates()
        assert templates.observe_build([], MONDAY) == []
        assert templates.new_share == 0.0

    @given(builds)
    def test_nothing_is_new_twice(self, builds: list[list[str]]) -> None:
        """As long as there is room, a text that was seen is known, with as many builds as had it, or more."""
        templates, met = Templates(), dict[str, int]()
        for build in builds:
            for text, one in zip(build, templates.observe_build(build, MONDAY), strict=True):
                assert one.seen >= met.get(text, 0)
            for text in set(build):
                met[text] = met.get(text, 0) + 1

    @given(builds)
    def test_the_cache_of_texts_changes_no_answer(self, builds: list[list[str]]) -> None:
        """With an empty cache before every build the answers are the same."""
        cached, forgetful = Templates(), Templates()
        for build in builds:
            forgetful._known.clear()
            assert cached.observe_build(build, MONDAY) == forgetful.observe_build(build, MONDAY)


class TestShareOfNew:
    def test_by_hand(self) -> None:
        """Two of four builds had a message never seen before."""
        assert fed(Templates(), "a", "a", "b", "a").new_share == 0.5

    def test_one_new_message_makes_a_build_new(self) -> None:
        """A build counts as new when any of its messages is."""
        templates = fed(Templates(), "a")
        templates.observe_build(["a", "b"], MONDAY)
        assert templates.new_share == 1.0

    def test_old_builds_leave_the_window(self) -> None:
        """After as many known builds as the window holds nothing is new any more."""
        templates = fed(Templates(), "a", *["a"] * (WINDOW - 1))
        assert templates.new_share == 1 / WINDOW
        assert fed(templates, "a").new_share == 0.0

    def test_of_nothing(self) -> None:
        """Before the first build nothing is new."""
        assert Templates().new_share == 0.0


class TestBounds:
    def test_the_longest_unseen_goes_first(self) -> None:
        """At capacity a new template takes the place of the one that was not seen for the longest time."""
        templates = fed(Templates(capacity=2), "a", "b", "a", "c")
        assert [templates.observe(text, TUESDAY).seen for text in ("a", "c", "b")] == [2, 1, 0]
        assert len(templates) == 2

    def test_a_leaf_has_a_bound_of_its_own(self) -> None:
        """Messages made to be compared with each other push out each other, and nothing else."""
        templates = fed(Templates(), "mismatched types")
        for number in range(3 * MAX_LEAF):
            fed(templates, "a b c " + " ".join(f"w{number}x{place}" for place in range(5)))
        assert len(templates) == MAX_LEAF + 1
        assert templates.observe("mismatched types", TUESDAY).seen == 1

    def test_of_a_leaf_the_longest_unseen_goes_first(self) -> None:
        """In a full leaf, too, what was seen lately stays."""
        kinds = [f"a b c w{number} x{number}" for number in range(MAX_LEAF + 1)]
        templates = fed(Templates(), *kinds[:-1], kinds[0], kinds[-1])
        assert templates.observe(kinds[0], TUESDAY).seen == 2
        assert templates.observe(kinds[1], TUESDAY).seen == 0

    def test_a_build_of_more_new_kinds_than_there_is_room_for(self) -> None:
        """A single build that fills a leaf, or everything, several times is answered, and then bounded."""
        one_leaf = [f"a b c w{number} x{number}" for number in range(100)]
        anything = [f"w{number} b c" for number in range(100)]
        for build in (one_leaf, anything):
            templates = Templates(capacity=10)
            assert [one.seen for one in templates.observe_build(build, MONDAY)] == [0] * 100
            assert len(templates) == 10
            assert templates.observe(build[-1], TUESDAY).seen == 1

    def test_texts_of_any_size_and_kind(self) -> None:
        """Empty, endless, or made of half characters: a text is answered, and a checkpoint stays text."""
        templates = fed(Templates(), "", "x" * 100_000, "y " * 50_000, "\x00 \x1b[31m", "<*> <*>")
        assert len(templates) == 5
        assert len(orjson.dumps(templates.dump())) < 2_000

    def test_made_ids_do_not_break_the_line(self) -> None:
        """A checkpoint may say that a text's id belongs to another template: the text then counts with that one."""
        name = Templates().observe("mismatched types", MONDAY).template_id
        templates = Templates()
        templates.extend({"templates": [[name, "d e", 7, MONDAY]] * 2, "created": 1, "window": ""})
        seen = templates.observe_build(["d e", "mismatched types"], TUESDAY)
        assert [(one.seen, one.template) for one in seen] == [(7, "d e")] * 2


class TestSaved:
    @given(builds, builds, builds)
    def test_goes_on_where_it_was(self, first: list[list[str]], second: list[list[str]], then: list[list[str]]) -> None:
        """A base and a delta, loaded from JSON, answer and save from there on as if nothing had happened."""
        whole, loaded = Templates(capacity=4), Templates(capacity=4)
        replayed(whole, first)
        loaded.extend(orjson.loads(orjson.dumps(whole.dump())))
        whole.mark_saved()
        replayed(whole, second)
        loaded.extend(orjson.loads(orjson.dumps(whole.dump_changed())))
        whole.mark_saved()
        assert loaded.dump() == whole.dump()
        assert replayed(loaded, then) == replayed(whole, then)
        assert (loaded.dump(), loaded.dump_changed()) == (whole.dump(), whole.dump_changed())

    @pytest.mark.parametrize("seed", range(6))
    def test_what_is_dropped_follows_from_what_was_seen(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """With leaves and all of it overflowing in any order between checkpoints, a delta still leads to the same."""
        monkeypatch.setattr("models.novelty.MAX_LEAF", 3)
        source = random.Random(seed)  # noqa: S311 - a stream, not a secret
        whole, loaded = Templates(capacity=8), Templates(capacity=8)
        for _ in range(40):
            for _ in range(source.randrange(12)):
                numbers = [source.randrange(9) for _ in range(source.randint(1, 6))]
                starts = [source.choice(["a b c w", "d e f w", "g h i w", "v"]) for _ in numbers]
                texts = [f"{start}{number} x{number}" for start, number in zip(starts, numbers, strict=True)]
                whole.observe_build(texts, MONDAY)
            loaded.extend(whole.dump_changed())
            whole.mark_saved()
            assert loaded.dump() == whole.dump()
        assert len(whole) == 8

    def test_a_delta_carries_only_what_changed(self) -> None:
        """After a checkpoint only templates seen since then are carried."""
        templates = fed(Templates(capacity=2), "a", "b")
        templates.mark_saved()
        assert templates.dump_changed()["templates"] == []
        fed(templates, "c")
        assert [text for _, text, *_ in templates.dump_changed()["templates"]] == ["c"]

    def test_what_came_and_went_between_checkpoints_is_not_carried(self) -> None:
        """However many templates a hostile stream makes between two checkpoints, a delta stays bounded."""
        templates = fed(Templates(capacity=3), "a", "b", "c")
        templates.mark_saved()
        fed(templates, *[f"w{number}" for number in range(200)])
        assert len(templates.dump_changed()["templates"]) == 3

    def test_more_than_there_is_room_for(self) -> None:
        """A snapshot of a larger memory is taken in as far as there is room, the newest kept."""
        small = Templates(capacity=2)
        small.extend(fed(Templates(), "a", "b", "c").dump())
        assert [text for _, text, *_ in small.dump()["templates"]] == ["b", "c"]

    @pytest.mark.parametrize("count", [0, 1, 499, 500, 700])
    def test_the_window_comes_back(self, count: int) -> None:
        """The share of new builds is the same after a restore, and goes on the same."""
        templates, loaded = fed(Templates(), *["a"] * count), Templates()
        loaded.extend(templates.dump())
        assert loaded.new_share == templates.new_share
        assert fed(loaded, "b").new_share == fed(templates, "b").new_share

    def test_templates_ever_are_counted(self) -> None:
        """The counter of templates goes on after a restore, also for those that were dropped."""
        loaded = Templates(capacity=1)
        loaded.extend(fed(Templates(capacity=1), "a", "b", "a").dump())
        assert fed(loaded, "c").created == 4
