"""One typed settings object: flags over environment (``JIDOKA_*``) over ``jidoka.yaml`` over defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource

# What a worker does: the topics it takes in. "classify" takes failures, feedback and commands, which share a model. A
# role that is added gets a consumer group of its own, `{app_id}-{role}`, so that roles scale apart.
Role = Literal["classify", "transpile", "archive", "train"]


class Settings(BaseSettings):
    """How this process reaches Kafka, where it keeps its files and how it learns; secrets never print."""

    model_config = SettingsConfigDict(env_prefix="JIDOKA_", yaml_file="jidoka.yaml", extra="forbid", frozen=True)

    broker: str | None = Field(default=None, description="kafka://host:port[,host:port]; unset: the embedded broker")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None

    data_dir: Path = Field(default_factory=lambda: user_data_path("jidoka", appauthor=False))
    app_id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] = "jidoka"
    role: Role = Field(default="classify", description="what a worker does")
    partitions: Annotated[int, Field(ge=1, le=1024)] = 4
    replication: Annotated[int, Field(ge=1, le=7)] = 1

    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8787
    ops_port: Annotated[int, Field(ge=0, le=65535, description="each worker's metrics; 0: a free one")] = 0
    token: SecretStr | None = Field(default=None, description="bearer token that HTTP writers must present")

    commit_interval_s: Annotated[float, Field(gt=0, le=60)] = 0.3
    batch_size: Annotated[int, Field(ge=1, le=10_000)] = 256
    broker_wait_s: Annotated[
        float, Field(ge=0, le=3600, description="how long a worker that starts waits for a broker that is away")
    ] = 30
    stall_limit_s: Annotated[
        float, Field(ge=1, le=3600, description="a worker ends itself when work waits and none is done for so long")
    ] = 30
    feedback_horizon: Annotated[
        int, Field(ge=1, le=10_000, description="answered failures of a partition that feedback may still speak of")
    ] = 1_000
    warm_start: bool = Field(default=True, description="start a partition without checkpoint from a trained model")
    weighting: bool = Field(
        default=True, description="raise rare categories when learning, by counts that follow the stream"
    )

    transpiler: str = Field(default="depyler", description="what a transpiling worker puts programs through")
    verify_programs: bool = Field(
        default=False, description="a transpiling worker also runs each program, confined, beside its Rust"
    )

    archive_dir: Path | None = Field(
        default=None, description="where the archive is; unset: archive in the data folder"
    )
    archive_interval_s: Annotated[
        float, Field(gt=0, le=86_400, description="the longest that a record waits to be written into a file")
    ] = 60
    train_schedule: str = Field(default="0 3 * * *", description="when the batch job runs (cron, UTC); off: never")

    @field_validator("train_schedule")
    @classmethod
    def _cron(cls, value: str) -> str:
        from croniter import croniter  # noqa: PLC0415 - commands that schedule nothing do without

        if value != "off" and not croniter.is_valid(value):
            raise ValueError(f"{value[:100]!r} is no cron expression of five fields, as in '0 3 * * *', nor 'off'")
        return value

    @property
    def archive(self) -> Path:
        """Return the archive's folder."""
        return self.archive_dir or self.data_dir / "archive"

    @field_validator("broker")
    @classmethod
    def _kafka_scheme(cls, value: str | None) -> str | None:
        if value is not None and not value.removeprefix("kafka://"):
            raise ValueError("give kafka://host:port[,host:port]")
        return value.removeprefix("kafka://") if value else None

    @field_validator("data_dir", "archive_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser().resolve()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class names it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the YAML file below the environment; no .env file, no secrets folder."""
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls)
