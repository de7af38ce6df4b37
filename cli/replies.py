"""What the service answers, as types; the field names are those of the HTTP interface."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from core.status import FINAL, Status
from core.types import Box, Failure, PageReading, ReaderInfo, Truth

Id = Annotated[str, Field(pattern="^[0-9A-Z]{26}$")]
"""A ULID; pictures are named after some, so that a service must not send a path."""


class Reply(BaseModel):
    """Part of an answer; what a newer service adds is left aside."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Progress(Reply):
    """How many pages of a document are read."""

    pages_total: int | None = None
    pages_done: int = 0


class TemplateRef(Reply):
    """The version of a template that a document is read by; without a version while none is chosen for all pages."""

    name: str
    version: int | None = None


class Document(Reply):
    """A document as the service shows it."""

    id: str
    status: Status
    filename: str
    sha256: str
    batch_id: str | None = None
    duplicate_of: str | None = None
    type: str | None = None
    template: TemplateRef | None = None
    target_error: float | None = None
    attempts: int = 0
    progress: Progress = Progress()
    created_at: AwareDatetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    failure: Failure | None = None
    reader: ReaderInfo | None = None
    pages: tuple[PageReading, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status in FINAL


class Batch(Reply):
    """A batch and how many of its documents stand where."""

    id: str
    name: str | None = None
    created_at: AwareDatetime
    total: int
    counts: dict[Status, int] = Field(default_factory=dict)

    @property
    def finished_count(self) -> int:
        """How many documents are finished."""
        return sum(self.counts.get(status, 0) for status in FINAL)


class TemplateSummary(Reply):
    """A template in a list."""

    name: str
    version: int | None = None


class TemplateList(Reply):
    """Templates by name."""

    templates: tuple[TemplateSummary, ...]


class Reference(Reply):
    """A stored picture of an empty form."""

    sha256: str


class TemplateVersion(Reply):
    """A template and which version of its name it is."""

    name: str
    version: int | None = None
    created_at: datetime | None = None
    template: dict[str, Any]


class Limits(Reply):
    """What the service accepts."""

    max_file_bytes: int


class Session(Reply):
    """Whose key the caller holds."""

    owner: str
    scopes: tuple[str, ...] = ()


class CorrectorReply(Reply):
    """Whose key a correction came with."""

    key_name: str


class CorrectionReply(Reply):
    """What a person said of a field."""

    id: Id
    document_id: Id
    filename: str
    page: int
    field: str
    type: str
    box: Box
    truth: Truth
    text: str | None = None
    old_text: str
    confirms: bool
    by: CorrectorReply
    created_at: AwareDatetime
    reader: ReaderInfo | None = None


class CorrectionsReply(Reply):
    """Corrections, oldest first."""

    corrections: tuple[CorrectionReply, ...]
