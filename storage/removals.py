"""Blobs that are to be removed: an outbox, so that none is lost track of, and the look whether a row needs one still.

```
rows go, their digests into the outbox ─ commit ─▶ no row refers to it: blob removed ─▶ out of the outbox ─ commit
                                                 └ the store is away: stays, and the sweeper tries again
```

What somebody stores at that moment stays as well, until it has its row (`storage.arrivals`).
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, CompoundSelect, Connection, delete, exists, or_, select, union, update
from sqlalchemy.dialects import postgresql, sqlite

from core.errors import Unavailable
from storage.clock import utc_now
from storage.engine import Database
from storage.sweeping import CLOCK_SLACK
from storage.tables import blob_arrivals, blob_removals, documents, pages, templates

ARRIVAL_SECONDS = 3600.0
"""No request or task takes so long from the first blob that it stores to its last row: it must have been killed."""

_reference = templates.c.body["registration"]["reference"].as_string()
"""Of a template: the picture of its empty form, which may have been sent as a document, too."""

log = structlog.get_logger(__name__)


class Removals:
    """The blobs of one database that are to be removed."""

    def __init__(self, database: Database) -> None:
        """Work on `database`."""
        self._database = database

    def due(self, *, now: datetime, retry_seconds: float, limit: int) -> list[str]:
        """Return the digests that wait, at most `limit`: the ones never tried first, then the ones tried longest ago.

        None that somebody is just storing. None within `retry_seconds` of a removal that failed: a store that is away
        needs time to come back. A failure in the future was before a clock was set back, and is not believed.
        """
        awaited = exists().where(blob_arrivals.c.sha256 == blob_removals.c.sha256, *_under_way(now))
        failed = (
            exists()
            .where(blob_removals.c.tried_at > now - timedelta(seconds=retry_seconds))
            .where(blob_removals.c.tried_at <= now + CLOCK_SLACK)
            .correlate(None)  # any row's failure, not only that of the row asked for
        )
        query = (
            select(blob_removals.c.sha256)
            .where(~failed, ~awaited)
            .order_by(blob_removals.c.tried_at.nulls_first(), blob_removals.c.ordered_at)
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def work_off(self, digests: Collection[str], remove: Callable[[str], None]) -> frozenset[str]:
        """Call `remove` with each of `digests` that no row refers to, and return these; none of them waits any longer.

        While this lasts no document with the same bytes can be created, so that no blob is removed under a newcomer.
        What somebody is just storing goes on waiting: that one may not get as far as its row.
        What `remove` raises comes through; then all of them go on waiting, the ones that are gone already, too.
        """
        with self._database.write(durable=False) as connection:
            self._database.lock(connection, digests)
            awaited = _awaited(connection, digests)
            orphans = unreferenced(connection, digests) - awaited
            for digest in sorted(orphans):
                remove(digest)
            # What a row refers to again is not to be removed; should that row go, it is ordered anew.
            settled = set(digests) - awaited
            connection.execute(delete(blob_removals).where(blob_removals.c.sha256.in_(settled)))
        return orphans

    def put_off(self, digest: str, now: datetime) -> None:
        """Note that a blob could not be removed just now."""
        with self._database.write(durable=False) as connection:
            connection.execute(update(blob_removals).where(blob_removals.c.sha256 == digest).values(tried_at=now))


def order_removal(connection: Connection, digests: Collection[str]) -> None:
    """Put digests into the outbox, in the transaction that takes their rows away; what waits already stays as it is."""
    if digests:
        insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert
        rows = [{"sha256": digest, "ordered_at": utc_now()} for digest in sorted(digests)]
        connection.execute(insert(blob_removals).on_conflict_do_nothing(), rows)


def remove_ordered(
    database: Database, digests: Collection[str], remove: Callable[[str], None] | None
) -> frozenset[str]:
    """Remove blobs that were ordered to be, as far as that can be done now, and return the digests that no row needs.

    In a transaction of its own, after the one that took the rows away: should that not be committed, on a full disk,
    the blobs must still be there. What cannot be removed now, or all without `remove`, is left to the sweeper.
    """
    if remove is None:
        with database.read() as connection:
            return unreferenced(connection, digests)
    try:
        return Removals(database).work_off(digests, remove)
    except Unavailable as error:
        log.warning("blobs left to the sweeper", code=error.code, count=len(digests))
        return frozenset()


def unreferenced(connection: Connection, digests: Collection[str]) -> frozenset[str]:
    """Return those of `digests` that no row refers to: told by the rows, so that no count of references can drift."""
    query: CompoundSelect[Any] = union(
        select(documents.c.sha256).where(documents.c.sha256.in_(digests)),
        select(pages.c.preview_sha256).where(pages.c.preview_sha256.in_(digests)),
        select(_reference).where(_reference.in_(digests)),
    )
    return frozenset(digests).difference(connection.execute(query).scalars())


def refers_to_blobs(connection: Connection) -> bool:
    """Return whether any row refers to a blob."""
    document, template = exists(select(documents.c.id)), exists().where(_reference.is_not(None))
    return bool(connection.execute(select(or_(document, template))).scalar())


def _awaited(connection: Connection, digests: Collection[str]) -> frozenset[str]:
    query = select(blob_arrivals.c.sha256).where(blob_arrivals.c.sha256.in_(digests), *_under_way(utc_now()))
    return frozenset(connection.execute(query).scalars())


def _under_way(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions under which a note's writer may be alive; one from the future is not believed."""
    noted_at = blob_arrivals.c.noted_at
    return noted_at > now - timedelta(seconds=ARRIVAL_SECONDS), noted_at <= now + CLOCK_SLACK
