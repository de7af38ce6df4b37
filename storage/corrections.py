"""What people say that fields read: added, listed, and never changed; of several for one field the latest counts.

Everything that takes an `owner` treats another owner's document as absent; None stands for an administrator.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from core.errors import NotFound, NotReady
from core.status import FINAL, Status
from storage import mappers
from storage.clock import new_id, utc_now
from storage.engine import Database, check_text
from storage.mappers import AnyRow
from storage.records import CorrectionRecord, KeyRecord, NewCorrection
from storage.tables import corrections, documents, fields, pages

_WHOLE = select(*corrections.c, documents.c.filename).join(documents, documents.c.id == corrections.c.document_id)


class Corrections:
    """The corrections in one database."""

    def __init__(self, database: Database) -> None:
        """Work on `database`."""
        self._database = database

    def add(self, document_id: str, new: NewCorrection, *, owner: str | None, key: KeyRecord) -> CorrectionRecord:
        """Store what a person says of a field, beside what is read there now.

        Raises:
            NotFound: no such document of that owner, or no such field on the page.
            NotReady: the page has not been read yet.
        """
        check_text(new.note)
        with self._database.write() as connection:
            read = _reading(connection, document_id, new, owner)
            values = {
                **mappers.correction_values(new),
                **{name: getattr(read, name) for name in ("type", "x", "y", "width", "height")},
                **{f"old_{name}": getattr(read, name) for name in ("text", "value", "confidence", "accepted")},
                "reader_version": read.reader_version,
                "reader_sha256": read.reader_sha256,
                "id": new_id(),
                "document_id": document_id,
                "key_id": key.id,
                "key_name": key.name,
                "created_at": utc_now(),
            }
            connection.execute(insert(corrections), values)
            # What is seen of the document has changed, and its entity tag with it.
            connection.execute(
                update(documents).where(documents.c.id == document_id).values(version=documents.c.version + 1)
            )
            row = connection.execute(_WHOLE.where(corrections.c.id == values["id"])).one()
        return mappers.correction_record(row, current=True)

    def of_document(self, document_id: str, owner: str | None) -> tuple[CorrectionRecord, ...]:
        """Return every correction of a document, oldest first.

        Raises:
            NotFound: no such document of that owner.
        """
        with self._database.read() as connection:
            found = select(documents.c.id).where(documents.c.id == document_id)
            if connection.execute(_owned(found, owner)).scalar() is None:
                raise NotFound
            return _all_of(connection, [document_id])

    def listed(
        self, *, owner: str | None, limit: int, after_id: str | None = None, batch_id: str | None = None
    ) -> list[CorrectionRecord]:
        """Return the latest correction of each field, oldest first, those after the id `after_id`."""
        query = _owned(_WHOLE, owner).order_by(corrections.c.id).limit(limit).where(_is_latest())
        if after_id is not None:
            query = query.where(corrections.c.id > after_id)
        if batch_id is not None:
            query = query.where(documents.c.batch_id == batch_id)
        with self._database.read() as connection:
            return [mappers.correction_record(row, current=True) for row in connection.execute(query)]


def current_corrections(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[CorrectionRecord, ...]]:
    """Return the corrections of these documents that count, by document."""
    found: dict[str, tuple[CorrectionRecord, ...]] = {}
    for each in _all_of(connection, ids):
        if each.current:
            found[each.document_id] = (*found.get(each.document_id, ()), each)
    return found


def _all_of(connection: Connection, ids: Sequence[str]) -> tuple[CorrectionRecord, ...]:
    query = _WHOLE.where(corrections.c.document_id.in_(ids)).order_by(corrections.c.document_id, corrections.c.id)
    return tuple(_marked(connection.execute(query).all()))


def _marked(rows: Sequence[AnyRow]) -> Iterable[CorrectionRecord]:
    """Yield the rows' records, of each field the last one as current."""
    last = {(row.document_id, row.page_index, row.field): row.id for row in rows}
    for row in rows:
        yield mappers.correction_record(row, current=last[row.document_id, row.page_index, row.field] == row.id)


def _is_latest() -> Any:  # noqa: ANN401 - SQLAlchemy's own
    later = corrections.alias("later")
    newest = (
        select(func.max(later.c.id))
        .where(
            later.c.document_id == corrections.c.document_id,
            later.c.page_index == corrections.c.page_index,
            later.c.field == corrections.c.field,
        )
        .scalar_subquery()
    )
    return corrections.c.id == newest


def _owned(query: Select[*tuple[Any, ...]], owner: str | None) -> Select[*tuple[Any, ...]]:
    return query if owner is None else query.where(documents.c.owner == owner)


def _reading(connection: Connection, document_id: str, new: NewCorrection, owner: str | None) -> AnyRow:
    """Return the row of the field as read, with what read it."""
    status: Status | None = connection.execute(
        _owned(select(documents.c.status).where(documents.c.id == document_id), owner)
    ).scalar()
    if status is None:
        raise NotFound
    at = (fields.c.document_id == document_id, fields.c.page_index == new.page_index, fields.c.name == new.field)
    reader_version = func.coalesce(pages.c.reader_version, documents.c.reader_version).label("reader_version")
    reader_sha256 = func.coalesce(pages.c.reader_sha256, documents.c.reader_sha256).label("reader_sha256")
    row = connection.execute(
        select(*fields.c, reader_version, reader_sha256)
        .join(documents, documents.c.id == fields.c.document_id)
        .join(pages, (pages.c.document_id == fields.c.document_id) & (pages.c.page_index == fields.c.page_index))
        .where(*at)
        .limit(1)
    ).one_or_none()
    if row is not None:
        return row
    if status not in FINAL:
        raise NotReady
    raise NotFound(f"There is no field {new.field!r} on page {new.page_index}.")
