"""The labelling functions: what they vote for, when they abstain, and what they never look at."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import labelling
from models.diagnostics import Diagnostic, Note, Suggestion
from models.labelling import functions, is_verifier, votes_of_build
from models.labels.functions import SOURCES, lint_groups, phrases
from models.labels.model import LabelModel, Votes
from models.masking import mask
from models.taxonomy import LABELS, rule_for
from tests.builders import diagnostic, span


def fresh() -> LabelModel:
    """Return a label model of all functions that nobody told anything."""
    return LabelModel(functions())


def code(line: str) -> Diagnostic:
    """Return a diagnostic that says nothing and marks the code between guillemets."""
    return diagnostic("", spans=(span(line),))


def named(model: LabelModel, votes: Votes) -> list[tuple[str, str]]:
    """Return function and label of every vote."""
    return [(model.agreement.name(slot), LABELS[slot % len(LABELS)]) for slot in votes.slots]


def of_build(*diagnostics: Diagnostic, model: LabelModel | None = None) -> list[list[tuple[str, str]]]:
    """Return the votes on a build, the code table asked."""
    model = model or fresh()
    rules = [rule_for(one.code, one.message) for one in diagnostics]
    return [named(model, votes) for votes in votes_of_build(model, diagnostics, rules)]


def of_text(message: str, code: str | None = None) -> list[tuple[str, str]]:
    """Return the votes on a message."""
    return of_build(diagnostic(message, code=code))[0]


class TestFunctions:
    def test_there_are_many_and_each_says_what_it_relies_on(self) -> None:
        """At least 20 functions, each with a name of its own, known labels, a source, a prior, and a line about it."""
        known = functions()
        assert len(known) >= 20
        assert len({one.name for one in known}) == len(known)
        assert {one.reads for one in known} <= set(SOURCES)
        for one in known:
            assert one.relies_on, one.name
            assert set(one.labels) <= set(LABELS), one.name
            assert 0.0 < one.prior < 1.0, one.name

    def test_every_label_has_a_function_beside_the_tables(self) -> None:
        """Each label has a function of one label that votes for it."""
        assert {label for one in functions() if len(one.labels) == 1 for label in one.labels} == set(LABELS)

    def test_silence_is_abstained_on(self) -> None:
        """A diagnostic that says nothing has no votes, and no label."""
        model = fresh()
        (votes,) = votes_of_build(model, [diagnostic("")], [None])
        assert votes == Votes(())
        assert model.judge(votes) is None


class TestTexts:
    @pytest.mark.parametrize(
        ("message", "vote"),
        [
            ("borrow of moved value: `x`", ("borrow_words", "OwnershipBorrow")),
            ("use of undeclared lifetime name `'a`", ("lifetime_words", "LifetimeErrors")),
            ("cannot find value `total` in this scope", ("undefined_words", "UndefinedVariable")),
            ("cannot find type `HashMap` in this scope", ("unknown_type_words", "ImportErrors")),
            ("unresolved import `foo::bar`", ("import_words", "ImportErrors")),
            ("no method named `strip` found for type `&str`", ("no_member_words", "MethodNotFound")),
            ("the trait bound `A: B` is not satisfied", ("trait_bound_words", "TraitBounds")),
            ("mismatched types", ("type_mismatch_words", "TypeErrors")),
            ("unexpected closing delimiter: `}`", ("syntax_words", "ASTTransform")),
            ("dereference of raw pointer is unsafe", ("unsafe_words", "MemorySafety")),
            ("`Rc<i32>` cannot be sent between threads safely", ("concurrency_words", "ConcurrencyBugs")),
            ("for loop over an `Option`; iterators", ("iterator_words", "IteratorChain")),
            ("type mismatch in closure arguments", ("closure_words", "ComprehensionBugs")),
            ("cannot add `String` to `i32`", ("operator_words", "OperatorPrecedence")),
            ("use of unstable library feature `x`", ("configuration_words", "ConfigurationErrors")),
            ("can't find crate for `serde`", ("crate_words", "IntegrationFailures")),
            ("function `f` is private", ("arguments_words", "ApiMisuse")),
            ("type annotations needed", ("inference_words", "TypeAnnotationGaps")),
            ("unreachable pattern", ("pattern_words", "LogicErrors")),
            ("unused variable: `x`", ("style_words", "StyleViolations")),
            ("constant evaluation is taking a long time", ("slow_words", "PerformanceIssues")),
            ("destructor of `Vec<u8>` cannot be evaluated at compile-time", ("destructor_words", "ResourceLeaks")),
            ("use of deprecated method `a::b`", ("deprecated_words", "StdlibMapping")),
            ("identifier contains non-ASCII characters", ("deceptive_text_words", "SecurityVulnerabilities")),
        ],
    )
    def test_families_of_messages(self, message: str, vote: tuple[str, str]) -> None:
        """Each family of messages is voted on by its function."""
        assert vote in of_text(message)

    def test_advice_and_labels_vote(self) -> None:
        """Notes, suggestions and labels of spans are read, each by functions of its own."""
        one = diagnostic(
            "",
            spans=(span("", label="expected `i32`, found `&str`"),),
            notes=(Note(level="note", message="the trait `A` is not implemented for `i32`"),),
            suggestions=(Suggestion(message="consider importing this struct", replacement="", span=span("")),),
        )
        assert of_build(one)[0] == [
            ("advice_import", "ImportErrors"),
            ("advice_bound", "TraitBounds"),
            ("label_types", "TypeErrors"),
        ]

    def test_a_note_is_not_read_as_a_message(self) -> None:
        """The words of a message say nothing where another function reads."""
        noted = diagnostic("", notes=(Note(level="note", message="mismatched types"),))
        assert of_build(noted)[0] == []

    def test_every_phrase_votes_on_what_it_is_found_in(self) -> None:
        """No pattern matches the empty text: an abstention would be impossible."""
        assert [one.function.name for one in phrases() if one.pattern.search("")] == []


class TestCode:
    @pytest.mark.parametrize(
        ("line", "vote"),
        [
            ("let x = name.«strip»();", ("python_method", "MethodNotFound")),
            ("let x = name.«frob»();", ("member_after_dot", "MethodNotFound")),
            ("let n = «len»(items);", ("python_name", "UndefinedVariable")),
            ("let m: «HashMap» = x;", ("type_assigned", "ImportErrors")),
            ("    use «foo»::bar;", ("use_declaration", "ImportErrors")),
            ("«extern crate serde;»", ("foreign_code", "IntegrationFailures")),
            ("«#[derive(Foo)]»", ("attribute_marked", "ConfigurationErrors")),
            ("impl «Foo» for Bar {", ("implementation_head", "TraitBounds")),
            ("fn f(x: «&'a str») {}", ("lifetime_marked", "LifetimeErrors")),
            ("let x = «&mut y»;", ("place_marked", "OwnershipBorrow")),
            ("let z = x «+» y;", ("operator_marked", "OperatorPrecedence")),
            ("let x = f()«?»;", ("question_mark", "TraitBounds")),
            ("let x: i32 = «None»;", ("literal_marked", "TypeErrors")),
            ("let x = «y as i32»;", ("cast_marked", "TypeErrors")),
            ('println!("{}", «value»);', ("format_argument", "TraitBounds")),
            ("let v = a.iter().map(|x| x).«collect»();", ("comprehension_chain", "IteratorChain")),
            ("fn f() «}»", ("punctuation_marked", "ASTTransform")),
            ("unsafe { «*p» }", ("unsafe_line", "MemorySafety")),
            ("let «m» = Mutex::new(0);", ("threads_line", "ConcurrencyBugs")),
        ],
    )
    def test_constructs(self, line: str, vote: tuple[str, str]) -> None:
        """Each construct of the marked line is voted on by its function."""
        assert vote in of_build(code(line))[0]

    def test_expectation_comments_are_not_read(self) -> None:
        """What a compiler's own tests write behind a line does not vote."""
        bare, commented = code("let «x» = 1; "), code("let «x» = 1; //~ ERROR unsafe { Mutex::new }")
        assert of_build(commented) == of_build(bare)


class TestTables:
    def test_the_code_table_speaks_with_its_confidence(self) -> None:
        """A known code is a vote, with the code and the table's confidence beside it."""
        rule = rule_for("E0308", "")
        model = fresh()
        (votes,) = votes_of_build(model, [diagnostic("", code="E0308")], [rule])
        assert named(model, votes) == [("code_table", "TypeErrors")]
        assert (votes.code, votes.floor) == ("E0308", 0.95)

    def test_messages_without_code_have_their_own_table(self) -> None:
        """Without a code the message's rule votes."""
        assert ("message_table", "OwnershipBorrow") in of_text("cannot borrow `x` as mutable")
        assert ("message_table", "OwnershipBorrow") not in of_text("cannot borrow `x` as mutable", "E0596")

    def test_clippy_groups_vote(self) -> None:
        """A clippy lint's group votes beside the lint; rustc's own lints have no such group."""
        votes = dict(of_text("", "clippy::never_loop"))
        assert votes["lint_group"] == lint_groups()["clippy::never_loop"] == "LogicErrors"
        assert "lint_group" not in dict(of_text("", "unused_variables"))


class TestBuild:
    def test_errors_after_a_failed_import_or_parse(self) -> None:
        """After the first error that failed to import or to parse, the later ones are voted on as its cascade."""
        plain = diagnostic("something else")
        for message, vote in (
            ("unresolved import `a`", ("after_import", "ImportErrors")),
            ("unexpected closing delimiter: `}`", ("after_syntax", "ASTTransform")),
        ):
            cause = diagnostic(message)
            before, first, after = of_build(plain, cause, plain)
            assert vote in after
            assert vote not in before + first

    def test_errors_on_one_line_are_alike(self) -> None:
        """An error on the line of an earlier one is voted on as that was; on another line, or file, it is not."""
        one, near = diagnostic("mismatched types", spans=(span("«y»"),)), diagnostic("", spans=(span(""),))
        far, elsewhere = (diagnostic("", spans=(span("", **place),)) for place in ({"line_start": 9}, {"file": "b"}))
        assert of_build(one, near, far, elsewhere)[1:] == [[("same_line", "TypeErrors")], [], []]


class TestPeople:
    def test_the_nearest_labelled_message_votes(self) -> None:
        """What people said of a message is a vote on those near it, and on no other."""
        model = fresh()
        model.learn(Votes(()), mask("something about `x` that failed"), "ResourceLeaks")
        near, far = (diagnostic(text) for text in ("something about `Y` that failed", "else"))
        assert of_build(near, far, model=model) == [[("similar_feedback", "ResourceLeaks")], []]

    def test_people_on_a_code_vote(self) -> None:
        """What people said most often of a code is a vote on every diagnostic of that code."""
        model = fresh()
        one = diagnostic("first text", code="E9999")
        (votes,) = votes_of_build(model, [one], [None])
        for label in ("LogicErrors", "ApiMisuse", "ApiMisuse"):
            model.learn(votes, "first text", label)
        assert ("code_feedback", "ApiMisuse") in of_build(one.model_copy(update={"message": "other"}), model=model)[0]

    def test_a_verifier_votes_on_the_same_message(self) -> None:
        """A verifier's word is a vote of its own, on messages that read the same when masked."""
        model = fresh()
        model.learn(Votes(()), mask("a text about `x`"), "LogicErrors", verifier=True)
        same, other = (diagnostic(text) for text in ("a text about `y`", "a text about nothing"))
        assert of_build(same, other, model=model) == [[("verified", "LogicErrors")], []]

    @pytest.mark.parametrize(
        ("author", "is_one"),
        [("verifier", True), ("verifier/cargo", True), ("verifiers", False), ("", False), (None, False)],
    )
    def test_verifiers_name_themselves(self, author: str | None, is_one: bool) -> None:
        """An author is a verifier by its name before the first stroke."""
        assert is_verifier(author) is is_one


TEXTS = st.text(max_size=60) | st.sampled_from(["mismatched types", "cannot borrow `x`", "help: `'a`", ""])
SPANS = st.builds(
    span,
    st.text(max_size=60) | st.sampled_from(["let x = y.«strip»();", "use «a::b»;"]),
    label=st.none() | TEXTS,
    line_start=st.integers(0, 3),
    column_start=st.integers(0, 90),
    column_end=st.integers(0, 90),
)
DIAGNOSTICS = st.builds(
    Diagnostic,
    level=st.just("error"),
    message=TEXTS,
    spans=st.lists(SPANS, max_size=3).map(tuple),
    notes=st.lists(st.builds(Note, level=st.sampled_from(["note", "help"]), message=TEXTS), max_size=3).map(tuple),
)


class TestAnything:
    @given(st.lists(DIAGNOSTICS, max_size=4))
    def test_votes_are_slots_in_order(self, build: Sequence[Diagnostic]) -> None:
        """Whatever the texts, every function votes at most once for a label, and only for one it knows."""
        model = fresh()
        for votes in votes_of_build(model, build, [rule_for(one.code, one.message) for one in build]):
            assert list(votes.slots) == sorted(set(votes.slots))
            for name, label in named(model, votes):
                assert label in next(one.labels for one in functions() if one.name == name)

    @given(st.lists(DIAGNOSTICS, max_size=3), st.text(min_size=1, max_size=20), st.sampled_from(["E0308", "E0499"]))
    def test_codes_and_files_are_not_read(self, build: list[Diagnostic], file: str, code: str) -> None:
        """Without the code table and people, votes are the same whatever the code and the file's name."""
        renamed = [
            one.model_copy(
                update={"code": code, "spans": tuple([span.model_copy(update={"file": file}) for span in one.spans])}
            )
            for one in build
        ]
        model, nothing = fresh(), [None] * len(build)
        before, after = (votes_of_build(model, some, nothing) for some in (build, renamed))
        assert [votes.slots for votes in before] == [votes.slots for votes in after]

    @given(st.lists(DIAGNOSTICS, max_size=3))
    def test_what_was_remembered_changes_nothing(self, build: list[Diagnostic]) -> None:
        """Votes are the same with empty caches."""
        model, nothing = fresh(), [None] * len(build)
        before = votes_of_build(model, build, nothing)
        for known in (
            labelling._MESSAGES,
            labelling._ADVICES,
            labelling._LABELS,
            labelling._LINES,
            labelling._MARKS,
            labelling._VOTES,
        ):
            known.clear()
        assert votes_of_build(model, build, nothing) == before
