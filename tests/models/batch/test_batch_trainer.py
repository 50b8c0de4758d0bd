"""Training: what it learns, that it is repeatable, resumable and watched, and what is refused."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.batch.batches import Vocabulary, drawn, prefetched, sample_weights
from models.batch.callbacks import Callback, EarlyStopping, EpochReport, History, PermutationImportance
from models.batch.checkpoints import STATE
from models.batch.config import SEARCH_SPACE, ConfigError, TrainConfig
from models.batch.curriculum import Curriculum, difficulty
from models.batch.dataset import TRAIN, Dataset
from models.batch.network import MixtureOfExperts
from models.batch.report import compare, specialisation
from models.batch.rivals import trivial
from models.batch.teacher import load_teacher
from models.batch.trainer import Trainer, TrainResult, predict, train
from models.card import CARD, WEIGHTS, ModelFileError
from tests.models.batch.conftest import SMALL


def weights(result: TrainResult) -> list[float]:
    """Return sums that tell two networks apart."""
    return [float(one.double().sum()) for one in result.network.state_dict().values()]


class TestTraining:
    def test_learns(self, result: TrainResult) -> None:
        """A few epochs on easy examples get nearly all of the rest right."""
        assert result.scores["test"]["accuracy"] > 0.9

    def test_same_seed_same_numbers(self, result: TrainResult, history: History, dataset: Dataset) -> None:
        """Two trainings with one seed report the same to the last digit, with and without a thread for batches."""
        again = History()
        other = train(SMALL.with_values({"prefetch": 0}), dataset, [again])
        assert again.reports == history.reports
        assert weights(other) == weights(result)

    def test_resumed_is_as_if_never_stopped(self, result: TrainResult, dataset: Dataset, tmp_path: Path) -> None:
        """A training cut off after an epoch and gone on with has the same history and weights."""
        train(SMALL.with_values({"epochs": 1}), dataset, checkpoint=tmp_path)
        resumed = train(SMALL, dataset, checkpoint=tmp_path, resume=True)
        assert [replace(one, epochs=3) for one in resumed.history] == list(result.history)
        assert weights(resumed) == weights(result)

    def test_other_settings_do_not_resume(self, dataset: Dataset, tmp_path: Path) -> None:
        """A checkpoint of other settings, or a damaged one, is refused by name."""
        train(SMALL.with_values({"epochs": 1}), dataset, checkpoint=tmp_path)
        with pytest.raises(ModelFileError, match="another lr"):
            train(SMALL.with_values({"lr": 0.1}), dataset, checkpoint=tmp_path, resume=True)
        (tmp_path / STATE).write_bytes(b"\x00" * 40)
        with pytest.raises(ModelFileError, match="not a training's state"):
            train(SMALL, dataset, checkpoint=tmp_path, resume=True)

    def test_a_callback_may_end_it(self, dataset: Dataset) -> None:
        """The epoch after which a callback says stop is the last one, and every callback hears of it."""

        class Stop(Callback):
            def on_epoch_end(self, report: EpochReport) -> bool:
                return report.epoch == 1

        heard = History()
        found = train(SMALL, dataset, [Stop(), heard])
        assert found.stopped_early
        assert [one.epoch for one in heard.reports] == [1]

    def test_importance(self, dataset: Dataset) -> None:
        """Permuting the words of the message costs more than permuting the numbers."""
        permuted = PermutationImportance(repeats=1)
        train(SMALL, dataset, [permuted])
        found = {one.group: one.drop.accuracy for one in permuted.found}
        assert found["text"] > found["tabular"]

    def test_specialisation(self, result: TrainResult, dataset: Dataset) -> None:
        """Each label's shares of the experts sum to one, over no more experts than the gate chooses for each."""
        every = np.arange(len(dataset))
        _, gates = predict(result.network, result.vocabulary.encode(dataset), every)
        assert ((gates > 0).sum(axis=1) <= SMALL.top_k).all()
        assert all(sum(one) == pytest.approx(1.0, abs=1e-4) for one in specialisation(dataset, every, gates).values())

    def test_rivals_stand_beside(self, result: TrainResult, dataset: Dataset) -> None:
        """A comparison has the trivial baselines, the online learner, the teacher and their mean, on the same rows."""
        every = np.arange(len(dataset))
        shares, _ = predict(result.network, result.vocabulary.encode(dataset), every)
        found = compare(dataset, shares, "teacher", 42)
        assert list(found.rows) == ["majority", "last_label", "lookup", "online", "teacher", "online + teacher"]
        assert found.rows["lookup"]["accuracy"] == trivial(dataset)["lookup"]["accuracy"]
        assert sum(found.weights) == pytest.approx(1.0)


class TestTeacherOnDisk:
    def test_round_trip(self, teacher_folder: Path, result: TrainResult, dataset: Dataset) -> None:
        """A teacher that was written and read says the same."""
        every = np.arange(len(dataset))
        shares, _ = predict(result.network, result.vocabulary.encode(dataset), every)
        logits = load_teacher(teacher_folder).logits(dataset, every)
        assert np.allclose(torch.from_numpy(logits).softmax(dim=1).numpy(), shares, atol=1e-6)

    def test_what_is_wrong_is_named(self, teacher_folder: Path, tmp_path: Path) -> None:
        """Changed weights and a card of another version are refused before anything is made of them."""
        card, data = (teacher_folder / CARD).read_bytes(), (teacher_folder / WEIGHTS["teacher"]).read_bytes()
        (tmp_path / CARD).write_bytes(card)
        (tmp_path / WEIGHTS["teacher"]).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(ModelFileError, match="digest"):
            load_teacher(tmp_path)
        (tmp_path / CARD).write_bytes(card.replace(b'"schema_version": 1', b'"schema_version": 9'))
        with pytest.raises(ModelFileError, match="9 is not known here"):
            load_teacher(tmp_path)


class TestEarlyStopping:
    def test_waits_for_the_last_tier(self) -> None:
        """Epochs without progress count only when all tiers are open."""
        one = EarlyStopping(patience=2, delta=0.001)
        flat = [report(1, tier=1), report(2, tier=1), report(3, tier=1), report(4, tier=2), report(5, tier=2)]
        assert [one.on_epoch_end(each) for each in flat] == [False, False, False, False, True]

    def test_a_gain_below_delta_is_none(self) -> None:
        """What rises by less than delta has not risen."""
        one = EarlyStopping(patience=1, delta=0.01)
        one.on_epoch_end(report(1, tier=2))
        assert one.on_epoch_end(report(2, tier=2, f1=0.505))


def report(epoch: int, tier: int, f1: float = 0.5) -> EpochReport:
    """Return a report of one of two tiers."""
    return EpochReport(epoch, 9, tier, 2, 10, 0.1, 0.5, f1, best=False, expert_share=(1.0,))


class TestCurriculum:
    def test_tiers_open_with_accuracy(self) -> None:
        """Easy examples come first; an accuracy past several thresholds opens several tiers."""
        one = Curriculum((0.6, 0.7, 0.8), np.array([0.9, 0.1, 0.5, 0.3]))
        assert one.open().tolist() == [1]
        one.advance(0.75)
        assert one.open().tolist() == [1, 2, 3]

    def test_nothing_is_kept_away_for_ever(self) -> None:
        """A threshold that is never reached opens the next tier after some epochs."""
        one = Curriculum((0.9,), np.array([0.0, 1.0]))
        for _ in range(3):
            one.advance(0.1)
        assert len(one.open()) == 2

    def test_difficulty(self, dataset: Dataset) -> None:
        """What an online learner meets late and knows is easier than what it meets first."""
        found = difficulty(dataset, dataset.part(TRAIN), seed=0)
        assert found.shape == (len(dataset.part(TRAIN)),)
        assert found.min() < 0.5 < found.max()


class TestSampling:
    def test_equal_weights_give_each_once(self) -> None:
        """Without weights an epoch is a permutation."""
        found = drawn(np.ones(7), 7, np.random.default_rng(1))
        assert sorted(found.tolist()) == list(range(7))

    def test_rare_labels_are_drawn_more_often(self) -> None:
        """The rarest label is drawn more often by the factor asked for, never more."""
        labels = np.array([0] * 990 + [1] * 10)
        weight = sample_weights(labels, 1.5)
        assert weight.max() == pytest.approx(1.5)
        assert weight.min() == 1.0
        found = drawn(weight, 1000, np.random.default_rng(1))
        assert 14 <= (labels[found] == 1).sum() <= 16

    def test_errors_of_the_thread_are_raised(self) -> None:
        """What goes wrong while batches are made is raised where they are used, and no thread stays behind."""

        def broken() -> object:
            yield "one"
            raise ValueError("bad batch")

        before = threading.active_count()
        with pytest.raises(ValueError, match="bad batch"):
            list(prefetched(broken, 1))  # type: ignore[arg-type]
        next(iter(prefetched(lambda: iter(range(100)), 1)))  # type: ignore[arg-type, return-value]
        assert threading.active_count() <= before + 1

    def test_unknown_features_are_left_out(self, dataset: Dataset) -> None:
        """A vocabulary has what stands often enough in the training part, and encodes nothing else."""
        vocabulary = Vocabulary.of(dataset, dataset.part(TRAIN)[:5], 2)
        encoded = vocabulary.encode(dataset)
        assert len(encoded.text.values) < len(dataset.text.values)
        assert encoded.text.values.max() < len(vocabulary.text)


class TestNetwork:
    def test_experts_see_only_their_examples(self, dataset: Dataset) -> None:
        """With one expert chosen, the logits are that expert's and the linear part's."""
        torch.manual_seed(0)
        config = SMALL.with_values({"top_k": 1, "experts": 3})
        vocabulary = Vocabulary.of(dataset, dataset.part(TRAIN), 1)
        network = MixtureOfExperts(len(vocabulary.text), len(vocabulary.code), len(dataset.labels), config).eval()
        found = network(vocabulary.encode(dataset).batch(np.arange(4)))
        assert found.gates.sum(dim=1).tolist() == [1.0] * 4
        assert ((found.gates > 0).sum(dim=1) == 1).all()
        assert float(found.balance.detach()) > 0

    def test_no_features_at_all(self, dataset: Dataset) -> None:
        """An example of which nothing is known has an answer, not an error."""
        trainer = Trainer(SMALL.with_values({"epochs": 1}), dataset)
        empty = Vocabulary(np.zeros(0, np.uint32), np.zeros(0, np.uint32)).encode(dataset)
        assert np.isfinite(predict(trainer.network, empty, np.arange(2))[0]).all()


class TestConfig:
    def test_a_misspelt_setting(self) -> None:
        """A setting that is none is refused with those there are, before anything runs."""
        with pytest.raises(ConfigError, match=r"epoch: .*settings are epochs"):
            TrainConfig.read({"epoch": 3})

    def test_search_space_fits(self) -> None:
        """Whatever a search may choose is a valid setting."""
        for name, one in SEARCH_SPACE.items():
            for value in one.choices or (one.low, one.high):
                assert TrainConfig().with_values({name: int(value) if one.kind == "int" else value})
