"""The lines around spans, read from the tree that was compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.diagnostics import Diagnostic, Span
from models.records import MAX_RECORD_BYTES, CompilerErrors
from producers.ci import InputError, SourceTree
from tests.builders import build, diagnostic

CODE = ["fn main() {", "    let a = 1;", "    let b: String = a;", "    drop(b);", "}"]


def at(file: str, text: str = CODE[2]) -> CompilerErrors:
    """Return a failure with one span in the third line of a file."""
    place = {"line_start": 3, "line_end": 3, "column_start": 21, "column_end": 22}
    return build("f", diagnostic(spans=(Span(file=file, text=(text,), **place),)))


def lines(record: CompilerErrors) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return what stands before and after the span."""
    span = record.diagnostics[0].spans[0]
    return span.before, span.after


def with_more(record: CompilerErrors, more: list[Diagnostic]) -> CompilerErrors:
    return record.model_copy(update={"diagnostics": (*record.diagnostics, *more)})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a tree with one file in ``src``, beside a file that is none of its business."""
    (tmp_path / "tree" / "src").mkdir(parents=True)
    (tmp_path / "tree" / "src" / "main.rs").write_text("\n".join(CODE))
    (tmp_path / "secret.rs").write_text("\n".join(CODE))
    return tmp_path / "tree"


class TestSourceTree:
    @pytest.mark.parametrize("name", ["src/main.rs", "src/../src/main.rs", "{root}/src/main.rs"])
    def test_lines_around(self, name: str, root: Path) -> None:
        """A span in a file of the tree gets the lines before and after it; the failure's id stays."""
        record = at(name.format(root=root))
        found = SourceTree(root).surround(record)
        assert lines(found) == (tuple(CODE[:2]), tuple(CODE[3:]))
        assert found.id == record.id

    @pytest.mark.parametrize(
        "name", ["../secret.rs", "{root}/../secret.rs", "link.rs", "src", "absent.rs", "a\0b", "é" * 250, "/dev/zero"]
    )
    def test_nothing_else_is_read(self, name: str, root: Path) -> None:
        """What lies outside, by dots, as an absolute name or behind a link, is not read, nor what is no file."""
        (root / "link.rs").symlink_to(root.parent / "secret.rs")
        record = at(name.format(root=root))
        assert SourceTree(root).surround(record) == record

    def test_another_text(self, root: Path) -> None:
        """A file that has changed since it was compiled tells nothing."""
        record = at("src/main.rs", "    let c = 2;")
        assert SourceTree(root).surround(record) == record

    def test_a_record_stays_within_its_size(self, root: Path) -> None:
        """A record that the lines would make too large goes as it was."""
        record = at("src/main.rs")
        more, size = diagnostic("m" * 1_000), len(record.to_bytes())
        each = len(with_more(record, [more]).to_bytes()) - size
        count, left = divmod(MAX_RECORD_BYTES - size, each)
        full = with_more(record, [*[more] * (count - 1), diagnostic("m" * (1_000 + left))])
        assert len(full.to_bytes()) == MAX_RECORD_BYTES
        assert SourceTree(root).surround(full) is full

    def test_no_directory(self, root: Path) -> None:
        """A root that is none is a mistake that is told."""
        with pytest.raises(InputError, match=r"no directory; give the one in which the compiler ran"):
            SourceTree(root / "src" / "main.rs")
