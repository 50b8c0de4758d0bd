"""What a fix was about, the published mixes of categories, and what to mend first."""

from __future__ import annotations

import pytest

from models.commits.priorities import against, priorities, trends, weights
from models.commits.profiles import PROFILES, ProfileError, profile
from models.commits.rules import CategoryHybrid, by_rules, commit_type, is_fix, masked_words
from models.taxonomy import CATEGORIES, UNKNOWN


class TestRules:
    @pytest.mark.parametrize(
        ("message", "category"),
        [
            ("fix: borrow checker error in loop", "OwnershipBorrow"),
            ("fix operator precedence of **", "OperatorPrecedence"),
            ("Fix deadlock in worker", "ConcurrencyBugs"),
            ("fix: buffer overflow and use-after-free", "MemorySafety"),
            ("fix dict comprehension", "ComprehensionBugs"),
        ],
    )
    def test_categories(self, message: str, category: str) -> None:
        """Whole words of a message give the category."""
        assert by_rules(message).category == category

    @pytest.mark.parametrize("message", ["make it fast", "remove the file", "fix the broadcast", "last"])
    def test_words_are_whole(self, message: str) -> None:
        """A key word inside a longer word is none: "ast" in "fast", "move" in "remove"."""
        assert by_rules(message).category == UNKNOWN

    @pytest.mark.parametrize(
        ("subject", "fix"),
        [
            ("fix: a thing", True),
            ("[P-12] Fix crash", True),
            ("docs: fix typo", False),
            ("feat: prefix sums", False),
            ("resolve E0308 in codegen", True),
        ],
    )
    def test_fixes(self, subject: str, fix: bool) -> None:
        """A commit is a fix where its first line says so, but not one to documents or tests."""
        assert is_fix(subject) is fix

    def test_commit_type(self) -> None:
        """The type of a conventional commit is read, with scope and breaking mark."""
        assert [commit_type(text) for text in ("feat(x)!: y", "Fix: z", "no type")] == ["feat", "fix", ""]


class TestHybrid:
    def test_rule_before_model_before_nothing(self) -> None:
        """The rule answers where it is sure, the model where it learned enough, and else nobody."""
        hybrid = CategoryHybrid()
        assert hybrid.predict("fix widget rendering").source == "none"
        for _ in range(30):
            hybrid.learn("fix borrow of widget rendering canvas", "OwnershipBorrow")
            hybrid.learn("fix stdlib string padding method", "StdlibMapping")
        assert hybrid.predict("fix lifetime").source == "rule"
        answer = hybrid.predict("fix widget rendering canvas")
        assert (answer.category, answer.source) == ("OwnershipBorrow", "model")

    def test_rule_words_are_masked(self) -> None:
        """The model never sees the words by which the rules decide."""
        assert masked_words("fix borrow of widget") == {"fix": 1, "widget": 1}


class TestProfiles:
    def test_published_totals(self) -> None:
        """The published counts are those of 1,296 commits."""
        totals = {name: profile(name).total for name in PROFILES if name.endswith("published")}
        assert totals == {
            "depyler-published": 489,
            "bashrs-published": 327,
            "ruchy-published": 342,
            "decy-published": 138,
        }

    def test_shares(self) -> None:
        """Shares sum to one, none of them 0."""
        for name in PROFILES:
            shares = profile(name).shares
            assert sum(shares.values()) == pytest.approx(1.0)
            assert set(shares) == set(CATEGORIES)
            assert min(shares.values()) > 0

    def test_divergence(self) -> None:
        """A mix does not diverge from itself, and finer labels count with their parents."""
        own = profile("depyler-words")
        assert own.divergence(own.counts) == pytest.approx(0.0)
        assert own.divergence({"LifetimeErrors": 100}) > 1.0

    def test_prior(self) -> None:
        """What is seen moves the shares away from the prior, the more the more is seen."""
        start = profile("decy-published")
        few, many = (start.updated({"TypeErrors": n})["TypeErrors"] for n in (10, 1_000))
        assert start.shares["TypeErrors"] < few < many
        assert sum(start.updated({"TypeErrors": 10}).values()) == pytest.approx(1.0)

    def test_unknown_name(self) -> None:
        """A profile that there is not is refused with the names of those that there are."""
        with pytest.raises(ProfileError, match="bashrs-words"):
            profile("depyler")


class TestPriorities:
    def test_order(self) -> None:
        """Of two equally frequent categories the graver, rising and easier one comes first."""
        rows = priorities({"OperatorPrecedence": 10, "OwnershipBorrow": 10}, {"OperatorPrecedence": 2.0})
        assert [row.category for row in rows] == ["OperatorPrecedence", "OwnershipBorrow"]
        assert rows[0].level == "P0"
        assert rows[0].score == pytest.approx(0.5 * 2.0 * 2.0 * 0.8)

    def test_every_category_is_judged(self) -> None:
        """Severity and ease are there for all 18 categories."""
        assert set(weights()) == set(CATEGORIES)

    def test_trend(self) -> None:
        """A rising category has a trend above 1, one that few were counted of stays near it."""
        rising = trends({"TypeErrors": 10, "TraitBounds": 90}, {"TypeErrors": 50, "TraitBounds": 50})
        assert rising["TypeErrors"] > 2
        assert rising["TraitBounds"] < 1
        assert trends({}, {"TypeErrors": 3})["TypeErrors"] == 1.0
        assert trends({"TraitBounds": 2}, {"TypeErrors": 1, "TraitBounds": 1})["TypeErrors"] < 2

    def test_against_a_profile(self) -> None:
        """Where there is no earlier time a profile gives the trend."""
        assert against(profile("decy-published"), {"TypeErrors": 50})["TypeErrors"] == 4.0

    def test_nothing(self) -> None:
        """Of nothing there is nothing to mend."""
        assert priorities({"Unknown": 5}) == []
