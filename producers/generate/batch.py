"""Programs as batches of a corpus, built column by column: a row as a dictionary costs as much as its program."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from producers.generate.request import Candidate
from producers.programs_corpus import SCHEMA, program_id

_ENTRIES = SCHEMA.field("entry_points").type
_ENTRY = _ENTRIES.value_type
_PARAMETERS = _ENTRY.field("parameters").type


def batch_of(candidates: Iterable[Candidate]) -> pa.RecordBatch:
    """Return a batch with a row for each candidate."""
    found = list(candidates)
    sources = [one.program.source for one in found]
    columns = [
        pa.array(map(program_id, sources), pa.string()),
        pa.array(sources, pa.string()),
        pa.array([one.strategy for one in found], pa.string()),
        pa.array([one.program.level for one in found], pa.string()),
        pa.array([one.seed for one in found], pa.int64()),
        pa.array([one.program.key for one in found], pa.int64()),
        _entries(found),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _entries(candidates: list[Candidate]) -> pa.ListArray:
    """Return the column of entry points, from flat lists and offsets."""
    functions: list[str] = []
    returns: list[str] = []
    names: list[str] = []
    types: list[str] = []
    raised: list[str] = []
    ends, parameter_ends, raised_ends = [0], [0], [0]
    for one in candidates:
        for entry in one.program.entries:
            functions.append(entry.function)
            returns.append(entry.returns)
            for name, kind in entry.parameters:
                names.append(name)
                types.append(kind)
            parameter_ends.append(len(names))
            raised.extend(entry.raises)
            raised_ends.append(len(raised))
        ends.append(len(functions))
    parameter = pa.StructArray.from_arrays([_text(names), _text(types)], fields=list(_PARAMETERS.value_type))
    parameters = pa.ListArray.from_arrays(_offsets(parameter_ends), parameter, type=_PARAMETERS)
    raises = pa.ListArray.from_arrays(_offsets(raised_ends), _text(raised), type=_ENTRY.field("raises").type)
    entry_points = pa.StructArray.from_arrays(
        [_text(functions), parameters, _text(returns), raises], fields=list(_ENTRY)
    )
    return pa.ListArray.from_arrays(_offsets(ends), entry_points, type=_ENTRIES)


def _text(values: list[str]) -> pa.Array:
    return pa.array(values, pa.string())


def _offsets(values: list[int]) -> pa.Array:
    return pa.array(values, pa.int32())
