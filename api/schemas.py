"""What goes in and comes out, as pydantic models: the one source of validation and of the OpenAPI document.

Readings are the dataclasses of `core.types` themselves, so that an answer, the database and a worker never disagree.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self

from apiflask.fields import UploadFile
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from api.correction_schemas import Correction
from core.form_pages import document_notes
from core.settings import MAX_TARGET_ERROR, Settings
from core.status import Priority, Status
from core.types import DocumentNote, Failure, PageReading, ProcessingStep, ReaderInfo
from forms.field_types import FIELD_TYPES
from storage.records import BatchRecord, DocumentRecord, Scope

MAX_TAGS = 20
MAX_TAG_LENGTH = 64
MAX_LIST = 100
MAX_MICR_LENGTH = 200

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
FieldTypeName = Annotated[str, Field(max_length=64, json_schema_extra={"enum": sorted(FIELD_TYPES)})]


class Input(BaseModel):
    """A form or query; what it does not know is refused, so that a misspelt parameter is not passed over in silence."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Form(Input):
    """A form; what nobody filled in counts as absent."""

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, data: object) -> object:
        # A form on a page sends the fields that nobody filled in as empty texts.
        return {k: v for k, v in data.items() if v not in ("", None)} if isinstance(data, Mapping) else data


class _Judged(Form):
    """How sure a field must be."""

    target_error: float | None = Field(
        None,
        gt=0,
        le=MAX_TARGET_ERROR,
        description="Share of accepted fields that may be wrong: the smaller, the more go to a person. Without it, "
        "the service's own.",
    )


class _Reading(_Judged):
    """How to read what is sent."""

    type: FieldTypeName | None = Field(
        None, description="Read each page as one field of this type. Without it, all numbers on a page are found."
    )
    template: str | None = Field(
        None, max_length=128, description="Read by this template; `auto` chooses one for each page."
    )
    tags: str = Field("", max_length=2000, description="Labels, separated by commas; the field may be repeated.")
    callback_url: str | None = Field(
        None, max_length=2000, description="Is called when the reading ends; its host must be allowed by the service."
    )

    @field_validator("tags")
    @classmethod
    def _check_tags(cls, value: str) -> str:
        split_tags(value)
        return value


class DocumentForm(_Reading):
    """One file."""

    file: UploadFile = Field(description="A PNG, JPEG, BMP, WebP, TIFF or PDF.")
    priority: Priority = Field(Priority.NORMAL, description="Which queue it waits in.")
    batch: str | None = Field(None, max_length=64, description="Id of a batch that it joins.")
    micr: str | None = Field(
        None,
        max_length=MAX_MICR_LENGTH,
        description="The MICR line as you have it, in the signs of E-13B or spelt with A, B, C and D: fields that read "
        "otherwise go to review with check_failed. Needs a template with a band of E-13B.",
    )
    duplicates: Literal["new", "reuse"] = Field(
        "new",
        description="The same bytes again: a new document that names the earlier one, or the earlier one itself; "
        "with `batch`, one of that batch.",
    )


class BatchForm(_Reading):
    """Many files, or one ZIP of files; none for a batch that is filled by later uploads."""

    files: list[UploadFile] | None = Field(None, description="The files, or one ZIP.")
    name: str | None = Field(None, max_length=255, description="A name for people.")
    priority: Priority = Field(Priority.BULK, description="Which queue its documents wait in.")


class DigitForm(_Judged):
    """One glyph."""

    file: UploadFile = Field(description="A picture of one handwritten digit.")


class IdempotencyHeader(BaseModel):
    """The header that makes a request safe to repeat."""

    model_config = ConfigDict(extra="ignore")

    idempotency_key: str | None = Field(
        None,
        pattern="^[!-~]{1,255}$",
        description="Any text of your own: the same text with the same request gives the same document, however often.",
    )


class WaitQuery(Input):
    """How long the answer may wait for a change."""

    wait: float = Field(
        0,
        ge=0,
        le=3600,
        description="Seconds to wait until the reading has ended, or with If-None-Match until something has changed. "
        "More than `max_wait_seconds` counts as that.",
    )


class DigitQuery(Input):
    """How long the answer may wait for the reading."""

    wait: float = Field(5, ge=0, le=3600, description="Seconds to wait for the reading before answering 202.")


class OverlayQuery(Input):
    """What an overlay shows."""

    page: int = Field(0, ge=0, le=1_000_000, description="Index of the page, from 0.")
    scan: bool = Field(True, description="Whether the page's picture lies below.")


class RecentQuery(Input):
    """Which of the newest."""

    limit: int = Field(20, ge=1, le=MAX_LIST)


class RecentDocumentsQuery(RecentQuery):
    """Which of the newest documents."""

    before: str | None = Field(None, max_length=64, description="Only documents older than this id.")
    batch: str | None = Field(None, max_length=64, description="Only documents of this batch.")


class TemplateRef(BaseModel):
    """A version of a template, or `auto` as long as none was chosen for all pages."""

    name: str
    version: int | None


class Progress(BaseModel):
    """How many pages are read; the total is known once a worker has looked into the file."""

    pages_total: int | None
    pages_done: int


class Document(BaseModel):
    """A document and what was read on it."""

    id: str
    batch_id: str | None
    status: Status
    filename: str
    sha256: Sha256
    size_bytes: int
    media_type: str
    type: str | None
    template: TemplateRef | None
    target_error: float | None = Field(description="As asked for; null where the service's own holds.")
    micr: str | None = Field(description="The MICR line that was sent to compare with; null where none was.")
    priority: Priority
    tags: tuple[str, ...]
    callback_url: str | None
    duplicate_of: str | None = Field(description="The first document with the same bytes, when this is not it.")
    progress: Progress
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    failure: Failure | None
    reader: ReaderInfo | None
    notes: tuple[DocumentNote, ...] = Field(
        (), description="Pages of the form that are missing or doubled, once all are read."
    )
    pages: tuple[PageReading, ...] = Field(description="In the order of the form where it has one, else as they came.")
    steps: tuple[ProcessingStep, ...]
    corrections: tuple[Correction, ...] = Field(
        description="What people said that fields read, the latest of each; the readings stay as they were."
    )

    @classmethod
    def of(cls, record: DocumentRecord) -> "Document":
        """Return the record as callers see it."""
        # Checked when it was stored; checking thousands of digits again would cost more than all the rest.
        return cls.model_construct(
            **{name: getattr(record, name) for name in _SAME_NAMES},
            type=record.type_name,
            micr=record.expected_micr,
            template=TemplateRef(**record.template._asdict()) if record.template else None,
            progress=Progress(pages_total=record.pages_total, pages_done=record.pages_done),
            notes=document_notes(record.pages) if record.status is Status.DONE else (),
            corrections=tuple(Correction.of(each) for each in record.corrections),
        )


_SAME_NAMES = tuple(
    name
    for name in Document.model_fields
    if name not in {"type", "micr", "template", "progress", "notes", "corrections"}
)


class RecentDocuments(BaseModel):
    """The newest documents first, without their pages."""

    documents: list[Document]


class Counts(BaseModel):
    """How many documents stand where."""

    queued: int
    running: int
    done: int
    failed: int
    cancelled: int


class Batch(BaseModel):
    """Documents that were sent together."""

    id: str
    name: str | None
    created_at: datetime
    total: int
    counts: Counts
    finished: bool = Field(description="Whether no document waits or is being read.")

    @classmethod
    def of(cls, record: BatchRecord) -> Self:
        """Return the record as callers see it."""
        counts = Counts(**{status: record.counts.get(Status(status), 0) for status in Counts.model_fields})
        return cls(
            id=record.id,
            name=record.name,
            created_at=record.created_at,
            total=record.total,
            counts=counts,
            finished=not (counts.queued or counts.running),
        )


class RecentBatches(BaseModel):
    """The newest batches first."""

    batches: list[Batch]


class Session(BaseModel):
    """Who calls."""

    owner: str
    scopes: list[Scope]


class Limits(BaseModel):
    """What this service accepts."""

    max_file_bytes: int
    max_request_bytes: int
    max_page_pixels: int
    max_page_side: int
    max_pages: int
    max_batch_files: int
    max_archive_bytes: int
    max_archive_ratio: float
    max_queued_documents: int
    max_wait_seconds: float
    request_rate: str
    media_types: list[str]
    types: dict[str, str] = Field(description="Field types by name, each with a sentence about it.")
    priorities: list[Priority]

    @classmethod
    def of(cls, settings: Settings, *, media_types: tuple[str, ...]) -> Self:
        """Return what the settings allow."""
        same = {name: getattr(settings, name) for name in cls.model_fields if name in Settings.model_fields}
        return cls(
            **same,
            request_rate=settings.api_request_rate,
            media_types=list(media_types),
            types={name: kind.description for name, kind in sorted(FIELD_TYPES.items())},
            priorities=list(Priority),
        )


class Health(BaseModel):
    """The process is alive."""

    status: Literal["ok"]
    version: str


class Readiness(BaseModel):
    """Whether the service can do its work, part by part: `ok`, or the code of what is wrong."""

    status: Literal["ready", "unavailable"]
    checks: dict[str, str]


class ProblemType(BaseModel):
    """What a problem's `type` leads to."""

    code: str
    status: int
    sentence: str
    retryable: bool


class FieldProblem(BaseModel):
    """A parameter that was refused."""

    location: str
    field: str
    message: str


class Problem(BaseModel):
    """An error, after RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str = Field(description="Stable; what programs should look at.")
    retryable: bool = Field(description="Whether the same request may succeed later.")
    errors: list[FieldProblem] = Field([], description="The refused parameters, where there are any.")


def split_tags(text: str) -> tuple[str, ...]:
    """Return the tags in a comma separated text, each once, in order.

    Raises:
        ValueError: there are too many, or one is too long.
    """
    tags = tuple(dict.fromkeys(tag for part in text.split(",") if (tag := part.strip())))
    if len(tags) > MAX_TAGS or any(len(tag) > MAX_TAG_LENGTH for tag in tags):
        message = f"at most {MAX_TAGS} tags of at most {MAX_TAG_LENGTH} characters"
        raise ValueError(message)
    return tags
