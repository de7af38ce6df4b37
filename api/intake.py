"""From an upload to queued documents: check, note and store the blob, insert the row, commit, then send the id.

What is refused is refused before anything is stored, so that it leaves nothing behind; what fails later, or is killed,
leaves the note (`storage.arrivals`).
A broker that is away does not matter here: the row stays queued, and the sweeper sends it later.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import IO

import structlog
from werkzeug.datastructures import FileStorage

from api.archives import READ_BYTES, Archive, ArchiveLimits, Readable
from api.services import Services
from api.templates import require_template
from core.callbacks import is_allowed
from core.errors import (
    ArchiveRejected,
    DatabaseUnavailable,
    IdempotencyConflict,
    InvalidRequest,
    PayloadTooLarge,
    QueueFull,
    RequestError,
    UnsupportedMediaType,
)
from core.media import SNIFF_BYTES, ZIP, sniff
from core.settings import Settings
from core.status import Priority
from core.types import AUTO
from forms.field_types import field_type
from forms.micr import check_line
from forms.templates import parse_template
from storage.arrivals import Arrival
from storage.records import BatchRecord, Created, DocumentRecord, NewDocument, TemplateRecord

MAX_NAME_LENGTH = 255

UNKNOWN_MEDIA_TYPE = "application/octet-stream"
"""Of a file in a batch that is no image: it becomes a document too, and fails there, so that no file is lost."""


@dataclass(frozen=True, slots=True)
class Order:
    """Whose documents, and how they are to be read."""

    owner: str
    type_name: str | None = None
    template: str | None = None
    priority: Priority = Priority.NORMAL
    tags: tuple[str, ...] = ()
    callback_url: str | None = None
    batch_id: str | None = None
    reuse_duplicates: bool = False
    target_error: float | None = None
    expected_micr: str | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose bytes are in the blob store."""

    name: str
    sha256: str
    size_bytes: int
    media_type: str


class _Rejoined:
    """A stream whose first bytes were taken already."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int = -1, /) -> bytes:
        if not self._head:
            return self._rest.read(size)
        end = len(self._head) if size < 0 else size
        data, self._head = self._head[:end], self._head[end:]
        return data


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a request. Iterating reads them from their start, however often."""

    uploads: list[FileStorage]
    archive: Archive | None = None

    def __iter__(self) -> Iterator[tuple[str, Readable]]:
        if self.archive is not None:
            yield from self.archive.members()
            return
        for upload in self.uploads:
            upload.stream.seek(0)
            yield upload.filename or "", upload.stream

    def each(self, take: Callable[[Readable], tuple[str, int]]) -> list[StoredFile]:
        """Return what `take` makes of each file's bytes: their SHA-256 and size."""
        taken = []
        for name, stream in self:
            head = stream.read(SNIFF_BYTES)
            sha256, size = take(_Rejoined(head, stream))
            taken.append(StoredFile(clean_name(name), sha256, size, sniff(head) or UNKNOWN_MEDIA_TYPE))
        return taken


def submit_file(
    services: Services, upload: FileStorage, order: Order, *, idempotency_key: str | None = None
) -> DocumentRecord:
    """Store one file as a queued document, or return the earlier one that the request repeats.

    Raises:
        UnsupportedMediaType: its bytes are none of the accepted types.
        PayloadTooLarge: it has more bytes than the settings allow.
        QueueFull: as many documents wait as the settings allow.
        IdempotencyConflict: another request came before under the key.
    """
    files = _Files([upload])
    before = _digest_before(services, order, idempotency_key)
    if before is None:
        check_order(services, order)
        _check_file(upload, services.settings)
    with services.store.arrivals.expected() as arrival:
        (stored,) = _store_all(services, files, arrival) if before is None else _same_files(files, order, before)
        digest = _digest(order, [stored])
        document = _create(services, stored, order, idempotency_key=idempotency_key, request_digest=digest).document
        _store_missing(services, files, [stored], arrival)
    return document


def submit_batch(
    services: Services,
    uploads: list[FileStorage],
    order: Order,
    *,
    name: str | None = None,
    idempotency_key: str | None = None,
) -> BatchRecord:
    """Store many files, or the files of one ZIP, as a batch; no file at all makes an empty batch.

    Raises:
        ArchiveRejected: the ZIP is unsafe, or it came together with other files.
        PayloadTooLarge: a file has more bytes than the settings allow.
        InvalidRequest: there are too many files.
        QueueFull: as many documents wait as the settings allow.
        IdempotencyConflict: another request came before under the key.
    """
    before = _digest_before(services, order, idempotency_key)
    if before is None:
        check_order(services, order)
    files = _acceptable(uploads, services.settings)
    if before is not None:
        _same_files(files, order, before, name=name)
    with services.store.arrivals.expected() as arrival:
        stored = _store_all(services, files, arrival)
        digest = _digest(order, stored, name=name)
        batch = services.store.batches.create(
            owner=order.owner,
            name=name,
            idempotency_key=idempotency_key,
            request_digest=digest if idempotency_key else None,
        ).batch
        structlog.contextvars.bind_contextvars(batch_id=batch.id)
        for index, file in enumerate(stored):
            # With a key of its own each, a request that is repeated after a crash adds exactly what was missing.
            # No caller's key can hold a space, so none meets these.
            key = f"batch {batch.id} {index}" if idempotency_key else None
            _create(services, file, order, batch_id=batch.id, idempotency_key=key, request_digest=digest)
        _store_missing(services, files, stored, arrival)
    return services.store.batches.get(batch.id, order.owner) if stored else batch


def check_order(services: Services, order: Order) -> None:
    """Return when documents of that kind are taken now.

    Raises:
        InvalidRequest: no such field type, one beside a template, a callback that is not allowed, or a MICR line
            that nothing can be compared with.
        UnknownTemplate: no template of that name.
        NotFound: no such batch of that owner.
        QueueFull: as many documents wait as the settings allow.
    """
    if order.type_name is not None:
        with _about("type"):
            field_type(order.type_name)
    _check_callback(order.callback_url, services.settings)
    with _about("template"):
        template = _template(services, order)
    if order.expected_micr is not None:
        with _about("micr"):
            check_line(order.expected_micr)
            if order.template != AUTO:
                _check_has_micr(template)
    if order.batch_id is not None:
        services.store.batches.require(order.batch_id, owner=order.owner)
    if services.queued_count() >= services.settings.max_queued_documents:
        raise QueueFull


def _template(services: Services, order: Order) -> TemplateRecord | None:
    if order.template is not None and order.type_name is not None:
        raise InvalidRequest("A template says itself which types its fields have: send template or type.")
    if order.template is None or order.template == AUTO:
        return None
    return require_template(services.store.templates, order.template)


@contextmanager
def _about(field: str) -> Iterator[None]:
    """Let what is refused inside name the form's field that it is about."""
    try:
        yield
    except RequestError as error:
        error.field = field
        raise


def read_again(services: Services, document_id: str, owner: str | None) -> DocumentRecord:
    """Queue a document again that has ended, and send it; where the broker is away, the sweeper will.

    Raises:
        NotFound: no such document of that owner.
        InvalidTransition: it has not ended.
    """
    sent = services.broker_expected
    document = services.store.documents.retry(document_id, owner, remove=services.blobs.delete, sent=sent)
    _send(services, document.id, priority=document.priority, sent=sent)
    return document


def clean_name(name: str | None) -> str:
    """Return a file's name as a label: one line of at most `MAX_NAME_LENGTH` characters, never used as a path."""
    printable = "".join(char for char in name or "" if char.isprintable() or char == " ").strip()
    return printable[-MAX_NAME_LENGTH:] or "unnamed"


def _create(
    services: Services,
    file: StoredFile,
    order: Order,
    *,
    batch_id: str | None = None,
    idempotency_key: str | None,
    request_digest: str,
) -> Created:
    sent = services.broker_expected
    created = services.store.documents.create(
        _new_document(file, order),
        owner=order.owner,
        batch_id=batch_id or order.batch_id,
        idempotency_key=idempotency_key,
        request_digest=request_digest if idempotency_key else None,
        reuse_duplicates=order.reuse_duplicates,
        sent=sent,
    )
    if not created.replayed:
        _send(services, created.document.id, priority=order.priority, sent=sent)
    return created


def _send(services: Services, document_id: str, *, priority: Priority, sent: bool) -> None:
    """Send a document whose row says already whether it is being `sent`.

    Afterwards would be too late: a worker may have claimed it and queued it again, unsent, and until it is noted the
    sweeper, or its count of what the broker has lost, would be wrong.
    """
    if not services.send(document_id, priority=priority) and sent:
        # Only hastens the sweeper; should the database be away now, it sends after `redeliver_seconds`.
        with suppress(DatabaseUnavailable):
            services.store.documents.mark_unsent([document_id])


def _new_document(file: StoredFile, order: Order) -> NewDocument:
    return NewDocument(
        filename=file.name,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        media_type=file.media_type,
        type_name=order.type_name,
        template=order.template,
        priority=order.priority,
        tags=order.tags,
        callback_url=order.callback_url,
        target_error=order.target_error,
        expected_micr=order.expected_micr,
    )


def _digest_before(services: Services, order: Order, idempotency_key: str | None) -> str | None:
    """Return the digest of the request that came before under this one's key, if one did.

    Asked first of all: what was taken once is not refused when it is repeated, whatever has changed since.
    """
    if idempotency_key is None:
        return None
    return services.store.request_digest(idempotency_key, owner=order.owner)


def _same_files(files: _Files, order: Order, before: str, *, name: str | None = None) -> list[StoredFile]:
    """Return the files of a request that repeats the one whose digest is `before`; nothing is stored.

    Raises:
        IdempotencyConflict: it is another request.
    """
    same = files.each(_measure)
    if _digest(order, same, name=name) != before:
        raise IdempotencyConflict
    return same


def _check_file(upload: FileStorage, settings: Settings) -> None:
    if _media_type(upload.stream) in {None, ZIP}:
        raise UnsupportedMediaType
    if _size(upload.stream) > settings.max_file_bytes:
        raise PayloadTooLarge


def _store_all(services: Services, files: _Files, arrival: Arrival) -> list[StoredFile]:
    limit = services.settings.max_file_bytes
    return files.each(lambda stream: services.keep(stream, limit, note=arrival.note))


def _store_missing(services: Services, files: _Files, stored: list[StoredFile], arrival: Arrival) -> None:
    """Store again what is not there: it was removed, for the notes were overdue, or it has been lost since long ago."""
    missing = {sha256 for sha256 in {file.sha256 for file in stored} if not services.blobs.exists(sha256)}
    if not missing:
        return
    for file, (_, stream) in zip(stored, files, strict=True):
        if file.sha256 in missing:
            services.keep(stream, services.settings.max_file_bytes, note=arrival.note)
            missing.remove(file.sha256)


def _acceptable(uploads: list[FileStorage], settings: Settings) -> _Files:
    """Return the files of a batch, after everything has been found acceptable."""
    if len(uploads) > settings.max_batch_files:
        raise InvalidRequest(f"A batch has at most {settings.max_batch_files} files.", field="files")
    if len(uploads) == 1 and _media_type(uploads[0].stream) == ZIP:
        archive = Archive(uploads[0].stream, ArchiveLimits.from_settings(settings))
        archive.check()
        return _Files(uploads, archive)
    for upload in uploads:
        if _media_type(upload.stream) == ZIP:
            raise ArchiveRejected("Send a ZIP alone, without other files beside it.")
        if _size(upload.stream) > settings.max_file_bytes:
            raise PayloadTooLarge(f"{clean_name(upload.filename)!r} has more than {settings.max_file_bytes} bytes.")
    return _Files(uploads)


def _measure(stream: Readable) -> tuple[str, int]:
    """Return the SHA-256 and size of what `BlobStore.put_stream` would store."""
    digest, size = hashlib.sha256(), 0
    while piece := stream.read(READ_BYTES):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _media_type(stream: IO[bytes]) -> str | None:
    found = sniff(stream.read(SNIFF_BYTES))
    stream.seek(0)
    return found


def _size(stream: IO[bytes]) -> int:
    size = stream.seek(0, 2)
    stream.seek(0)
    return size


def _check_has_micr(template: TemplateRecord | None) -> None:
    if template is None or not parse_template(template.body, kept=True).has_micr:
        raise InvalidRequest("micr is compared with a band of E-13B: name a template that has one.")


def _check_callback(url: str | None, settings: Settings) -> None:
    if url is not None and not is_allowed(url, hosts=settings.callback_hosts):
        raise InvalidRequest("callback_url may not lead there; the service allows hosts by name.", field="callback_url")


def _digest(order: Order, files: list[StoredFile], *, name: str | None = None) -> str:
    """Return what tells whether two requests under one Idempotency-Key are the same."""
    asked = {**asdict(order), "name": name, "files": [(file.name, file.sha256) for file in files]}
    for optional in ("target_error", "expected_micr"):
        # Requests that were digested before there was one stay the same requests.
        if asked[optional] is None:
            del asked[optional]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
