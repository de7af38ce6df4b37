"""Documents as callers see them: submit, look, list, cancel, retry, delete.

What workers do with them is in `claims`. Everything that takes an `owner` treats another owner's document as absent;
None stands for an administrator, who sees them all.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update
from sqlalchemy.sql.dml import Update

from core.errors import InvalidTransition, NotFound, NotReady, UnknownTemplate
from core.status import FINAL, Status, origins
from core.types import AUTO
from storage import mappers
from storage.batches import require_batch
from storage.clock import new_id, utc_now
from storage.corrections import current_corrections
from storage.engine import Database, check_text
from storage.idempotency import once, request_key
from storage.leases import QUEUED, mark_documents
from storage.mappers import AnyRow, Values
from storage.records import Attempt, Created, DocumentRecord, NewDocument, TemplateRef
from storage.removals import order_removal, remove_ordered
from storage.tables import attempts, documents, fields, pages, templates

CHUNK = 100
"""Documents, and pages of theirs, held in memory at a time while a batch is streamed; a longer document comes alone."""

_INSERT = insert(documents).returning(*documents.c)
_FRESH: Values = {
    "status": Status.QUEUED,
    "attempts": 0,
    "pages_total": None,
    "pages_done": 0,
    "failure": None,
    "reader_version": None,
    "reader_sha256": None,
    "steps": [],
    "started_at": None,
    "finished_at": None,
    "lease_token": None,
    "lease_expires_at": None,
    "sent_at": None,
}


class Documents:
    """The documents of one database."""

    def __init__(self, database: Database) -> None:
        """Work on `database`."""
        self._database = database

    def create(
        self,
        new: NewDocument,
        *,
        owner: str,
        batch_id: str | None = None,
        idempotency_key: str | None = None,
        request_digest: str | None = None,
        reuse_duplicates: bool = False,
        sent: bool = False,
    ) -> Created:
        """Store a document as queued, or return the earlier one that the request repeats.

        Args:
            new: the document; its blob must be stored already. Whoever stored it asks `BlobStore.exists` again after
                this call and stores it once more if a deletion came between.
            owner: whose it is.
            batch_id: an existing batch of the same owner.
            idempotency_key: the caller's key for this request.
            request_digest: of the whole request; needed with a key.
            reuse_duplicates: return the owner's newest document of the same bytes, type, template, target error and
                expected MICR line that has not failed or been cancelled, if there is one; with `batch_id` only one of
                that batch, so that no file is missing from it.
            sent: the caller sends the id right after this call. If sending fails it says `mark_unsent`; if it dies in
                between, the sweeper sends after `redeliver_seconds`.

        Raises:
            IdempotencyConflict: the key came with another request before.
            UnknownTemplate: no template of that name.
            NotFound: no such batch.
        """

        def make(connection: Connection) -> tuple[str, Created]:
            created = self._create(connection, new, owner, batch_id, reuse=reuse_duplicates, sent=sent)
            return created.document.id, created

        def load(connection: Connection, document_id: str) -> Created:
            return Created(_get(connection, document_id, owner), replayed=True)

        request = request_key(owner, idempotency_key, request_digest, kind="document_id")
        return once(self._database, request, make=make, load=load)

    def get(self, document_id: str, owner: str | None) -> DocumentRecord:
        """Return a document with the pages that are finished.

        Raises:
            NotFound: no such document of that owner.
        """
        with self._database.read() as connection:
            return _get(connection, document_id, owner)

    def version(self, document_id: str, owner: str | None) -> tuple[int, Status]:
        """Return version and status: what a long poll asks again and again.

        Raises:
            NotFound: no such document of that owner.
        """
        query = _owned(select(documents.c.version, documents.c.status), document_id, owner)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound
        return row.version, row.status

    def recent(
        self, *, owner: str | None, limit: int, before_id: str | None = None, batch_id: str | None = None
    ) -> list[DocumentRecord]:
        """Return the newest documents first, without their pages."""
        query = select(documents).order_by(documents.c.id.desc()).limit(limit)
        if owner is not None:
            query = query.where(documents.c.owner == owner)
        if before_id is not None:
            query = query.where(documents.c.id < before_id)
        if batch_id is not None:
            query = query.where(documents.c.batch_id == batch_id)
        with self._database.read() as connection:
            return [mappers.document_record(row) for row in connection.execute(query)]

    def iterate(self, batch_id: str, *, owner: str | None) -> Iterator[DocumentRecord]:
        """Return a batch's documents in order of submission, with pages, a chunk in memory at a time.

        Raises:
            NotFound: no such batch of that owner; raised by the call itself, before the first document.
        """
        with self._database.read() as connection:
            require_batch(connection, batch_id, owner)
        return self._iterate(batch_id)

    def attempts(self, document_id: str, owner: str | None) -> tuple[Attempt, ...]:
        """Return the attempts at a document and its pages that have ended, oldest first.

        Raises:
            NotFound: no such document of that owner.
        """
        query = select(attempts).where(attempts.c.document_id == document_id).order_by(attempts.c.id)
        with self._database.read() as connection:
            _status(connection, document_id, owner)
            return tuple(mappers.attempt(row) for row in connection.execute(query))

    def preview(self, document_id: str, index: int, *, owner: str | None) -> str:
        """Return the SHA-256 of a page's stored picture.

        Raises:
            NotFound: no such document of that owner, or it has no such page or picture.
            NotReady: the page has not been read yet.
        """
        query = select(pages.c.preview_sha256).where(pages.c.document_id == document_id, pages.c.page_index == index)
        with self._database.read() as connection:
            status = _status(connection, document_id, owner)
            sha256 = connection.execute(query).scalar()
        if sha256 is None:
            raise NotFound if status in FINAL else NotReady
        return sha256

    def mark_unsent(self, ids: Sequence[str]) -> None:
        """Note that the broker did not take the ids, so that the next sweep sends them."""
        with self._database.write(durable=False) as connection:
            mark_documents(connection, ids, None)

    def queued_count(self) -> int:
        """Return how many documents wait, of all owners."""
        with self._database.read() as connection:
            count = connection.execute(
                select(func.count()).select_from(documents).where(documents.c.status == QUEUED)
            ).scalar_one()
        return int(count)

    def cancel(self, document_id: str, owner: str | None) -> DocumentRecord:
        """Stop a document that is queued or running; what a worker still finds out about it is dropped.

        Raises:
            NotFound: no such document of that owner.
            InvalidTransition: it has ended already.
        """
        values = {"status": Status.CANCELLED, "finished_at": utc_now(), "lease_token": None, "lease_expires_at": None}
        with self._database.write() as connection:
            _move(connection, document_id, owner, origin=origins(Status.CANCELLED), values=values)
            connection.execute(
                update(pages)
                .where(pages.c.document_id == document_id, pages.c.status.in_([Status.QUEUED, Status.RUNNING]))
                .values(status=Status.CANCELLED, lease_token=None, lease_expires_at=None)
            )
            return _get(connection, document_id, owner)

    def retry(
        self, document_id: str, owner: str | None, *, remove: Callable[[str], None] | None = None, sent: bool = False
    ) -> DocumentRecord:
        """Queue a document again that has ended; its reading is forgotten and its attempts count anew.

        Args:
            document_id: of a document that has ended.
            owner: whose it is, or None.
            remove: called as by `delete`, with the digests of page pictures that nobody refers to any more.
            sent: the caller sends the id right after this call, as for `create`.

        Raises:
            NotFound: no such document of that owner.
            InvalidTransition: it has not ended.
        """
        with self._database.write() as connection:
            digests = self._locked_digests(connection, document_id, owner)
            fresh = {**_FRESH, "sent_at": utc_now() if sent else None}
            _move(connection, document_id, owner, origin=FINAL, values=fresh)
            connection.execute(delete(pages).where(pages.c.document_id == document_id))
            document = _get(connection, document_id, owner)
            order_removal(connection, digests)
        remove_ordered(self._database, digests, remove)
        return document

    def delete(
        self, document_id: str, owner: str | None, *, remove: Callable[[str], None] | None = None
    ) -> frozenset[str]:
        """Purge a document and return the digests of blobs that nobody refers to any more.

        Args:
            document_id: in any status.
            owner: whose it is, or None.
            remove: called with each of these digests once the deletion is committed, while no document with the same
                bytes can be created. What is `Unavailable` then, or is broken off, the sweeper makes up for.

        Raises:
            NotFound: no such document of that owner.
        """
        with self._database.write() as connection:
            digests = self._locked_digests(connection, document_id, owner)
            # A worker may have stored pictures of pages since: with the row held none can come now.
            digests |= _digests(connection, document_id, owner, hold=True)
            connection.execute(delete(documents).where(documents.c.id == document_id))
            order_removal(connection, digests)
        return remove_ordered(self._database, digests, remove)

    def _locked_digests(self, connection: Connection, document_id: str, owner: str | None) -> frozenset[str]:
        # Before the document's row is touched, always: in the other order two transactions could wait for each other.
        digests = _digests(connection, document_id, owner)
        self._database.lock(connection, digests)
        return digests

    def _create(
        self, connection: Connection, new: NewDocument, owner: str, batch_id: str | None, *, reuse: bool, sent: bool
    ) -> Created:
        check_text(new.filename, new.media_type, new.type_name, new.callback_url)
        self._database.lock(connection, [new.sha256])
        if batch_id is not None:
            require_batch(connection, batch_id, owner)
        template = _latest_template(connection, new.template)
        if reuse and (earlier := _reusable(connection, new, owner, batch_id, template)) is not None:
            return Created(_get(connection, earlier, owner), replayed=True)
        now = utc_now()
        values = {
            **_FRESH,
            **mappers.document_values(new),
            "id": new_id(),
            "owner": owner,
            "batch_id": batch_id,
            "template_name": template.name if template else None,
            "template_version": template.version if template else None,
            "duplicate_of": _first_of(connection, new.sha256, owner),
            "created_at": now,
            "sent_at": now if sent else None,
            "version": 1,
        }
        return Created(mappers.document_record(connection.execute(_INSERT, values).one()), replayed=False)

    def _iterate(self, batch_id: str) -> Iterator[DocumentRecord]:
        last = ""
        query = select(documents).where(documents.c.batch_id == batch_id).order_by(documents.c.id).limit(CHUNK)
        while True:
            with self._database.read() as connection:
                rows = connection.execute(query.where(documents.c.id > last)).all()
                chunk = _with_pages(connection, _within(rows, CHUNK))
            if not chunk:
                return
            yield from chunk
            last = chunk[-1].id


def _within(rows: Sequence[AnyRow], limit: int) -> Sequence[AnyRow]:
    """Return the first of the documents that together have at most `limit` pages, at least one of them."""
    pages_until = accumulate(row.pages_done for row in rows)
    return rows[: max(1, sum(count <= limit for count in pages_until))]


def _owned(query: Select[*tuple[Any, ...]], document_id: str, owner: str | None) -> Select[*tuple[Any, ...]]:
    query = query.where(documents.c.id == document_id)
    return query if owner is None else query.where(documents.c.owner == owner)


def _get(connection: Connection, document_id: str, owner: str | None) -> DocumentRecord:
    rows = connection.execute(_owned(select(documents), document_id, owner)).all()
    if not rows:
        raise NotFound
    return _with_pages(connection, rows)[0]


def _with_pages(connection: Connection, rows: Sequence[AnyRow]) -> list[DocumentRecord]:
    ids = [row.id for row in rows if row.pages_done]
    found = _pages(connection, ids) if ids else {}
    said = current_corrections(connection, [row.id for row in rows])
    return [mappers.document_record(row, found.get(row.id, ()), said.get(row.id, ())) for row in rows]


def _pages(connection: Connection, ids: list[str]) -> dict[str, Any]:
    page_rows = connection.execute(
        select(pages)
        .where(pages.c.document_id.in_(ids), pages.c.status.in_([Status.DONE, Status.FAILED]))
        .order_by(pages.c.document_id, pages.c.page_index)
    ).all()
    field_rows = connection.execute(
        select(fields)
        .where(fields.c.document_id.in_(ids))
        .order_by(fields.c.document_id, fields.c.page_index, fields.c.position)
    ).all()
    return mappers.page_readings(page_rows, field_rows)


def _status(connection: Connection, document_id: str, owner: str | None) -> Status:
    status: Status | None = connection.execute(_owned(select(documents.c.status), document_id, owner)).scalar()
    if status is None:
        raise NotFound
    return status


def _latest_template(connection: Connection, name: str | None) -> TemplateRef | None:
    if name is None:
        return None
    if name == AUTO:
        return TemplateRef(AUTO, None)
    version = connection.execute(
        select(func.max(templates.c.version)).where(templates.c.name == name, templates.c.retired_at.is_(None))
    ).scalar()
    if version is None:
        raise UnknownTemplate
    return TemplateRef(name, version)


def _first_of(connection: Connection, sha256: str, owner: str) -> str | None:
    query = select(func.min(documents.c.id)).where(documents.c.sha256 == sha256, documents.c.owner == owner)
    return connection.execute(query).scalar()


def _reusable(
    connection: Connection, new: NewDocument, owner: str, batch_id: str | None, template: TemplateRef | None
) -> str | None:
    name, version = template or (None, None)
    query = select(func.max(documents.c.id)).where(
        documents.c.sha256 == new.sha256,
        documents.c.owner == owner,
        documents.c.type_name.is_not_distinct_from(new.type_name),
        documents.c.template_name.is_not_distinct_from(name),
        documents.c.template_version.is_not_distinct_from(version),
        documents.c.target_error.is_not_distinct_from(new.target_error),
        documents.c.expected_micr.is_not_distinct_from(new.expected_micr),
        documents.c.status.not_in([Status.FAILED, Status.CANCELLED]),
    )
    if batch_id is not None:
        query = query.where(documents.c.batch_id == batch_id)
    return connection.execute(query).scalar()


def _move(
    connection: Connection, document_id: str, owner: str | None, *, origin: frozenset[Status], values: Values
) -> None:
    """Make a move by one conditional UPDATE, or say why it cannot be made."""
    statement: Update = (
        update(documents)
        .where(documents.c.id == document_id, documents.c.status.in_(sorted(origin)))
        .values(**values, version=documents.c.version + 1)
    )
    if owner is not None:
        statement = statement.where(documents.c.owner == owner)
    if connection.execute(statement).rowcount == 0:
        status = _status(connection, document_id, owner)
        message = f"The document is {status}; that does not allow this."
        raise InvalidTransition(message)


def _digests(connection: Connection, document_id: str, owner: str | None, *, hold: bool = False) -> frozenset[str]:
    query = _owned(select(documents.c.sha256), document_id, owner)
    sha256 = connection.execute(query.with_for_update() if hold else query).scalar()
    if sha256 is None:
        raise NotFound
    pictures = select(pages.c.preview_sha256).where(pages.c.document_id == document_id)
    previews = connection.execute(pictures).scalars()
    return frozenset([sha256, *(preview for preview in previews if preview is not None)])
