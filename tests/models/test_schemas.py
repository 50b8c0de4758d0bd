"""The generated documents: current, valid, and in agreement with the records and the topics."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from jsonschema import Draft202012Validator

from models import schemas
from models.cloudevents import event_type, headers
from models.records import RECORDS, Record, parse
from streams.topics import TOPICS

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
GOLDEN = ROOT / "tests" / "golden" / "records"

each_kind = pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.topic)


def schema(kind: type[Record]) -> dict[str, Any]:
    """Return the schema file of a record."""
    document: dict[str, Any] = orjson.loads((DOCS / "schemas" / f"{kind.topic}.v1.json").read_bytes())
    return document


def description() -> dict[str, Any]:
    """Return the AsyncAPI document."""
    document: dict[str, Any] = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())
    return document


class TestSchemas:
    @each_kind
    def test_is_valid(self, kind: type[Record]) -> None:
        """Each file is a schema of draft 2020-12 that says what it is."""
        document = schema(kind)
        Draft202012Validator.check_schema(document)
        assert document["$schema"] == schemas.DIALECT
        assert document["title"] == kind.__name__
        assert document["$id"]
        assert document["description"]

    @each_kind
    def test_accepts_the_golden_record(self, kind: type[Record]) -> None:
        """The golden record, and what we write of it, satisfy the schema."""
        raw = (GOLDEN / f"{kind.topic}.v{kind.version}.json").read_bytes()
        for value in (raw, parse(kind, raw).to_bytes()):
            Draft202012Validator(schema(kind)).validate(orjson.loads(value))

    @each_kind
    def test_refuses_what_the_reader_refuses(self, kind: type[Record]) -> None:
        """A missing field, a bad project and a future version break the schema too."""
        good = orjson.loads((GOLDEN / f"{kind.topic}.v{kind.version}.json").read_bytes())
        bad = [
            {name: value for name, value in good.items() if name != "id"},
            good | {"project": "/etc"},
            good | {"schema_version": kind.version + 1},
        ]
        assert not any(Draft202012Validator(schema(kind)).is_valid(document) for document in bad)


class TestFiles:
    def test_are_current(self) -> None:
        """The files in docs are what the records say now; if not: ``make docs``."""
        assert schemas.stale(DOCS) == []

    def test_check_lists_stale_ones(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """``--check`` names every changed, missing and left-over file, exits with 1 and writes nothing."""
        shutil.copytree(DOCS / "schemas", tmp_path / "schemas")
        (tmp_path / "schemas" / "programs.v1.json").write_text("{}")
        (tmp_path / "schemas" / "gone.v1.json").write_text("{}")
        assert schemas.main([str(tmp_path), "--check"]) == 1
        listed = [Path(line.split()[1]).name for line in capsys.readouterr().out.splitlines()]
        assert listed == ["asyncapi.yaml", "gone.v1.json", "programs.v1.json"]
        assert not (tmp_path / "asyncapi.yaml").exists()

    def test_writing_brings_them_up_to_date(self, tmp_path: Path) -> None:
        """Writing twice changes nothing the second time, and left-over schemas are removed."""
        (tmp_path / "schemas").mkdir()
        (tmp_path / "schemas" / "gone.v1.json").write_text("{}")
        assert schemas.main([str(tmp_path)]) == 0
        assert not (tmp_path / "schemas" / "gone.v1.json").exists()
        assert schemas.write(tmp_path) == []
        assert schemas.main([str(tmp_path), "--check"]) == 0


def references(node: Any) -> Iterator[str]:
    """Yield every ``$ref`` below ``node``."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from references(child)


def resolve(document: Any, pointer: str) -> Any:
    """Return what a local JSON pointer (``#/a/b``) refers to."""
    for name in pointer.removeprefix("#/").split("/"):
        document = document[name]
    return document


class TestAsyncApi:
    def test_every_reference_resolves(self) -> None:
        """Every reference leads to a part of the document or to a file beside it."""
        document = description()
        for reference in references(document):
            assert resolve(document, reference) if reference.startswith("#") else (DOCS / reference).is_file()

    def test_channels_are_the_topics(self) -> None:
        """Names, partitions and clean-up policies are those that the topics are created with."""
        channels = {channel["address"]: channel["bindings"]["kafka"] for channel in description()["channels"].values()}
        assert set(channels) == {topic.name for topic in TOPICS}
        for topic in TOPICS:
            binding = channels[topic.name]
            assert (binding["partitions"] > 1) is topic.partitioned
            assert binding["topicConfiguration"]["cleanup.policy"] == [topic.config.get("cleanup.policy", "delete")]

    @each_kind
    def test_somebody_sends_and_receives(self, kind: type[Record]) -> None:
        """Every topic has a sender and a receiver, each in a described role."""
        document = description()
        channel = f"#/channels/{kind.topic}"
        actions = {one["action"] for one in document["operations"].values() if one["channel"]["$ref"] == channel}
        assert actions == {"send", "receive"}

    @each_kind
    def test_headers_satisfy_their_schema(self, kind: type[Record]) -> None:
        """The headers that we send satisfy the document's schema for them, and another topic's type does not."""
        document = description()
        record = parse(kind, (GOLDEN / f"{kind.topic}.v{kind.version}.json").read_bytes())
        sent = {name: value.decode() for name, value in headers(record, "/jidoka/test")}
        message = document["components"]["messages"][kind.__name__]
        validator = Draft202012Validator({"components": document["components"], **message["headers"]})
        validator.validate(sent)
        assert sent["ce_type"] == event_type(kind)
        assert not validator.is_valid(sent | {"ce_type": "jidoka.other.v1"})
