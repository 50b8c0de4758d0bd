"""Nothing that tells of a machine or a person, and no secret, leaves in a corpus."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.oip.sanitise import MASK, clean, relative

SECRETS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "11ABCDEFG0" * 4,
    "glpat-" + "abcdEFGH12345678-_",
    "xoxb-" + "123456789012-abcdefghij",
    "sk-" + "proj-" + "abcd1234EFGH5678ijkl",
    "AIza" + "SyA1234567890abcdefghijklmnopqrstu",
    "npm_" + "a1B2c3D4" * 5,
    "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3.abc-DEF_1",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
]


class TestSecrets:
    @pytest.mark.parametrize("secret", SECRETS, ids=lambda one: one[:8])
    def test_tokens_of_services(self, secret: str) -> None:
        """A token in a form that its service documents is masked, wherever it stands."""
        cleaned = clean(f"expected `&str`, found {secret} in this scope")
        assert cleaned == f"expected `&str`, found {MASK} in this scope"

    @pytest.mark.parametrize(
        "text",
        [
            'let password = "hunter22";',
            "const API_KEY: &str = 'abcd-efgh';",
            'let secret: String = String::from("hunter22");',
            "DB_PASSWORD=hunter22",
            "Authorization: Bearer hunter22hunter22",
            "cannot connect to postgres://ann:hunter22@db/x",
            '"access_key": "hunter22"',
        ],
    )
    def test_what_stands_where_a_secret_stands(self, text: str) -> None:
        """What is assigned to a name that secrets have, or stands in a header or an address, is masked."""
        assert "hunter22" not in clean(text)
        assert "efgh" not in clean(text)
        assert MASK in clean(text)

    @pytest.mark.parametrize(
        "text",
        [
            "mismatched types: expected `String`, found `&str`",
            "no field `token` on type `Parser`",
            "field `password: String` is never read",
            "expected one of `!` or `::`, found `{`",
            "struct takes 2 generic arguments but 1 generic argument was supplied",
            "a / b / c",
            "the trait bound `HashMap<String, Vec<u8>>: Serialize` is not satisfied",
        ],
    )
    def test_ordinary_messages_stay(self, text: str) -> None:
        """A compiler's ordinary words are left as they are."""
        assert clean(text) == text


class TestPaths:
    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("src/main.rs", "src/main.rs"),
            ("/home/ann/app/src/main.rs", "src/main.rs"),
            ("/home/ann", "unknown"),
            ("/root/x.rs", "x.rs"),
            ("C:\\Users\\Ann Lee\\app\\tests\\t.rs", "tests/t.rs"),
            ("../../other/y.rs", "other/y.rs"),
            ("~/secret/z.rs", "z.rs"),
            ("", "unknown"),
        ],
    )
    def test_names(self, name: str, kept: str) -> None:
        """A name keeps what a project says of itself, and loses what the machine and its user are called."""
        assert relative(name) == kept

    def test_below_the_root(self, tmp_path: Path) -> None:
        """What lies below the directory that is exported is named from there."""
        assert relative(str(tmp_path / "p" / "q.rs"), tmp_path) == "p/q.rs"

    @pytest.mark.parametrize(
        "text",
        [
            "couldn't read `/home/ann/app/src/lib.rs`: No such file",
            "couldn't read C:\\Users\\ann\\app\\src\\lib.rs",
            "couldn't read '/Users/ann lee/app/src/lib.rs'",
            "file not found: ~/ann/lib.rs",
            "in /home/ann",
        ],
    )
    def test_in_a_text(self, text: str) -> None:
        """Paths in a message name no user."""
        assert "ann" not in clean(text).lower().replace("cannot", "")

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
    def test_twice_is_once(self, text: str) -> None:
        """What is clean stays as it is, and cleaning never fails."""
        assert clean(clean(text)) == clean(text)

    @pytest.mark.parametrize("piece", ["/", "/a", "a-", "\\", "token=", "eyJ", "~/", "'A1a"])
    def test_long_texts_take_no_longer(self, piece: str) -> None:
        """No text, however hostile, makes cleaning slow: within a record's bounds it is a matter of milliseconds."""
        started = time.process_time()
        clean(piece * (8_000 // len(piece)))
        assert time.process_time() - started < 2.0
