"""What storage hands out and takes in: frozen records, no database object among them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from core.status import Priority, Status
from core.types import Box, Failure, PageReading, ProcessingStep, ReaderInfo, Truth


class Scope(StrEnum):
    """What an API key may do; `admin` may do everything, for every owner."""

    SUBMIT = "submit"
    READ = "read"
    ADMIN = "admin"


class Outcome(StrEnum):
    """How one attempt at a document or page ended."""

    DONE = "done"
    SPLIT = "split"
    FAILED = "failed"
    REQUEUED = "requeued"
    LOST = "lost"
    RELEASED = "released"


class TemplateRef(NamedTuple):
    """One version of a template; of `auto`, which chooses among them, there are none."""

    name: str
    version: int | None


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document as it comes in; its blob is stored already under `sha256`."""

    filename: str
    sha256: str
    size_bytes: int
    media_type: str
    type_name: str | None = None
    template: str | None = None
    priority: Priority = Priority.NORMAL
    tags: tuple[str, ...] = ()
    callback_url: str | None = None
    target_error: float | None = None
    expected_micr: str | None = None


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """What a person says of one field; `text` and `value` are given with `Truth.TEXT` alone."""

    page_index: int
    field: str
    truth: Truth
    text: str | None = None
    value: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class CorrectionRecord:
    """What a person said of a field, and what had been read there; neither ever changes.

    Attributes:
        box: where the field lies on the page.
        old_text: as read, when the person looked.
        reader: what had read it; None where the reading did not say.
        key_id, key_name: whose key the correction came with.
        current: whether nobody has corrected the same field since.
    """

    id: str
    document_id: str
    filename: str
    page_index: int
    field: str
    type: str
    box: Box
    old_text: str
    old_value: str | None
    old_confidence: float
    old_accepted: bool
    reader: ReaderInfo | None
    truth: Truth
    text: str | None
    value: str | None
    note: str
    key_id: str
    key_name: str
    created_at: datetime
    current: bool = True

    @property
    def confirms(self) -> bool:
        """Whether the person found the reading right."""
        return (self.text or "") == self.old_text and self.truth is not Truth.UNREADABLE


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document with what is known of it so far.

    Attributes:
        duplicate_of: the owner's first document with the same bytes, if this is not it.
        attempts: how often a worker has taken it since it was submitted or last retried.
        pages_total: None until a worker has looked into the file.
        pages: pages that are finished, in order; empty where a call says that it leaves them out.
        corrections: the latest of each field, oldest first; left out with the pages.
        version: grows with every visible change; the HTTP interface's ETag.
        target_error: the share of accepted fields that may be wrong; None where the caller left it to the settings.
        expected_micr: the caller's own MICR line, which what was read is compared with.
    """

    id: str
    owner: str
    batch_id: str | None
    status: Status
    filename: str
    sha256: str
    size_bytes: int
    media_type: str
    type_name: str | None
    template: TemplateRef | None
    priority: Priority
    tags: tuple[str, ...]
    callback_url: str | None
    duplicate_of: str | None
    attempts: int
    pages_total: int | None
    pages_done: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    failure: Failure | None
    reader: ReaderInfo | None
    pages: tuple[PageReading, ...]
    version: int
    steps: tuple[ProcessingStep, ...] = ()
    target_error: float | None = None
    expected_micr: str | None = None
    corrections: tuple[CorrectionRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Created:
    """A document that was stored, or the earlier one that the request repeats."""

    document: DocumentRecord
    replayed: bool


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch and how many of its documents stand where."""

    id: str
    owner: str
    name: str | None
    created_at: datetime
    counts: dict[Status, int]
    total: int


@dataclass(frozen=True, slots=True)
class CreatedBatch:
    """A batch that was stored, or the earlier one that the request repeats."""

    batch: BatchRecord
    replayed: bool


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """An API key without its secret."""

    id: str
    owner: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def allows(self, scope: Scope) -> bool:
        """Return whether this key may do what needs `scope`."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


@dataclass(frozen=True, slots=True)
class PageSession:
    """What a one-time link has opened: the page under a key, until somebody signs out."""

    id: str
    key: KeyRecord


@dataclass(frozen=True, slots=True)
class TemplateRecord:
    """One stored version of a template; `body` is its definition as JSON."""

    name: str
    version: int
    body: dict[str, object]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on a document, or on one page of a long one.

    Attributes:
        page_index: None when the whole document is held.
        attempt: counts from 1; what logs and limits speak of.
        token: new with every claim. Every write under the claim asks for it, so that a worker that was given
            up for lost, or released its claim, can never overwrite the one that came after it.
    """

    document_id: str
    page_index: int | None
    attempt: int
    token: str
    owner: str
    batch_id: str | None
    sha256: str
    filename: str
    type_name: str | None
    template: TemplateRef | None
    priority: Priority
    target_error: float | None = None
    expected_micr: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A document, or one page of it, that should be sent to the workers."""

    document_id: str
    page_index: int | None
    priority: Priority


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """What became of a page's result.

    Attributes:
        stored: False when the claim was no longer valid and the result was dropped.
        finished: whether this was the last page, so that the document has just ended.
        status: where the document stands now; None when it is gone.
    """

    stored: bool
    finished: bool
    status: Status | None


@dataclass(frozen=True, slots=True)
class Expired:
    """What a sweep made of leases that had run out.

    Attributes:
        requeued: to be sent again.
        failed: documents that ended as failed.
        done: long documents whose last page was lost while others were read.
    """

    requeued: list[Delivery] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that has ended."""

    document_id: str
    page_index: int | None
    number: int
    worker: str
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    failure: Failure | None
