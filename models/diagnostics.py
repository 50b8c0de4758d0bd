"""A compiler's message as the line carries it: spans, notes, suggestions; and the bounded text types of all records."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]
Project = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$")]
Short = Annotated[str, StringConstraints(max_length=256)]
Text = Annotated[str, StringConstraints(max_length=16_384)]
Long = Annotated[str, StringConstraints(max_length=1 << 20)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]  # JSON readers, orjson among them, end at 64 bits


SURROUNDING_LINES = 2  # of code, before a span and after it
Surroundings = Annotated[tuple[Text, ...], Field(max_length=SURROUNDING_LINES)]


class Part(BaseModel):
    """A piece of a record: immutable, unknown fields ignored, no infinity and no NaN, which JSON cannot say."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Span(Part):
    """A place in a source file; lines and columns count from 1, ends as rustc gives them (column exclusive).

    ``text`` are the marked lines, ``before`` and ``after`` those around them where the producer had the source.
    """

    file: Short
    line_start: Count
    line_end: Count
    column_start: Count = 0
    column_end: Count = 0
    is_primary: bool = True
    label: Text | None = None
    text: Annotated[tuple[Text, ...], Field(max_length=20)] = ()
    before: Surroundings | None = None
    after: Surroundings | None = None


class Note(Part):
    """A child message of a diagnostic: ``note`` or ``help``."""

    level: Short
    message: Text


class Suggestion(Part):
    """An edit the compiler proposes; applicability in rustc's words."""

    message: Text
    replacement: Text
    applicability: Literal["MachineApplicable", "MaybeIncorrect", "HasPlaceholders", "Unspecified"] = "Unspecified"
    span: Span


class Diagnostic(Part):
    """One message of a compiler."""

    code: Short | None = None
    level: Short
    message: Text
    file: Short | None = None
    spans: Annotated[tuple[Span, ...], Field(max_length=32)] = ()
    notes: Annotated[tuple[Note, ...], Field(max_length=32)] = ()
    suggestions: Annotated[tuple[Suggestion, ...], Field(max_length=32)] = ()

    @property
    def primary(self) -> Span | None:
        """Return the primary span, or the first one, or nothing."""
        return next((span for span in self.spans if span.is_primary), next(iter(self.spans), None))
