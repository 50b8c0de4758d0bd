"""Settings: flags over environment over jidoka.yaml over defaults."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from models.snapshots import snapshot
from models.step import step
from streams.published import fresh_state
from streams.settings import Settings
from streams.supervisor import child_environment
from tests.builders import NOW, random_builds


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("JIDOKA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


class TestOrder:
    def test_each_source_overrides_the_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A flag counts more than the environment, that more than the file, that more than the default."""
        assert Settings().partitions == 4
        Path("jidoka.yaml").write_text("partitions: 5\nbatch_size: 7\n")
        assert Settings().partitions == 5
        monkeypatch.setenv("JIDOKA_PARTITIONS", "6")
        assert Settings().partitions == 6
        assert Settings(partitions=8).partitions == 8
        assert Settings().batch_size == 7


class TestValues:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [("kafka://h:1", "h:1"), ("h:1,i:2", "h:1,i:2"), ("kafka://h:1,i:2", "h:1,i:2"), (None, None)],
    )
    def test_the_scheme_of_a_broker_is_optional(self, given: str | None, kept: str | None) -> None:
        """``kafka://`` before the broker's address may be written or not."""
        assert Settings(broker=given).broker == kept

    @pytest.mark.parametrize(
        "field",
        [
            {"partitions": 0},
            {"partitions": 1025},
            {"app_id": "Upper"},
            {"app_id": ""},
            {"http_port": -1},
            {"commit_interval_s": 0},
            {"commit_interval_s": float("nan")},
            {"batch_size": 0},
            {"security_protocol": "plain"},
            {"broker": ""},
            {"broker": "kafka://"},
            {"partitons": 3},
        ],
        ids=str,
    )
    def test_what_makes_no_sense_is_refused(self, field: dict[str, Any]) -> None:
        """A value out of range and a name that is none are errors that name the setting."""
        with pytest.raises(ValidationError, match=next(iter(field))):
            Settings(**field)

    def test_the_data_folder_is_absolute(self, tmp_path: Path) -> None:
        """A relative folder and ``~`` are resolved once, so that every process means the same."""
        assert Settings(data_dir="here").data_dir == tmp_path / "here"
        assert Settings(data_dir="~/there").data_dir == (Path.home() / "there").resolve()

    def test_settings_do_not_change(self) -> None:
        """Settings are frozen: whoever wants others makes a copy."""
        with pytest.raises(ValidationError):
            Settings().partitions = 3  # type: ignore[misc]

    def test_the_horizon_of_feedback(self) -> None:
        """How many failures feedback may speak of is that of every partition, also of one that held more before."""
        before, after = (fresh_state(Settings(feedback_horizon=failures), None)() for failures in (9, 4))
        for record in random_builds(12, seed=1):
            step(before, record, NOW)
        snapshot.apply(after, snapshot.base(before))
        assert [len(state.recent.contents()[0]) for state in (before, after)] == [9, 4]
        assert after.recent.contents()[0][-1].key == before.recent.contents()[0][-1].key


SECRETS: dict[str, Any] = {"sasl_password": "hunter2", "token": "swordfish"}


class TestSecrets:
    def test_are_not_shown(self) -> None:
        """Neither printing the settings nor an error about them shows a password or a token."""
        settings = Settings.model_validate(SECRETS)
        assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump_json()}"
        assert "swordfish" not in f"{settings!r} {settings} {settings.model_dump_json()}"

    def test_reach_a_child_process_by_its_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A child process reads exactly the settings of its parent, secrets too, and nothing left over from outside."""
        monkeypatch.setenv("JIDOKA_BATCH_SIZE", "11")
        settings = Settings(**SECRETS, broker="h:1", data_dir=Path("/some/where"), warm_start=False, partitions=3)
        environment = child_environment(settings.model_copy(update={"batch_size": 256}))
        assert "PATH" in environment
        for name in [name for name in os.environ if name.startswith("JIDOKA_")]:
            monkeypatch.delenv(name)
        for name, value in environment.items():
            if name.startswith("JIDOKA_"):
                monkeypatch.setenv(name, value)
        child = Settings()
        assert child == settings.model_copy(update={"batch_size": 256})
        assert child.token is not None
        assert child.token.get_secret_value() == "swordfish"
