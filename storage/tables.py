"""The tables, typed: where everything that must outlive a process is kept.

```
batches ──┐
          ├─< documents ─< pages ─< fields (digits as JSON)
templates ┘        ├─< attempts
                   ├─< corrections
                   └─< idempotency_keys >─ batches
api_keys ─< login_tokens
blob_arrivals
blob_removals
```

A document's `status` moves as `core.status` draws it. `lease_token` is set while a worker holds a row and names
that one claim; `sent_at` says when the row's id last went to the broker. The partial indexes hold only the few rows
that the sweeper looks for, so that a million finished documents cost it nothing.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Double,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Named,
    String,
    Table,
    TypedColumns,
    text,
)
from sqlalchemy.types import TypeDecorator

from core.status import Priority, Status
from core.types import Truth
from storage.records import Outcome

E = TypeVar("E", bound=StrEnum)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(26)
"""A ULID: sorts by time of creation."""

SHA256 = String(64)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware moments in UTC, also on SQLite, which knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC, naive where the database keeps no zone."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment as an aware one in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def _names(kind: Iterable[E]) -> list[str]:
    return [member.value for member in kind]


def _enum(kind: type[E]) -> Enum:
    return Enum(kind, native_enum=False, create_constraint=False, length=16, values_callable=_names)


STATUS = _enum(Status)
PRIORITY = _enum(Priority)
OUTCOME = _enum(Outcome)
TRUTH = _enum(Truth)


class _Work(TypedColumns):
    """What documents and pages share: the state of the work on them."""

    status: Named[Status] = Column(STATUS)
    attempts: Named[int] = Column(Integer)
    lease_token: Named[str | None] = Column(ID)
    lease_expires_at: Named[datetime | None] = Column(UtcDateTime)
    worker: Named[str | None] = Column(String)
    claimed_at: Named[datetime | None] = Column(UtcDateTime)
    sent_at: Named[datetime | None] = Column(UtcDateTime)
    failure: Named[dict[str, Any] | None] = Column(JSON(none_as_null=True))


class BatchColumns(TypedColumns):
    """Documents that were submitted together."""

    id: Named[str] = Column(ID, primary_key=True)
    owner: Named[str] = Column(String)
    name: Named[str | None] = Column(String)
    created_at: Named[datetime] = Column(UtcDateTime)


class TemplateColumns(TypedColumns):
    """Versions of templates; a version is never changed, only followed by another."""

    name: Named[str] = Column(String, primary_key=True)
    version: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    body: Named[dict[str, Any]] = Column(JSON)
    created_at: Named[datetime] = Column(UtcDateTime)
    retired_at: Named[datetime | None] = Column(UtcDateTime)


class DocumentColumns(_Work):
    """One file each."""

    id: Named[str] = Column(ID, primary_key=True)
    owner: Named[str] = Column(String)
    batch_id: Named[str | None] = Column(ID, ForeignKey("batches.id"))
    filename: Named[str] = Column(String)
    sha256: Named[str] = Column(SHA256)
    size_bytes: Named[int] = Column(BigInteger)
    media_type: Named[str] = Column(String)
    type_name: Named[str | None] = Column(String)
    template_name: Named[str | None] = Column(String)
    template_version: Named[int | None] = Column(Integer)
    target_error: Named[float | None] = Column(Double)
    expected_micr: Named[str | None] = Column(String)
    priority: Named[Priority] = Column(PRIORITY)
    tags: Named[list[str]] = Column(JSON)
    callback_url: Named[str | None] = Column(String)
    duplicate_of: Named[str | None] = Column(ID, ForeignKey("documents.id", ondelete="SET NULL"))
    pages_total: Named[int | None] = Column(Integer)
    pages_done: Named[int] = Column(Integer)
    created_at: Named[datetime] = Column(UtcDateTime)
    started_at: Named[datetime | None] = Column(UtcDateTime)
    finished_at: Named[datetime | None] = Column(UtcDateTime)
    reader_version: Named[str | None] = Column(String)
    reader_sha256: Named[str | None] = Column(SHA256)
    steps: Named[list[dict[str, Any]]] = Column(JSON)
    version: Named[int] = Column(Integer)


class PageColumns(_Work):
    """Pages that are read, and those of a long document that wait for it."""

    document_id: Named[str] = Column(ID, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True)
    page_index: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    width: Named[int] = Column(Integer)
    height: Named[int] = Column(Integer)
    skew_degrees: Named[float]
    registration: Named[dict[str, Any] | None] = Column(JSON(none_as_null=True))
    preview_sha256: Named[str | None] = Column(SHA256)
    reader_version: Named[str | None] = Column(String)
    reader_sha256: Named[str | None] = Column(SHA256)


class FieldColumns(TypedColumns):
    """Fields as read, in reading order."""

    document_id: Named[str] = Column(ID, primary_key=True)
    page_index: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    position: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    name: Named[str] = Column(String)
    type: Named[str] = Column(String)
    x: Named[int] = Column(Integer)
    y: Named[int] = Column(Integer)
    width: Named[int] = Column(Integer)
    height: Named[int] = Column(Integer)
    text: Named[str] = Column(String)
    value: Named[str | None] = Column(String)
    confidence: Named[float]
    accepted: Named[bool]
    review_reasons: Named[list[str]] = Column(JSON)
    digits: Named[list[dict[str, Any]]] = Column(JSON)


class AttemptColumns(TypedColumns):
    """Attempts that have ended, one row each; the one under way is in its document's or page's own row."""

    id: Named[str] = Column(ID, primary_key=True)
    document_id: Named[str] = Column(ID, ForeignKey("documents.id", ondelete="CASCADE"), index=True)
    page_index: Named[int | None] = Column(Integer)
    number: Named[int] = Column(Integer)
    worker: Named[str] = Column(String)
    started_at: Named[datetime] = Column(UtcDateTime)
    finished_at: Named[datetime] = Column(UtcDateTime)
    outcome: Named[Outcome] = Column(OUTCOME)
    failure: Named[dict[str, Any] | None] = Column(JSON(none_as_null=True))


class CorrectionColumns(TypedColumns):
    """What people say that fields read, beside what was read: rows are added, and never changed.

    They belong to the document and not to a page's row: one that is read again keeps what was said of it.
    """

    id: Named[str] = Column(ID, primary_key=True)
    document_id: Named[str] = Column(ID, ForeignKey("documents.id", ondelete="CASCADE"))
    page_index: Named[int] = Column(Integer)
    field: Named[str] = Column(String)
    type: Named[str] = Column(String)
    x: Named[int] = Column(Integer)
    y: Named[int] = Column(Integer)
    width: Named[int] = Column(Integer)
    height: Named[int] = Column(Integer)
    old_text: Named[str] = Column(String)
    old_value: Named[str | None] = Column(String)
    old_confidence: Named[float]
    old_accepted: Named[bool]
    reader_version: Named[str | None] = Column(String)
    reader_sha256: Named[str | None] = Column(SHA256)
    truth: Named[Truth] = Column(TRUTH)
    text: Named[str | None] = Column(String)
    value: Named[str | None] = Column(String)
    note: Named[str] = Column(String)
    key_id: Named[str] = Column(ID)
    key_name: Named[str] = Column(String)
    created_at: Named[datetime] = Column(UtcDateTime)


class IdempotencyColumns(TypedColumns):
    """What an owner's Idempotency-Key stands for; the primary key decides races."""

    owner: Named[str] = Column(String, primary_key=True)
    key: Named[str] = Column(String, primary_key=True)
    request_digest: Named[str] = Column(String)
    document_id: Named[str | None] = Column(ID, ForeignKey("documents.id", ondelete="CASCADE"), index=True)
    batch_id: Named[str | None] = Column(ID, ForeignKey("batches.id", ondelete="CASCADE"), index=True)
    created_at: Named[datetime] = Column(UtcDateTime)


class BlobArrivalColumns(TypedColumns):
    """Blobs that are being stored and may have no row yet, each under its writer's token; see `storage.arrivals`."""

    sha256: Named[str] = Column(SHA256, primary_key=True)
    token: Named[str] = Column(ID, primary_key=True)
    noted_at: Named[datetime] = Column(UtcDateTime)


class BlobRemovalColumns(TypedColumns):
    """Blobs whose rows are gone, and that are to be removed unless another row needs them; see `storage.removals`."""

    sha256: Named[str] = Column(SHA256, primary_key=True)
    ordered_at: Named[datetime] = Column(UtcDateTime)
    tried_at: Named[datetime | None] = Column(UtcDateTime)


class KeyColumns(TypedColumns):
    """API keys; of the secret only its SHA-256."""

    id: Named[str] = Column(ID, primary_key=True)
    owner: Named[str] = Column(String, index=True)
    name: Named[str] = Column(String)
    scopes: Named[list[str]] = Column(JSON)
    secret_sha256: Named[str] = Column(SHA256)
    created_at: Named[datetime] = Column(UtcDateTime)
    last_used_at: Named[datetime | None] = Column(UtcDateTime)
    revoked_at: Named[datetime | None] = Column(UtcDateTime)


class LoginTokenColumns(TypedColumns):
    """One-time links into the page, and once used its sessions; of the token only its SHA-256."""

    token_sha256: Named[str] = Column(SHA256, primary_key=True)
    key_id: Named[str] = Column(ID, ForeignKey("api_keys.id", ondelete="CASCADE"), index=True)
    expires_at: Named[datetime] = Column(UtcDateTime)
    used_at: Named[datetime | None] = Column(UtcDateTime)


batches = Table("batches", metadata, BatchColumns)
templates = Table("templates", metadata, TemplateColumns)
documents = Table(
    "documents",
    metadata,
    DocumentColumns,
    ForeignKeyConstraint(["template_name", "template_version"], ["templates.name", "templates.version"]),
)
pages = Table("pages", metadata, PageColumns)
fields = Table(
    "fields",
    metadata,
    FieldColumns,
    ForeignKeyConstraint(["document_id", "page_index"], ["pages.document_id", "pages.page_index"], ondelete="CASCADE"),
)
attempts = Table("attempts", metadata, AttemptColumns)
corrections = Table("corrections", metadata, CorrectionColumns)
idempotency_keys = Table("idempotency_keys", metadata, IdempotencyColumns)
blob_arrivals = Table("blob_arrivals", metadata, BlobArrivalColumns)
blob_removals = Table("blob_removals", metadata, BlobRemovalColumns)
api_keys = Table("api_keys", metadata, KeyColumns)
login_tokens = Table("login_tokens", metadata, LoginTokenColumns)


def _partial(name: str, *columns: Column[Any], where: str) -> None:
    condition = text(where)
    Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


Index(None, batches.c.owner, batches.c.id)
Index(None, documents.c.owner, documents.c.id)
# By digest first: it answers "has this owner sent these bytes?" and "does anybody still need this blob?".
# With the id, so that "which came first?" is its first entry; without, SQLite walks all that the owner has.
Index(None, documents.c.sha256, documents.c.owner, documents.c.id)
Index(None, corrections.c.document_id, corrections.c.id)
# For the counts: of all documents, and of a batch.
Index(None, documents.c.status, documents.c.priority)
_partial("ix_documents_batch_status", documents.c.batch_id, documents.c.status, where="batch_id IS NOT NULL")
_partial("ix_documents_batch", documents.c.batch_id, documents.c.id, where="batch_id IS NOT NULL")
_partial("ix_documents_duplicate_of", documents.c.duplicate_of, where="duplicate_of IS NOT NULL")
# The status is always the same, yet named: or SQLite takes the index of the counts and sorts the whole queue.
_partial("ix_documents_queued", documents.c.status, documents.c.sent_at, where="status = 'queued'")
_partial("ix_documents_leased", documents.c.lease_expires_at, where="lease_expires_at IS NOT NULL")
_partial("ix_pages_queued", pages.c.sent_at, where="status = 'queued'")
_partial("ix_pages_leased", pages.c.lease_expires_at, where="lease_expires_at IS NOT NULL")
_partial("ix_attempts_requeued", attempts.c.finished_at, where="outcome = 'requeued'")
_partial("ix_pages_preview", pages.c.preview_sha256, where="preview_sha256 IS NOT NULL")
