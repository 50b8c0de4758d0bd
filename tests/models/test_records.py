"""Records: what is read, what is refused and how it is said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import records
from models.records import MAX_DIAGNOSTICS, MAX_RECORD_BYTES, RECORDS, Record, RecordError, content_id, parse

GOLDEN = Path(__file__).parent.parent / "golden" / "records"
FILES = sorted(GOLDEN.glob("*.json"))

each_kind = pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.topic)
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def kind_of(path: Path) -> type[Record]:
    """Return the record class of a golden file, ``<topic>.v<version>.json``."""
    return next(kind for kind in RECORDS if kind.topic == path.stem.rpartition(".v")[0])


def golden(kind: type[Record]) -> dict[str, Any]:
    """Return the golden document of a record's newest version."""
    document: dict[str, Any] = orjson.loads((GOLDEN / f"{kind.topic}.v{kind.version}.json").read_bytes())
    return document


class TestGolden:
    @each_kind
    def test_every_version_is_kept(self, kind: type[Record]) -> None:
        """Every version that a record ever had has a golden file and an upgrade from it."""
        assert all((GOLDEN / f"{kind.topic}.v{version}.json").is_file() for version in range(1, kind.version + 1))
        assert set(kind.upgrades) == set(range(1, kind.version))

    @each_file
    def test_reads_and_writes_back(self, path: Path) -> None:
        """Every golden record is read, and what is written of it reads the same."""
        record = parse(kind_of(path), path.read_bytes())
        assert parse(kind_of(path), record.to_bytes()) == record

    @each_kind
    def test_loses_nothing(self, kind: type[Record]) -> None:
        """No field of a golden record in the newest version is dropped or changed on the way through."""
        record = parse(kind, orjson.dumps(golden(kind)))
        assert orjson.loads(record.to_bytes()) == golden(kind)

    @each_kind
    def test_is_full(self, kind: type[Record]) -> None:
        """The golden record shows every field there is, so that a renamed field cannot pass unseen."""
        assert set(golden(kind)) == set(kind.model_fields)

    @each_kind
    def test_ignores_unknown_fields(self, kind: type[Record]) -> None:
        """A field that this reader does not know is ignored."""
        document = golden(kind)
        assert parse(kind, orjson.dumps(document | {"added_later": [1]})) == parse(kind, orjson.dumps(document))


class Measured(Record):
    """A record that changed twice: ``ms`` became ``seconds``, then ``tool`` came."""

    topic: ClassVar[str] = "measured"
    version: ClassVar[int] = 3
    upgrades: ClassVar[Mapping[int, records.Upgrade]] = {
        1: lambda old: {**old, "seconds": old["ms"] / 1000},
        2: lambda old: {**old, "tool": "rustc"},
    }

    seconds: float
    tool: str


def measured(**fields: Any) -> bytes:
    """Return the bytes of a ``measured`` record with these fields."""
    return orjson.dumps({"id": "m-1", "time": "2025-03-04T09:12:31Z", "project": "p", **fields})


class TestVersions:
    @pytest.mark.parametrize(
        "raw",
        [
            measured(ms=1500),
            measured(schema_version=1, ms=1500),
            measured(schema_version=2, seconds=1.5),
            measured(schema_version=3, seconds=1.5, tool="rustc"),
        ],
        ids=["unversioned", "1", "2", "3"],
    )
    def test_older_versions_are_lifted(self, raw: bytes) -> None:
        """A document of any older version, or without one, reads as the newest."""
        record = parse(Measured, raw)
        assert (record.seconds, record.tool, record.schema_version) == (1.5, "rustc", 3)

    def test_writes_the_newest(self) -> None:
        """A record made here says the version of its class without being told."""
        record = Measured.model_validate(orjson.loads(measured(seconds=1.5, tool="rustc")))
        assert orjson.loads(record.to_bytes())["schema_version"] == 3

    def test_future_version_is_refused(self) -> None:
        """A version newer than this reader is refused with what is known and what to do."""
        with pytest.raises(RecordError, match=r"schema_version 4: .* measured 1 to 3; upgrade jidoka"):
            parse(Measured, measured(schema_version=4, seconds=1.5, tool="rustc"))

    @pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", None, {}, [1], 1 << 63])
    def test_strange_version_is_refused(self, version: object) -> None:
        """A version that is no whole number from 1 up is refused, not guessed at."""
        with pytest.raises(RecordError, match="schema_version"):
            parse(Measured, measured(schema_version=version, seconds=1.5, tool="rustc"))

    @pytest.mark.parametrize("fields", [{}, {"ms": "long"}, {"ms": None}, {"ms": [1]}])
    def test_document_that_cannot_be_lifted(self, fields: dict[str, Any]) -> None:
        """An old document on which an upgrade stumbles is a bad record, not a crash."""
        with pytest.raises(RecordError, match="schema_version 1"):
            parse(Measured, measured(**fields))


def failure(**changes: Any) -> bytes:
    """Return the golden compiler-errors record with these changes."""
    return orjson.dumps(golden(records.CompilerErrors) | changes)


def diagnostics(**changes: Any) -> list[dict[str, Any]]:
    """Return one small diagnostic with these changes, in a list."""
    return [{"level": "error", "message": "mismatched types", **changes}]


SPAN = {"file": "a.rs", "line_start": 1, "line_end": 1}


class TestLimits:
    @pytest.mark.parametrize(
        ("place", "changes"),
        [
            ("id", {"id": "x" * 129}),
            ("id", {"id": "two words"}),
            ("id", {"id": ""}),
            ("project", {"project": "/etc"}),
            ("project", {"project": "p\n"}),
            ("time", {"time": "2025-03-04T09:12:31"}),
            ("run", {"run": "r" * 257}),
            ("part", {"part": 0}),
            ("parts", {"parts": "1" * 30}),
            ("diagnostics", {"diagnostics": []}),
            ("diagnostics", {"diagnostics": diagnostics() * (MAX_DIAGNOSTICS + 1)}),
            ("diagnostics.0.message", {"diagnostics": diagnostics(message="m" * 16_385)}),
            ("diagnostics.0.spans", {"diagnostics": diagnostics(spans=[SPAN] * 33)}),
            ("diagnostics.0.spans.0.line_start", {"diagnostics": diagnostics(spans=[SPAN | {"line_start": -1}])}),
            ("diagnostics.0.spans.0.line_end", {"diagnostics": diagnostics(spans=[SPAN | {"line_end": "9" * 25}])}),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_refusal_names_the_field(self, place: str, changes: dict[str, Any]) -> None:
        """A field beyond its limit is refused, and the message says which one."""
        with pytest.raises(RecordError, match=rf"^compiler-errors: {place}: "):
            parse(records.CompilerErrors, failure(**changes))

    @pytest.mark.parametrize("changes", [{"root": 3}, {"classifications": [], "root": 0}])
    def test_root_is_one_of_the_answers(self, changes: dict[str, Any]) -> None:
        """A prediction whose root is not among its classifications is refused: every reader looks there first."""
        with pytest.raises(RecordError, match="predictions"):
            parse(records.Prediction, orjson.dumps(golden(records.Prediction) | changes))

    def test_counts_the_other_faults(self) -> None:
        """The message says how many more faults there are beside the first."""
        with pytest.raises(RecordError, match=r"\(and 1 more\)$"):
            parse(records.CompilerErrors, failure(id="", project=""))

    def test_too_large(self) -> None:
        """A value over the limit is refused before it is read, with its size and the limit."""
        with pytest.raises(RecordError, match=rf"^{MAX_RECORD_BYTES + 1} bytes: .* at most {MAX_RECORD_BYTES}$"):
            parse(records.CompilerErrors, b" " * (MAX_RECORD_BYTES + 1))

    @pytest.mark.parametrize("raw", [None, b""])
    def test_nothing(self, raw: bytes | None) -> None:
        """A tombstone or an empty value is refused as such."""
        with pytest.raises(RecordError, match="empty value"):
            parse(records.Program, raw)

    @pytest.mark.parametrize("name", ["wall_ms"])
    @pytest.mark.parametrize("value", ["inf", "nan", "-Infinity"])
    def test_no_infinities_in_words(self, name: str, value: str) -> None:
        """A number spelled as text cannot bring in infinity or NaN, which JSON could not carry on."""
        with pytest.raises(RecordError, match=name):
            parse(records.TranspileResult, orjson.dumps(golden(records.TranspileResult) | {name: value}))

    @pytest.mark.parametrize(
        "raw",
        [
            failure(schema_version="x" * 1_000_000),
            b'{"schema_version": ' + b"[" * 800 + b"]" * 800 + b"}",
            orjson.dumps(golden(records.CompilerErrors) | {"diagnostics": {"k" * 1_000_000: 1}}),
        ],
        ids=["text", "nested", "key"],
    )
    def test_messages_are_short(self, raw: bytes) -> None:
        """What is wrong with a huge field is said in a message that fits into a dead letter."""
        with pytest.raises(RecordError) as refusal:
            parse(records.CompilerErrors, raw)
        assert len(str(refusal.value)) < 1000

    def test_long_key_is_not_repeated(self) -> None:
        """A huge name inside a record is not repeated in the message."""
        checkpoint = golden(records.ModelCheckpoint) | {"offsets": {"k" * 1_000_000: "x"}}
        with pytest.raises(RecordError, match="model-checkpoints: offsets") as refusal:
            parse(records.ModelCheckpoint, orjson.dumps(checkpoint))
        assert len(str(refusal.value)) < 1000


texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False, allow_infinity=False)
words = st.sampled_from(["inf", "nan", "1" * 40, "E0308", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def survives(kind: type[Record], raw: bytes) -> None:
    """Assert that ``raw`` is either refused with a short message, or read and written again without change."""
    try:
        record = parse(kind, raw)
    except RecordError as refusal:
        message = str(refusal)
    else:
        message = ""
        assert parse(kind, record.to_bytes()) == record
    assert len(message) < 1000


class TestHostileInput:
    @each_kind
    @settings(max_examples=50)
    @given(raw=st.binary(max_size=200))
    def test_bytes(self, kind: type[Record], raw: bytes) -> None:
        """Random bytes are refused and raise nothing else."""
        survives(kind, raw)

    @each_kind
    @settings(max_examples=50)
    @given(value=values)
    def test_json(self, kind: type[Record], value: Any) -> None:
        """Random JSON is refused and raises nothing else."""
        survives(kind, orjson.dumps(value))

    @each_kind
    @settings(max_examples=50)
    @given(data=st.data())
    def test_damaged_records(self, kind: type[Record], data: st.DataObject) -> None:
        """A good record with some fields replaced is refused, or read and written again without change."""
        fields = st.sampled_from(sorted(kind.model_fields))
        survives(kind, orjson.dumps(golden(kind) | data.draw(st.dictionaries(fields, values, min_size=1, max_size=3))))

    @each_kind
    @pytest.mark.parametrize(
        "raw",
        [
            b'{"id": "\\ud800"}',
            b'{"id": "\xed\xa0\x80"}',
            b'{"time": NaN}',
            b'{"time": 1e999}',
            b'{"schema_version": 1' + b"0" * 5000 + b"}",
            b"[" * 100_000,
            b'{"id":' * 100_000,
            b'{"id": "a"',
            b'\xef\xbb\xbf{"id": "a"}',
            b"\x00" * 64,
            b'"a record"',
            b"[]",
            b"null",
        ],
        ids=lambda raw: repr(raw[:16]),
    )
    def test_refused(self, kind: type[Record], raw: bytes) -> None:
        """Lone surrogates, NaN, numbers without end, deep nesting, cut-off, binary and bare values are refused."""
        with pytest.raises(RecordError):
            parse(kind, raw)

    @each_kind
    def test_duplicated_key(self, kind: type[Record]) -> None:
        """Of a key given twice the last one counts, for every reader the same."""
        raw = b'{"id": "first",' + orjson.dumps(golden(kind) | {"id": "last"})[1:]
        assert parse(kind, raw).id == "last"


class TestContentId:
    def test_is_stable(self) -> None:
        """The id of known content is the same in every version of jidoka, or everything would be learned twice."""
        assert content_id("acme", {"code": "E0308", "spans": [1, 2]}) == "c6d410ff572e827fe75f7b92ec42b7c7"

    @given(st.dictionaries(texts, values, max_size=6))
    def test_ignores_the_order_of_keys(self, content: dict[str, Any]) -> None:
        """The order in which a dictionary was filled does not matter; the order of a list does."""
        assert content_id(content) == content_id(dict(reversed(content.items())))
        assert content_id([1, 2]) != content_id([2, 1])

    @given(values, values)
    def test_is_an_identifier(self, first: Any, second: Any) -> None:
        """An id is 32 hex digits, and different content has a different one."""
        assert set(content_id(first)) <= set("0123456789abcdef")
        assert len(content_id(first)) == 32
        same = orjson.dumps(first, option=orjson.OPT_SORT_KEYS) == orjson.dumps(second, option=orjson.OPT_SORT_KEYS)
        assert (content_id(first) == content_id(second)) is same
