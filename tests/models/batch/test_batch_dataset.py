"""Datasets: what becomes an example, how they are parted, kept and checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.batch.dataset import SIDES, TEST, Dataset, DatasetError, Ragged, collect, parted, with_test
from models.batch.readiness import efficiency, readiness, without_twins
from models.batch.stored import load_dataset, load_logits, save_dataset, save_logits
from models.batch.texts import texts
from models.card import ModelFileError
from models.describe import describe
from models.evaluation.splits import Entry
from models.records import CompilerErrors
from models.taxonomy import MAIN_CODES, MAIN_LABELS
from tests.builders import build, diagnostic, span

Entries = list[Entry[CompilerErrors]]


class TestCollect:
    def test_labelled_diagnostics_become_examples(self, entries: Entries, dataset: Dataset) -> None:
        """Every diagnostic with one of the main codes is an example, in its order, with that code's label."""
        wanted = [one for entry in entries for one in entry.item.diagnostics if one.code in MAIN_CODES]
        assert len(dataset) == len(wanted)
        assert set(dataset.labels) == set(MAIN_LABELS)

    def test_hashes_are_those_of_the_stream(self, entries: Entries, dataset: Dataset) -> None:
        """A student is trained on the very bytes that it is shown when it serves."""
        first = next(one for entry in entries for one in entry.item.diagnostics if one.code in MAIN_CODES)
        build_ = next(entry.item.diagnostics for entry in entries if first in entry.item.diagnostics)
        place = build_.index(first)
        served = b"".join(part.hashes for part in describe("category", first, place, len(build_)))
        (stored,) = dataset.hashes(np.array([0]))
        assert sorted(np.frombuffer(served, np.uint32)) == sorted(np.frombuffer(stored, np.uint32))

    @pytest.mark.parametrize("task", ["category", "source"])
    def test_the_code_is_no_feature(self, task: str) -> None:
        """Two diagnostics that differ in code, level and paths alone have equal features."""
        one = diagnostic("mismatched types", "E0308", file="a.rs", spans=(span(),))
        other = one.model_copy(update={"code": "E0277", "file": "E0277.rs", "spans": (span(file="E0277/x.rs"),)})
        assert describe(task, one) == describe(task, other)

    def test_source_sees_no_word_of_the_compiler(self) -> None:
        """Message, labels and notes make no difference to the task source."""
        one = diagnostic("mismatched types", "E0308", spans=(span(label="expected"),))
        other = diagnostic("cannot find value", "E0425", spans=(span(label="not found"),))
        assert describe("source", one) == describe("source", other)

    def test_people_count_before_the_table(self, entries: Entries) -> None:
        """What a person said of a diagnostic is its label."""
        first = next(e for e in entries if e.item.diagnostics[0].code == "E0308")
        found = collect([first, *entries], "category", said={(first.item.id, 0): "TraitBounds"})
        assert found.labels[found.label[0]] == "TraitBounds"

    def test_too_few_labels(self) -> None:
        """A corpus with one label is refused, with what would do."""
        alone = [Entry(build("b", diagnostic("mismatched types", "E0308")), 1, None)]  # type: ignore[arg-type]
        with pytest.raises((DatasetError, AttributeError), match=r"fewer than two|file"):
            collect(alone, "category")

    def test_texts_go_with_examples(self, entries: Entries, dataset: Dataset) -> None:
        """An encoder is given one text per example, without codes."""
        found = texts(entries, "category", "main")
        assert len(found) == len(dataset)
        assert not any(code in text for text in found for code in MAIN_CODES)


class TestParted:
    @pytest.mark.parametrize("split", ["file", "directory"])
    def test_groups_stay_together(self, dataset: Dataset, split: str) -> None:
        """No group has examples on two sides."""
        found = parted(dataset, split, seed=5)
        sides = {(int(group), int(side)) for group, side in zip(found.group, found.side, strict=True)}
        assert len(sides) == len({group for group, _ in sides})

    def test_a_side_depends_on_nothing_else(self, entries: Entries, dataset: Dataset) -> None:
        """A file's side is the same whatever other files there are."""
        half = parted(collect(entries[:80], "category"), "file", seed=1)
        assert (half.side == dataset.side[: len(half)]).all()

    def test_time(self, dataset: Dataset) -> None:
        """The split by time tests on the last examples."""
        timed = replace(dataset, time=np.arange(len(dataset), dtype=np.float64))
        found = parted(timed, "time", seed=0)
        assert found.part(TEST).min() == len(dataset) - len(found.part(TEST))

    def test_other_files_as_test(self, dataset: Dataset) -> None:
        """With a test corpus of its own, all of it and nothing else is tested."""
        joined = with_test(parted(dataset, "file", 1, test=0.0), dataset)
        assert (joined.part(TEST) == np.arange(len(dataset), 2 * len(dataset))).all()

    def test_unknown_split(self, dataset: Dataset) -> None:
        """A split that is none is refused with those allowed."""
        with pytest.raises(DatasetError, match="file, directory, time"):
            parted(dataset, "origin", 1)


class TestRagged:
    def test_take(self) -> None:
        """Lists are taken by index, in the order asked for, empty ones too."""
        ragged = Ragged(np.array([1, 2, 3]), np.array([0, 2, 2, 3]))
        taken = ragged.take(np.array([2, 1, 0]))
        assert taken.values.tolist() == [3, 1, 2]
        assert taken.offsets.tolist() == [0, 1, 1, 3]


class TestReadiness:
    def test_sides_and_leaks(self, dataset: Dataset) -> None:
        """A clean corpus passes what is fatal; too small a one is told so."""
        found = {one.name: one for one in readiness(dataset, tuple(MAIN_CODES))}
        assert all(one.passed for one in found.values() if one.fatal)
        assert not found["size"].passed

    def test_a_group_on_two_sides(self, dataset: Dataset) -> None:
        """Examples of one file on both sides are fatal."""
        side = np.arange(len(dataset)) % 3
        found = {one.name: one for one in readiness(replace(dataset, side=side.astype(np.int8)))}
        assert not found["groups apart"].passed
        assert found["groups apart"].fatal

    def test_twins(self, dataset: Dataset) -> None:
        """Without twins no two examples have equal features."""
        found = without_twins(dataset)
        assert 0 < len(found) < len(dataset)
        assert len(np.unique(found.signatures())) == len(found)

    def test_efficiency(self) -> None:
        """Accuracy is divided by the logarithm of the corpus' size."""
        assert efficiency(0.5, 100) == pytest.approx(0.5 / np.log(100))


class TestStored:
    def test_round_trip(self, dataset: Dataset, tmp_path: Path) -> None:
        """A dataset comes back from disk as it was."""
        save_dataset(tmp_path / "d.safetensors", dataset, {"files": ["a"]})
        found, about = load_dataset(tmp_path / "d.safetensors")
        assert about == {"files": ["a"]}
        assert found.labels == dataset.labels
        assert (found.signatures() == dataset.signatures()).all()
        assert [len(found.part(side)) for side in range(len(SIDES))] == [len(dataset.part(s)) for s in range(3)]

    def test_damage_is_named(self, dataset: Dataset, tmp_path: Path) -> None:
        """A file cut short, or with offsets that do not fit, is refused."""
        file = tmp_path / "d.safetensors"
        save_dataset(file, dataset)
        file.write_bytes(file.read_bytes()[:-10])
        with pytest.raises(ModelFileError, match="not written by jidoka"):
            load_dataset(file)
        bad = dataset.text._replace(offsets=dataset.text.offsets + 1)
        save_dataset(file, replace(dataset, text=bad))
        with pytest.raises(ModelFileError, match="does not fit"):
            load_dataset(file)

    def test_logits_belong_to_their_dataset(self, dataset: Dataset, tmp_path: Path) -> None:
        """Logits of other examples, or not of as many teachers as wanted, are refused."""
        logits = np.zeros((len(dataset), len(dataset.labels)), np.float32)
        save_logits(tmp_path, "one", logits, "digest")
        assert load_logits(tmp_path, dataset, "digest", 1)[0].name == "one"
        with pytest.raises(ModelFileError, match="other examples"):
            load_logits(tmp_path, dataset, "another", 1)
        with pytest.raises(ModelFileError, match="1 files"):
            load_logits(tmp_path, dataset, "digest", 3)
