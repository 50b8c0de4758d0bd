"""The taxonomy: its labels, its tables, and what it says about real codes, lints and messages."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.tables import TableError, parse_table
from models.taxonomy import (
    CATEGORIES,
    LABELS,
    MAIN_LABELS,
    MAX_MESSAGE_CHARS,
    PARENTS,
    PHASES,
    UNKNOWN,
    category_of,
    code_rules,
    lint_rules,
    message_rules,
    parse_label,
    rule_for,
    subcategory_of,
)
from models.taxonomy_docs import MEANINGS, render

ROOT = Path(__file__).parents[2]

FIXED = {
    "E0308": ("TypeErrors", 0.95, 1.0),
    "E0277": ("TraitBounds", 0.95, 1.5),
    "E0502": ("OwnershipBorrow", 0.95, 1.5),
    "E0503": ("OwnershipBorrow", 0.95, 1.5),
    "E0505": ("OwnershipBorrow", 0.95, 1.5),
    "E0106": ("LifetimeErrors", 0.90, 2.0),
    "E0621": ("LifetimeErrors", 0.90, 2.0),
    "E0433": ("ImportErrors", 0.90, 1.0),
    "E0432": ("ImportErrors", 0.90, 1.0),
    "E0599": ("MethodNotFound", 0.85, 1.2),
    "E0425": ("UndefinedVariable", 0.85, 1.0),
}

CONVENTION = {
    "OwnershipBorrow": ("E0382", "E0499", "E0506", "E0507", "E0597", "E0716"),
    "LifetimeErrors": ("E0261", "E0310", "E0373"),
    "TypeAnnotationGaps": ("E0412",),
    "OperatorPrecedence": ("E0614",),
    "ConfigurationErrors": ("E0658",),
}


def tool(name: str) -> str:
    """Return the path of a tool of the Rust toolchain, or skip and say how to get it."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: install Rust from https://rustup.rs, then `rustup component add clippy`")
    return path


def output(*command: str) -> str:
    """Return what a command prints on stdout, or nothing when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout if done.returncode == 0 else ""


def lint_names(help_text: str) -> set[str]:
    """Return the lints that a ``-W help`` lists, as they stand in diagnostics."""
    names = re.findall(r"^ +([a-z0-9:-]+) +(?:allow|warn|deny|forbid)  ", help_text, re.MULTILINE)
    return {name.replace("-", "_") for name in names}


def rows(*lines: str) -> Iterable[object]:
    """Return the rows of a small table with the columns key and value."""
    return list(parse_table("some.tsv", lines, ("key", "value")))


class TestLabels:
    def test_categories_and_finer_names(self) -> None:
        """There are 18 categories and five finer names, and no name stands twice."""
        assert len(CATEGORIES) == 18
        assert (*CATEGORIES, *PARENTS) == LABELS
        assert len(set(LABELS)) == 23
        assert UNKNOWN not in LABELS
        assert set(MAIN_LABELS) < set(LABELS)

    def test_places_are_kept(self) -> None:
        """Saved models refer to labels by place: the first 23 stay where they are."""
        assert LABELS.index("ASTTransform") == 0
        assert LABELS.index("LogicErrors") == 17
        assert LABELS[18:23] == (
            "LifetimeErrors",
            "ImportErrors",
            "UndefinedVariable",
            "MethodNotFound",
            "StyleViolations",
        )

    def test_both_views(self) -> None:
        """Every label has one of the 18 as its category; only the finer names are subcategories."""
        assert {category_of(label) for label in LABELS} == set(CATEGORIES)
        assert {label for label in LABELS if subcategory_of(label)} == set(PARENTS)
        assert category_of("MethodNotFound") == "ASTTransform"
        assert category_of(UNKNOWN) == UNKNOWN

    @pytest.mark.parametrize("label", LABELS)
    def test_parse_any_case(self, label: str) -> None:
        """A label is recognised in any case and with space around it."""
        assert parse_label(f" {label.upper()}\n") == label

    def test_parse_names_the_nearest(self) -> None:
        """A misspelt label is answered with the nearest one and with all that are allowed."""
        with pytest.raises(ValueError, match="did you mean TypeErrors") as refusal:
            parse_label("typerror")
        assert all(label in str(refusal.value) for label in LABELS)

    @given(st.text())
    def test_parse_returns_a_label_or_says_why(self, text: str) -> None:
        """Any text is either a label or a ``ValueError`` of readable length."""
        if text.strip().lower() in {label.lower() for label in LABELS}:
            assert parse_label(text) in LABELS
            return
        with pytest.raises(ValueError, match="is not a category") as refusal:
            parse_label(text)
        assert len(str(refusal.value)) < 1_500


class TestCodes:
    @pytest.mark.parametrize("code", FIXED)
    def test_fixed_rows(self, code: str) -> None:
        """The rows that the product's contract fixes are exactly as it says."""
        rule = code_rules()[code]
        assert (rule.label, rule.confidence, rule.weight) == FIXED[code]

    @pytest.mark.parametrize("label", CONVENTION)
    def test_rows_shared_with_other_corpora(self, label: str) -> None:
        """Codes that other corpora label already have the same label here."""
        assert {code_rules()[code].label for code in CONVENTION[label]} == {label}

    def test_every_explained_code_is_known(self) -> None:
        """Every code that ``rustc --explain`` explains has a row."""
        rustc = tool("rustc")
        unlisted = [code for code in (f"E{number:04}" for number in range(1, 1_000)) if code not in code_rules()]
        with ThreadPoolExecutor(4) as pool:
            explained = pool.map(lambda code: bool(output(rustc, "--explain", code)), unlisted)
        assert [code for code, is_known in zip(unlisted, explained, strict=True) if is_known] == []
        assert output(rustc, "--explain", "E0308")

    def test_the_message_does_not_matter(self) -> None:
        """A known code decides alone."""
        assert rule_for("E0308", "cannot find macro `x` in this scope") is code_rules()["E0308"]

    def test_an_unknown_code_falls_through(self) -> None:
        """A code that no table knows leaves the answer to the message."""
        assert rule_for("E9999", "nothing is known of this") is None
        by_message = rule_for("E9999", "cannot find macro `x` in this scope")
        assert by_message is not None
        assert by_message.label == "ImportErrors"


class TestLints:
    def test_every_rustc_lint_is_known(self) -> None:
        """Every lint that rustc lists has a row."""
        lints = lint_names(output(tool("rustc"), "-W", "help"))
        assert len(lints) > 200
        assert sorted(lint for lint in lints if lint not in lint_rules()) == []

    def test_every_clippy_lint_is_known(self) -> None:
        """Every lint that clippy lists has a row, and is found with and without its prefix."""
        lints = {name for name in lint_names(output(tool("clippy-driver"), "-W", "help")) if "::" in name}
        assert len(lints) > 700
        assert sorted(lint for lint in lints if lint not in lint_rules()) == []
        assert all(rule_for(lint.removeprefix("clippy::"), "") for lint in lints)

    @pytest.mark.parametrize(
        ("name", "label"),
        [
            ("clippy::needless_return", "StyleViolations"),
            ("clippy::result_large_err", "PerformanceIssues"),
            ("clippy::min_max", "LogicErrors"),
            ("clippy::float_equality_without_abs", "LogicErrors"),
            ("clippy::multiple_crate_versions", "ConfigurationErrors"),
            ("clippy::unwrap_used", "ApiMisuse"),
            ("clippy::todo", "LogicErrors"),
            ("clippy::cognitive_complexity", "PerformanceIssues"),
            ("clippy::needless_collect", "IteratorChain"),
            ("clippy::manual_map", "ComprehensionBugs"),
            ("clippy::await_holding_lock", "ConcurrencyBugs"),
            ("clippy::mem_forget", "ResourceLeaks"),
            ("clippy::too_many_arguments", "ASTTransform"),
            ("await-holding-lock", "ConcurrencyBugs"),
            ("unused_variables", "StyleViolations"),
            ("text_direction_codepoint_in_literal", "SecurityVulnerabilities"),
        ],
    )
    def test_group_or_own_row(self, name: str, label: str) -> None:
        """A lint has its group's label unless a row of its own says otherwise."""
        rule = rule_for(name, "")
        assert rule is not None
        assert (rule.label, rule.phase) == (label, "lint")

    def test_style_as_fixed(self) -> None:
        """Clippy's style, and a clippy lint newer than the table, get what the contract fixes for clippy."""
        for name in ("clippy::style", "clippy::needless_return", "clippy::a_lint_of_tomorrow"):
            rule = rule_for(name, "")
            assert rule is not None
            assert (rule.label, rule.confidence, rule.weight) == ("StyleViolations", 0.75, 0.5)


class TestMessages:
    @pytest.mark.parametrize(
        ("message", "label", "phase"),
        [
            ("expected one of `!`, `.`, `::`, `;`, or an operator, found `}`", "ASTTransform", "parse"),
            ("expected identifier, found keyword `type`", "ASTTransform", "parse"),
            ("this file contains an unclosed delimiter", "ASTTransform", "parse"),
            ("mismatched closing delimiter: `)`", "ASTTransform", "parse"),
            ("no rules expected `;`", "ASTTransform", "expand"),
            ("cannot find macro `json` in this scope", "ImportErrors", "resolve"),
            ("cannot find attribute `serde` in this scope", "ImportErrors", "resolve"),
            ("cannot find derive macro `Parser` in this scope", "ImportErrors", "resolve"),
            ("lifetime may not live long enough", "LifetimeErrors", "borrowck"),
            ("1 positional argument in format string, but no arguments were given", "ApiMisuse", "typeck"),
            ("argument never used", "ApiMisuse", "typeck"),
            ("format argument must be a string literal", "ApiMisuse", "typeck"),
            ("future cannot be sent between threads safely", "ConcurrencyBugs", "typeck"),
            ("comparison operators cannot be chained", "OperatorPrecedence", "parse"),
            ("linking with `cc` failed: exit status: 1", "IntegrationFailures", "link"),
            ("failed to run custom build command for `ring v0.17.8`", "IntegrationFailures", "resolve"),
            ("proc macro panicked", "IntegrationFailures", "expand"),
            ("proc-macro derive panicked", "IntegrationFailures", "expand"),
            ("recursion limit reached while expanding `again!`", "PerformanceIssues", "expand"),
            ("unconstrained opaque type", "TypeAnnotationGaps", "typeck"),
            ("type `Secret` is private", "ApiMisuse", "typeck"),
            ("requires `sized` lang_item", "ConfigurationErrors", "resolve"),
        ],
    )
    def test_first_match(self, message: str, label: str, phase: str) -> None:
        """A message without a code is known by its wording."""
        rule = rule_for(None, message)
        assert rule is not None
        assert (rule.label, rule.phase) == (label, phase)

    @pytest.mark.parametrize(
        "message",
        [
            "",
            "aborting due to 2 previous errors; 1 warning emitted",
            'could not compile `demo` (bin "demo") due to 2 previous errors',
            "For more information about an error, try `rustc --explain E0308`.",
            "please set FOO before building",
        ],
    )
    def test_what_is_no_defect_is_unknown(self, message: str) -> None:
        """Summaries, and texts that somebody made up, are not forced into a category."""
        assert rule_for(None, message) is None

    @given(st.none() | st.text(), st.text())
    def test_any_text_is_answered(self, code: str | None, message: str) -> None:
        """Whatever the text, the answer is a rule with a label, or Unknown."""
        rule = rule_for(code, message)
        assert rule is None or rule.label in LABELS

    @given(
        st.sampled_from(["expected `", "`", "cannot find ", "functions `", "a" * 90, " ", "\n", "values of the type `"])
    )
    def test_hostile_messages_are_fast(self, piece: str) -> None:
        """A megabyte made to mislead the patterns costs less than a tenth of a second."""
        message_rules()  # read and compiled once, not part of a message's cost
        message = piece * (1_000_000 // len(piece))
        started = time.process_time()
        rule_for(None, message)
        assert time.process_time() - started < 0.1

    def test_only_the_beginning_is_read(self) -> None:
        """What stands behind the bound changes nothing."""
        assert rule_for(None, "x" * MAX_MESSAGE_CHARS + " undefined reference") is None


class TestTables:
    def test_every_category_is_reachable(self) -> None:
        """Each of the 23 labels is the answer to some code, lint or message."""
        tables = [*code_rules().values(), *lint_rules().values(), *(rule for _, rule in message_rules())]
        assert {rule.label for rule in tables} == set(LABELS)

    def test_rows_are_sound(self) -> None:
        """Every row has a phase of the compiler and a reason of one line that fits a prediction."""
        tables = [*code_rules().values(), *lint_rules().values(), *(rule for _, rule in message_rules())]
        assert all(rule.phase in PHASES and 0 < rule.confidence <= 1 and rule.weight > 0 for rule in tables)
        assert all(10 < len(rule.reason) <= 200 for rule in tables)

    @pytest.mark.parametrize(
        ("lines", "complaint"),
        [
            ((), "line 1: must name the columns key, value"),
            (("a\tb",), "line 1: must name the columns key, value"),
            (("key\tvalue", "# a comment", "a"), "line 3: 1 cells; a row has 2"),
            (("key\tvalue", "a\tb", "", "a\tc"), "line 4: 'a' stands in line 2 already"),
            (("key\tvalue", "\tb"), "line 2: key is ''; it must be not empty"),
        ],
    )
    def test_a_broken_table_is_blamed_by_line(self, lines: tuple[str, ...], complaint: str) -> None:
        """A table that breaks the form is refused with its file and line."""
        with pytest.raises(TableError, match=re.escape(f"some.tsv, {complaint}")):
            rows(*lines)

    def test_a_wrong_cell_is_blamed_by_column(self) -> None:
        """A cell that breaks its rule is refused with file, line, column, and what is allowed."""
        (row,) = parse_table("some.tsv", ("key\tvalue", "(\tNoLabel"), ("key", "value"))
        with pytest.raises(TableError, match=r"some\.tsv, line 2: value is 'NoLabel'; it must be one of AST"):
            row.one_of("value", LABELS)
        with pytest.raises(TableError, match="a number above 0 and at most 1"):
            row.number("value", most=1.0)
        with pytest.raises(TableError, match="a regular expression"):
            row.pattern("key")


class TestPage:
    def test_every_label_has_a_meaning(self) -> None:
        """The page says of every label what it means."""
        assert set(MEANINGS) == set(LABELS)

    def test_is_not_stale(self) -> None:
        """``docs/taxonomy.md`` shows the tables as they are; ``python -m models.taxonomy_docs`` writes it anew."""
        assert (ROOT / "docs" / "taxonomy.md").read_text(encoding="utf-8") == render()
