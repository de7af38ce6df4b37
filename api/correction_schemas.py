"""What a person says of a field, as it comes in and goes out."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.types import Box, ReaderInfo, Truth
from storage.records import CorrectionRecord

MAX_NOTE = 500
MAX_TEXT = 64
MAX_PAGE = 1_000_000
MAX_CORRECTIONS = 1_000
"""On one page of the list."""


class CorrectionBody(BaseModel):
    """What a field reads, by a person who looked."""

    model_config = ConfigDict(extra="forbid")

    page: int = Field(0, ge=0, le=MAX_PAGE, description="Index of the page, from 0.")
    field: str = Field(max_length=128, description="Name of the field on that page.")
    truth: Truth = Field(
        Truth.TEXT,
        description="text: `text` says what it reads; empty: nothing stands there; unreadable: nobody can tell.",
    )
    text: str | None = Field(None, max_length=MAX_TEXT, description="The characters, as the field's type has them.")
    note: str = Field("", max_length=MAX_NOTE, description="For people.")

    @model_validator(mode="after")
    def _check_text(self) -> Self:
        if (self.truth is Truth.TEXT) != bool(self.text):
            raise ValueError("text belongs to the truth 'text', and that needs it")
        return self


class CorrectionsQuery(BaseModel):
    """Which corrections."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=MAX_CORRECTIONS)
    after: str | None = Field(None, max_length=64, description="Only those after this id.")
    batch: str | None = Field(None, max_length=64, description="Only of this batch's documents.")


class Corrector(BaseModel):
    """Whose key a correction came with."""

    key_id: str
    key_name: str


class Correction(BaseModel):
    """What a person said of a field, beside what had been read there."""

    id: str
    document_id: str
    filename: str
    page: int
    field: str
    type: str
    box: Box
    truth: Truth
    text: str | None = Field(description="What it reads; null where the truth is no text.")
    value: str | None = Field(description="What `text` means, normalised by the field's type.")
    confirms: bool = Field(description="Whether the reading was right.")
    old_text: str = Field(description="As it was read.")
    old_value: str | None
    old_confidence: float
    old_accepted: bool
    reader: ReaderInfo | None = Field(description="What had read it.")
    by: Corrector
    note: str
    created_at: datetime
    current: bool = Field(description="Whether nobody has corrected the same field since.")

    @classmethod
    def of(cls, record: CorrectionRecord) -> "Correction":
        """Return the record as callers see it."""
        return cls(
            **{name: getattr(record, name) for name in _SAME_NAMES},
            page=record.page_index,
            by=Corrector(key_id=record.key_id, key_name=record.key_name),
        )


_SAME_NAMES = tuple(name for name in Correction.model_fields if name not in {"page", "by"})


class CorrectionList(BaseModel):
    """Corrections, oldest first."""

    corrections: list[Correction]
