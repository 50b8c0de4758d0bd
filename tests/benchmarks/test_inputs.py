"""The benchmarks' input: equal for every contender, never the same build twice, readable by the line."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import orjson
import pytest

from benchmarks import inputs
from models.diagnostics import Diagnostic
from models.features import extract
from models.masking import mask
from models.records import CompilerErrors, parse
from producers.ci import InputError


@pytest.fixture(scope="module")
def documents() -> list[inputs.Document]:
    """Return the bundled failures in the drawn order."""
    return inputs.corpus([])


class TestCorpus:
    def test_the_order_is_drawn_and_the_same_every_time(self, documents: list[inputs.Document]) -> None:
        """Two runs get the builds in one order, which is not that of the file."""
        again = inputs.corpus([])
        assert [one["id"] for one in again] == [one["id"] for one in documents]
        assert [one["id"] for one in inputs.corpus([], seed=1)] != [one["id"] for one in documents]

    def test_a_file_is_read_by_the_build(self, tmp_path: Path) -> None:
        """A recorded build keeps its diagnostics together."""
        diagnostic = {"level": "error", "code": "E0308", "message": "mismatched types"}
        build = {"id": "one", "time": "2026-01-01T00:00:00Z", "project": "p", "diagnostics": [diagnostic] * 3}
        path = tmp_path / "builds.jsonl"
        path.write_bytes(orjson.dumps(build | {"schema_version": 1}) + b"\n")
        assert [len(one["diagnostics"]) for one in inputs.corpus([path])] == [3]

    def test_a_file_that_is_no_corpus_is_refused(self, tmp_path: Path) -> None:
        """A wrong file is told by its name, as everywhere."""
        with pytest.raises(InputError, match=r"none\.parquet"):
            inputs.corpus([tmp_path / "none.parquet"])


class TestSingles:
    def test_every_diagnostic_is_a_build_of_its_own(self, documents: list[inputs.Document]) -> None:
        """The split loses no diagnostic, repeats none, and no two builds share an id."""
        split = list(inputs.singles(documents))
        assert [one["diagnostics"] for one in split] == [[one] for two in documents for one in two["diagnostics"]]
        assert len({one["id"] for one in split}) == len(split)


class TestPasses:
    def test_no_build_comes_twice(self, documents: list[inputs.Document]) -> None:
        """Three passes over the builds have three times as many ids."""
        few = documents[:50]
        assert len({one["id"] for one in islice(inputs.passes(few), 150)}) == 150

    def test_each_is_a_record_that_the_line_takes(self, documents: list[inputs.Document]) -> None:
        """Builds of later passes parse, with the project that is their key."""
        few = documents[:50]
        for document in islice(inputs.passes(few), 150):
            assert parse(CompilerErrors, inputs.line(document)).project == document["project"]

    def test_a_later_pass_has_new_texts_and_the_same_kinds_of_defects(self, documents: list[inputs.Document]) -> None:
        """Names change, so that caches do not know many of the texts; codes, templates and most features stay."""
        made = list(islice(inputs.passes(documents), 2 * len(documents)))
        first, second = made[: len(documents)], made[len(documents) :]
        texts = [{one["message"] for two in half for one in two["diagnostics"]} for half in (first, second)]
        named = {text for text in texts[0] if "`" in text}
        assert len(named & texts[1]) < 0.6 * len(named)
        pairs = [
            (one, two)
            for a, b in zip(first, second, strict=True)
            for one, two in zip(a["diagnostics"], b["diagnostics"], strict=True)
        ]
        assert [one.get("code") for one, _ in pairs] == [two.get("code") for _, two in pairs]
        alike = [mask(one["message"]) == mask(two["message"]) for one, two in pairs]
        assert sum(alike) > 0.9 * len(alike)
        counts = [tuple(len(extract(Diagnostic.model_validate(one))) for one in pair) for pair in pairs]
        assert abs(sum(a for a, _ in counts) / sum(b for _, b in counts) - 1) < 0.02

    def test_spans_still_point_at_what_they_pointed_at(self) -> None:
        """A name keeps its length, so columns stay right."""
        rename = inputs.renamer(frozenset({"ticket"}), 27)
        assert rename("let ticket = tickets;") == "let ujclft = tickets;"

    def test_names_are_renamed_differently_in_each_pass(self) -> None:
        """The first 17,576 passes have names of their own."""
        own = frozenset({"ticket"})
        assert len({inputs.renamer(own, number)("ticket") for number in range(0, 26**3, 7)}) == len(range(0, 26**3, 7))


class TestWrite:
    def test_the_input_is_a_file_that_all_contenders_are_given(
        self, documents: list[inputs.Document], tmp_path: Path
    ) -> None:
        """What is counted is what the file holds, and the same call writes the same bytes."""
        one = inputs.write("real", tmp_path / "one", inputs.passes(documents), 3_000)
        two = inputs.write("real", tmp_path / "two", inputs.passes(documents), 3_000)
        assert one.path.read_bytes() == two.path.read_bytes()
        assert one.digest == two.digest
        held = [orjson.loads(line) for line in one.lines()]
        assert [document["id"] for document in held] == one.ids
        assert [len(document["diagnostics"]) for document in held] == one.diagnostics
        assert sum(one.diagnostics[:-1]) < 3_000 <= sum(one.diagnostics)
        assert one.size == one.path.stat().st_size


class TestArrivals:
    def test_they_come_at_the_rate_that_was_asked_for(self) -> None:
        """A minute at 200 a second brings some 12,000 builds, in order, whatever becomes of them."""
        moments = list(inputs.arrivals(200, 60, even=False))
        assert moments == sorted(moments)
        assert 11_500 < len(moments) < 12_500
        assert moments[-1] <= 60
        gaps = [after - before for before, after in pairwise(moments)]
        assert max(gaps) > 4 / 200  # memoryless: some wait long

    def test_even_ones_keep_their_distance(self) -> None:
        """Without chance every gap is the same."""
        assert list(inputs.arrivals(2, 2.1, even=True)) == [0.5, 1.0, 1.5, 2.0]
