"""Masking: no answer and no name survives, whatever the message is."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import masking
from models.masking import MAX_MASKED, mask, shape, words

PIECES = [
    "E0308",
    "E",
    "0",
    "0308",
    "`",
    "//",
    "/",
    "~",
    "@",
    "[full]",
    " ",
    "\n",
    "x",
    "_",
    "<",
    ">",
    ".rs",
    "::",
    "'",
]
hostile_text = st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=300)
identifier = st.from_regex(r"[a-z_][a-z0-9_]{2,20}", fullmatch=True).map(lambda name: f"my_{name}")
type_name = st.from_regex(r"[A-Z][a-z]{3,12}", fullmatch=True).map(lambda name: f"My{name}")

HOSTILE: dict[str, str] = {
    "backticks": "`" * 100_000,
    "quoted nothing": "` " * 50_000,
    "long paths in quotes": ("`" + "a::" * 130 + "`") * 250,
    "nested generics": "`" + "Vec<" * 25_000 + "`",
    "dots": "a." * 50_000,
    "dashes": "-a" * 50_000,
    "slashes": "/a" * 50_000,
    "backslashes": "\\a" * 50_000,
    "one word": "a" * 100_000,
    "numbers": "1_" * 50_000,
    "schemes": "a+://" * 20_000,
    "revisions": "//[" * 33_000,
    "expectations": "//~" * 33_000,
    "spaces": " " * 100_000,
}


class TestMask:
    @pytest.mark.parametrize(
        ("message", "masked"),
        [
            ("mismatched types", "mismatched types"),
            ("expected `i32`, found `&str`", "expected <int>, found <&str>"),
            ("cannot find value `total_x` in this scope", "cannot find value <name> in this scope"),
            ("no method named `len` found for struct `Rc<T>`", "no method named <name> found for struct <container>"),
            ("this takes 2 arguments but 3 were supplied", "this takes <number> arguments but <number> were supplied"),
            ("error[E0308]: mismatched", "error[ ]: mismatched"),
            ("test_E0308_x fails", "test_ _x fails"),
            ("see tests/ui/E0308.rs:3:5", "see <path>:<number>:<number>"),
            ('create file "src/net/mod.rs" or "src/net.rs"', 'create file "<path>" or "<path>"'),
            ("at C:\\Users\\me\\main.rs", "at <path>"),
            ("in /home/me/project/lib", "in <path>"),
            ("in data\\names.txt", "in <path>"),
            ("visit https://host.example/index.html#needless_return", "visit <url>"),
            ("ends here //~ ERROR mismatched", "ends here"),
            ("ends here //[full]~^ ERROR mismatched", "ends here"),
            ("a\n  b\tc", "a b c"),
            ("", ""),
        ],
    )
    def test_known_messages(self, message: str, masked: str) -> None:
        """What is quoted becomes a shape; numbers, paths, links and answers go; the words stay."""
        assert mask(message) == masked

    @given(hostile_text)
    def test_no_answer_survives(self, text: str) -> None:
        """No error code and no expectation comment is left, however it was hidden between marks and quotes."""
        masked = mask(text)
        assert not re.search(r"E\d{4}", masked)
        assert "//~" not in masked
        assert "//@" not in masked

    @given(st.lists(st.sampled_from(["expected `i32`", "found `&mut T`", "`x`", "at /a/b/c", "17", "E0001"])))
    def test_masking_twice_changes_nothing(self, parts: list[str]) -> None:
        """A masked message is its own mask."""
        masked = mask(" ".join(parts)[:900])
        assert mask(masked) == masked

    @given(identifier, identifier, type_name, type_name)
    def test_names_do_not_matter(self, one: str, other: str, this: str, that: str) -> None:
        """Messages that differ only in names have one mask."""
        message = "no method named `{}` found for struct `{}`, `&{}`, `Vec<{}>`, `{}!`, `{}::new`, `{}()`"
        assert mask(message.format(one, this, this, this, one, this, one)) == mask(
            message.format(other, that, that, that, other, that, other)
        )

    def test_only_the_beginning_counts(self) -> None:
        """What stands after ``MAX_MASKED`` characters is not looked at."""
        assert mask("a" * MAX_MASKED + " borrow") == "a" * MAX_MASKED

    @given(hostile_text)
    def test_no_substitution_is_skipped_in_vain(self, text: str) -> None:
        """A text is masked as if every substitution were always tried."""
        tried = masking._QUOTED.sub(
            lambda match: shape(match[1]), masking._PATH.sub("<path>", masking._URL.sub("<url>", text))
        )
        tried = masking._NUMBER.sub("<number>", masking._ANSWERS.sub(" ", tried))
        assert mask(text) == " ".join(tried.split())

    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_texts_take_no_time(self, name: str) -> None:
        """A text made to be slow takes at most 30 ms of processor time."""
        assert fastest(lambda trial: mask(f"{trial}{HOSTILE[name]}")) < 0.03


class TestShape:
    @pytest.mark.parametrize(
        ("quoted", "expected"),
        [
            ("'a", "<lifetime>"),
            ("usize", "<int>"),
            ("{integer}", "<int>"),
            ("f64", "<float>"),
            ("{float}", "<float>"),
            ("&str", "<&str>"),
            ("&'static str", "<&str>"),
            ("String", "<string>"),
            ("bool", "<scalar>"),
            ("()", "()"),
            ("dyn Error", "<dyn>"),
            ("Box<dyn Error>", "<dyn>"),
            ("impl Iterator<Item = u8>", "<impl>"),
            ("&mut Vec<i32>", "<&mut>"),
            ("&Foo", "<&type>"),
            ("println!", "<macro>"),
            ("vec![1]", "<expr>"),
            ("std::collections::HashMap<K, V>", "<container>"),
            ("Option<i32>", "<container>"),
            ("#[derive(Debug)]", "<attribute>"),
            ("[u8; 4]", "<array>"),
            ("(i32, i32)", "<tuple>"),
            ("|x| x + 1", "<closure>"),
            ("foo(x)", "<call>"),
            ("std::fmt", "<path>"),
            ("Wrapper<T>", "<generic>"),
            ("T", "<param>"),
            ("MAX_SIZE", "<constant>"),
            ("Widget", "<Type>"),
            ("total_x", "<name>"),
            ("_", "<name>"),
            ("42", "<number>"),
            ('"text"', "<literal>"),
            ("", "<expr>"),
            ("x + y", "<expr>"),
            ("mut", "mut"),
            ("Clone", "Clone"),
            ("Fn(i32) -> i32", "<expr>"),
            ("Index<usize>", "Index"),
            ("=>", "=>"),
            (" self ", "self"),
        ],
    )
    def test_known_shapes(self, quoted: str, expected: str) -> None:
        """What rustc quotes has the shape of its kind; words of the language stand for themselves."""
        assert shape(quoted) == expected

    @given(st.text(max_size=400))
    def test_total(self, quoted: str) -> None:
        """Whatever is quoted has a shape: a mark or word of the language, or a name in angle brackets."""
        found = shape(quoted)
        assert re.fullmatch(r"<[\w&]+>", found) or found == quoted.strip() or found == quoted.strip().partition("<")[0]

    @pytest.mark.parametrize("quoted", ["a::" * 133, "(" * 400, "Vec<" * 100, "'" * 400, "&mut " * 80, "|" * 400])
    def test_hostile_quotes_take_no_time(self, quoted: str) -> None:
        """A quotation made to be slow takes at most 5 ms."""
        assert fastest(lambda _: shape(quoted)) < 0.005


class TestWords:
    def test_words_shapes_and_marks(self) -> None:
        """Words come in lower case, shapes whole, marks one by one, numbers not at all."""
        assert words("Expected <int>, found <&str> isn't 5 x") == [
            "expected",
            "<int>",
            ",",
            "found",
            "<&str>",
            "isn't",
            "x",
        ]


def fastest(call: Callable[[int], object]) -> float:
    """Return the processor time of the fastest of three calls, in seconds."""
    taken = []
    for trial in range(3):
        start = time.process_time()
        call(trial)
        taken.append(time.process_time() - start)
    return min(taken)
