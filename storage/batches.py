"""Batches: a name for documents that came together, and the counts of where they stand."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select

from core.errors import NotFound
from core.status import Status
from storage import mappers
from storage.clock import new_id, utc_now
from storage.engine import Database, check_text
from storage.idempotency import once, request_key
from storage.mappers import AnyRow
from storage.records import BatchRecord, CreatedBatch
from storage.tables import batches, documents


class Batches:
    """The batches of one database; an `owner` of None stands for an administrator."""

    def __init__(self, database: Database) -> None:
        """Work on `database`."""
        self._database = database

    def create(
        self,
        *,
        owner: str,
        name: str | None = None,
        idempotency_key: str | None = None,
        request_digest: str | None = None,
    ) -> CreatedBatch:
        """Make an empty batch, or return the earlier one that the request repeats.

        Raises:
            IdempotencyConflict: the key came with another request before.
            InvalidRequest: the name cannot be stored.
        """
        check_text(name)

        def make(connection: Connection) -> tuple[str, CreatedBatch]:
            values = {"id": new_id(), "owner": owner, "name": name, "created_at": utc_now()}
            row = connection.execute(insert(batches).returning(*batches.c), values).one()
            return row.id, CreatedBatch(mappers.batch_record(row, {}), replayed=False)

        def load(connection: Connection, batch_id: str) -> CreatedBatch:
            return CreatedBatch(_get(connection, batch_id, owner), replayed=True)

        request = request_key(owner, idempotency_key, request_digest, kind="batch_id")
        return once(self._database, request, make=make, load=load)

    def get(self, batch_id: str, owner: str | None) -> BatchRecord:
        """Return a batch with its counts.

        Raises:
            NotFound: no such batch of that owner.
        """
        with self._database.read() as connection:
            return _get(connection, batch_id, owner)

    def require(self, batch_id: str, *, owner: str) -> None:
        """Return when there is such a batch of that owner; cheaper than its counts.

        Raises:
            NotFound: there is none.
        """
        with self._database.read() as connection:
            require_batch(connection, batch_id, owner)

    def recent(self, owner: str | None, limit: int) -> list[BatchRecord]:
        """Return the newest batches first."""
        query = select(batches).order_by(batches.c.id.desc()).limit(limit)
        if owner is not None:
            query = query.where(batches.c.owner == owner)
        with self._database.read() as connection:
            return _with_counts(connection, connection.execute(query).all())


def require_batch(connection: Connection, batch_id: str, owner: str | None) -> None:
    """Return when there is such a batch of that owner (of any, when None).

    Raises:
        NotFound: there is none.
    """
    found = connection.execute(select(batches.c.owner).where(batches.c.id == batch_id)).scalar()
    if found is None or owner not in (None, found):
        raise NotFound


def _get(connection: Connection, batch_id: str, owner: str | None) -> BatchRecord:
    query = select(batches).where(batches.c.id == batch_id)
    if owner is not None:
        query = query.where(batches.c.owner == owner)
    rows = connection.execute(query).all()
    if not rows:
        raise NotFound
    return _with_counts(connection, rows)[0]


def _with_counts(connection: Connection, rows: Sequence[AnyRow]) -> list[BatchRecord]:
    query = (
        select(documents.c.batch_id, documents.c.status, func.count())
        .where(documents.c.batch_id.in_([row.id for row in rows]))
        .group_by(documents.c.batch_id, documents.c.status)
    )
    counts: defaultdict[str | None, dict[Status, int]] = defaultdict(dict)
    for batch_id, status, count in connection.execute(query):
        counts[batch_id][status] = count
    return [mappers.batch_record(row, counts[row.id]) for row in rows]
