"""Distilling: the loss, the student, its ONNX graph, and what serving refuses."""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch

from models.batch.config import DistilConfig
from models.batch.dataset import Dataset
from models.batch.distillation import distil, distillation_loss, softened, student_logits
from models.batch.ensemble import learned_weights, mixed
from models.batch.export import save_student
from models.batch.retention import compare_student
from models.batch.student_network import hashed
from models.batch.teacher import load_teacher
from models.card import CARD, WEIGHTS, ModelFileError, parse_card
from models.describe import describe
from models.student import Student, load_student, student_from_bytes
from tests.builders import diagnostic, span

CONFIG = DistilConfig(epochs=4, bits=10, width=8, lr=0.01)


@pytest.fixture(scope="module")
def logits(teacher_folder: Path, dataset: Dataset) -> np.ndarray:
    """Return the teacher's logits of all examples."""
    return load_teacher(teacher_folder).logits(dataset, np.arange(len(dataset)))


@pytest.fixture(scope="module")
def student_folder(dataset: Dataset, logits: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a student of that teacher."""
    folder = tmp_path_factory.mktemp("student")
    save_student(folder, distil(CONFIG, dataset, [logits]).network, dataset, {"name": "small"})
    return folder


@pytest.fixture(scope="module")
def student(student_folder: Path) -> Student:
    """Return the student as it is served."""
    return load_student(student_folder)


class TestLoss:
    def test_is_the_formula(self) -> None:
        """The loss is alpha T^2 KL + (1 - alpha) CE, computed by hand."""
        student, teacher = torch.tensor([[1.0, -1.0]]), torch.tensor([[2.0, 0.5]])
        p, q = (teacher / 3).softmax(1), (student / 3).softmax(1)
        divergence = float((p * (p.log() - q.log())).sum())
        entropy = -float(student.log_softmax(1)[0, 1])
        found = distillation_loss(student, p, torch.tensor([1]), alpha=0.7, temperature=3.0)
        assert float(found) == pytest.approx(0.7 * 9 * divergence + 0.3 * entropy, rel=1e-5)

    def test_a_perfect_copy_costs_nothing(self) -> None:
        """A student that says what its teacher says has no soft loss."""
        logits = torch.tensor([[0.3, 0.7, -2.0]])
        assert float(distillation_loss(logits, (logits / 2).softmax(1), torch.tensor([0]), 1.0, 2.0)) == pytest.approx(
            0, abs=1e-6
        )

    def test_teachers_are_averaged(self) -> None:
        """Several teachers count as the mean of their probabilities."""
        one, other = np.array([[9.0, 0.0]], np.float32), np.array([[0.0, 9.0]], np.float32)
        assert softened([one, other], 1.0)[0] == pytest.approx([0.5, 0.5])


class TestStudent:
    def test_learns_from_its_teacher(self, student: Student, dataset: Dataset, logits: np.ndarray) -> None:
        """The student answers nearly everything as its teacher does."""
        shares = student.predict_proba_many(dataset.hashes(np.arange(len(dataset))))
        assert (shares.argmax(1) == logits.argmax(1)).mean() > 0.9
        assert shares.sum(1) == pytest.approx(np.ones(len(dataset)), abs=1e-5)

    def test_same_seed_same_student(self, dataset: Dataset, logits: np.ndarray, student_folder: Path) -> None:
        """The same seed gives the same graph, byte for byte."""
        again = distil(CONFIG, dataset, [logits])
        card = save_student(student_folder.parent / "again", again.network, dataset, {"name": "small"})
        assert card.sha256 == parse_card((student_folder / CARD).read_bytes()).sha256

    def test_the_graph_is_the_network(self, dataset: Dataset, logits: np.ndarray, tmp_path: Path) -> None:
        """ONNX Runtime's probabilities are torch's, but for the rounding of the table to bytes."""
        network = distil(CONFIG.with_values({"epochs": 1}), dataset, [logits]).network
        save_student(tmp_path, network, dataset, {"name": "x"})
        wanted = np.arange(20)
        theirs = torch.from_numpy(student_logits(network, hashed(dataset, CONFIG.bits), wanted)).softmax(1).numpy()
        assert np.allclose(load_student(tmp_path).predict_proba_many(dataset.hashes(wanted)), theirs, atol=0.02)

    def test_one_by_one_is_all_at_once(self, student: Student, dataset: Dataset) -> None:
        """Padding changes nothing: an example has one answer, alone or among others."""
        hashes = dataset.hashes(np.arange(9))
        alone = np.concatenate([student.predict_proba_many([one]) for one in hashes])
        assert np.allclose(student.predict_proba_many(hashes), alone, atol=1e-6)
        assert student.predict_proba_many([]).shape == (0, len(student.labels))
        assert np.isfinite(student.predict_proba_many([b""])).all()

    def test_diagnostics(self, student: Student) -> None:
        """A build's diagnostics are described as they were for training."""
        one = diagnostic("mismatched types", "E0308", spans=(span(),))
        served = student.predict_proba_diagnostics([one, one])
        described = [b"".join(part.hashes for part in describe("category", one, place, 2)) for place in range(2)]
        assert (served == student.predict_proba_many(described)).all()

    def test_figures(self, student: Student, dataset: Dataset, teacher_folder: Path, logits: np.ndarray) -> None:
        """What is kept of the AUC, and how much smaller and faster a student is, stand beside its scores."""
        ticks = count(0, 1_000)
        found = compare_student(
            student, dataset, [logits], [load_teacher(teacher_folder)], seed=1, clock=lambda: next(ticks)
        )
        assert found.figures["auc_retained"] > 0.9
        assert found.figures["faster"] == 1.0
        assert {"online", "student", "online + student", "teacher"} <= set(found.comparison.rows)


class TestServing:
    def test_without_torch(self, student_folder: Path) -> None:
        """A student is served by a process that never imports torch."""
        program = (
            "import sys; from pathlib import Path; from models.student import load_student\n"
            "found = load_student(Path(sys.argv[1])).predict_proba_many([b'1234'])\n"
            "assert found.shape[0] == 1 and not {'torch', 'onnx', 'sklearn'} & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-c", program, str(student_folder)], check=True, timeout=60)

    def test_bytes_from_a_topic(self, student_folder: Path, student: Student) -> None:
        """Card and graph may come as bytes; those that do not belong together are refused."""
        card, graph = (student_folder / CARD).read_bytes(), (student_folder / WEIGHTS["student"]).read_bytes()
        assert student_from_bytes(card, graph).labels == student.labels
        with pytest.raises(ModelFileError, match="digest"):
            student_from_bytes(card, graph + b" ")

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            (b'"schema_version": 1', b'"schema_version": 2', "2 is not known here"),
            (b'"version": 1,', b'"version": 99,', "features category version 99"),
            (b'"kind": "student"', b'"kind": "teacher"', "only a student"),
            (b'"bits": 10', b'"bits": 99', "features.bits"),
            (b'"OwnershipBorrow"', b'"TypeErrors"', "twice"),
            (b"{", b"[", "not JSON"),
        ],
    )
    def test_cards_that_do_not_fit(self, student_folder: Path, old: bytes, new: bytes, said: str) -> None:
        """A card of another version, kind or size is refused, and the message says which."""
        card, graph = (student_folder / CARD).read_bytes(), (student_folder / WEIGHTS["student"]).read_bytes()
        assert old in card
        with pytest.raises(ModelFileError, match=said):
            student_from_bytes(card.replace(old, new, 1), graph)

    def test_no_model_at_all(self, tmp_path: Path) -> None:
        """An empty folder is named, with what a model is."""
        with pytest.raises(ModelFileError, match=r"card\.json.*a model is a folder"):
            load_student(tmp_path)


class TestEnsemble:
    def test_weights_go_to_who_is_right(self) -> None:
        """On the validation part the better model gets the larger weight, and the mean is no worse than either."""
        truth = np.array([0, 1, 0, 1] * 20)
        good = np.where(truth[:, None] == np.arange(2), 0.9, 0.1).astype(np.float32)
        bad = np.full((80, 2), 0.5, np.float32)
        weights = learned_weights([bad, good], truth)
        assert weights[1] > weights[0]
        assert sum(weights) == pytest.approx(1.0)
        assert mixed([bad, good], weights).sum(1) == pytest.approx(np.ones(80))
