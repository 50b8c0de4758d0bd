"""Edits, items, guards and the judge: what every repair rests on."""

from __future__ import annotations

import pytest

from models.repair.candidates import Candidate
from models.repair.edits import Edit, OverlapError, apply, clash
from models.repair.errors import Mark, RustError, read_errors
from models.repair.guards import forbidden, refused
from models.repair.items import Places
from models.repair.judge import better, gone
from models.repair.ranking import Rates, parse_rates, shipped_rates


def error(code: str = "E0308", message: str = "mismatched types", start: int = 0, end: int = 1) -> RustError:
    """Return an error at a place."""
    return RustError(code, message, (Mark(start, end, True, ""),), (), ())


class TestEdits:
    def test_are_done_together(self) -> None:
        """Edits at several places are done at once, whatever their order."""
        assert apply("abc", [Edit(2, 3, "C"), Edit(0, 1, "A")]) == "AbC"

    def test_that_clash_are_refused(self) -> None:
        """Two edits of one place raise; the same edit twice is one."""
        assert clash([Edit(0, 2, "x"), Edit(1, 3, "y")])
        assert apply("ab", [Edit(0, 1, "x"), Edit(0, 1, "x")]) == "xb"
        with pytest.raises(OverlapError):
            apply("ab", [Edit(0, 9, "x")])


class TestErrors:
    def test_count_characters(self) -> None:
        """Byte offsets become characters where the text is not ASCII."""
        span = {"file_name": "a.rs", "byte_start": 2, "byte_end": 3, "is_primary": True, "label": None}
        (found,) = read_errors([{"message": "m", "code": {"code": "E0308"}, "spans": [span]}], "éx", "a.rs")
        assert found.place == (1, 2)


class TestItems:
    def test_with_methods(self) -> None:
        """Functions, types and methods are found by name, braces in strings or not."""
        text = (
            'fn a() { "}" ; }\nstruct S { x: i32 }\nimpl std::fmt::Display for S { fn m(&self) { } }\nconst N: i32 = 1;'
        )
        places = Places(text)
        assert [(one.what, one.name) for one in places.items] == [
            ("fn", "a"), ("struct", "S"), ("impl", "S"), ("const", "N"),
        ]  # fmt: skip
        assert places.path(text.index("&self")) == ("S", "m")

    def test_with_a_bracket_too_many(self) -> None:
        """A parenthesis that closes nothing does not end a function."""
        assert Places("fn main() { f()); g(); }\nfn b() {}").path(18) == ("main", "")


class TestGuards:
    @pytest.mark.parametrize(
        "added", ["todo!()", "unimplemented!()", "#[allow(dead_code)]", "unsafe { }", "std::process::exit(0)"]
    )
    def test_refuse_shortcuts(self, added: str) -> None:
        """What only silences rustc is refused, and a word in a string is none."""
        assert forbidden("fn a() {}", f"fn a() {{ {added} }}")
        assert not forbidden("fn a() {}", 'fn a() { "todo!()"; }')

    def test_refuse_dropped_code(self) -> None:
        """Names that disappear, and arguments that become an empty value, are refused."""
        text = "let p = PathBuf(given);"
        empty = Candidate("rustc", "", (Edit(8, 22, "PathBuf::new()"),), (error(),))
        assert "drops" in refused(text, empty)
        kept = Candidate("path", "", (Edit(15, 15, "::from"),), (error(),))
        assert refused(text, kept) == ""


class TestJudge:
    def test_takes_a_later_phase_for_progress(self) -> None:
        """More errors of a later phase are better than one of an earlier."""
        parse, later = [error("", "unexpected token")], [error(), error(message="other")]
        assert better(parse, later, parse)
        assert not better(later, parse, later)

    def test_wants_the_target_gone(self) -> None:
        """Fewer errors are no progress while the target stays."""
        one, other = error(message="one"), error(message="other")
        assert better([one, other], [other], [one])
        assert not better([one, other], [one], [one])
        assert gone([one, one], [one], [one, one]) == [one]


class TestRates:
    def test_move_with_outcomes(self) -> None:
        """A pattern that was accepted for a template comes first for it, and its record is read back."""
        rates = Rates()
        for _ in range(5):
            rates.update("good", "E0308 t", accepted=True)
            rates.update("bad", "E0308 t", accepted=False)
        assert rates.rate("good", "E0308 t") > rates.rate("unknown", "E0308 t") > rates.rate("bad", "E0308 t")
        assert parse_rates("x.tsv", rates.lines()).counts == rates.counts

    def test_ship(self) -> None:
        """The shipped table can be read."""
        assert isinstance(shipped_rates(), Rates)
