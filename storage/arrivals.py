"""Blobs on their way in: noted before they are stored, so that none is left behind without a row.

```
noted ─ commit ─▶ blob stored ─▶ its row ─ commit ─▶ the note is taken back
                       │              └ refused, failed: the note becomes an order to remove the blob
                       └ the process is killed: the note is overdue one day, and becomes an order, too
```

While a note lasts nobody removes its blob (`storage.removals`), so none goes between its storing and its row's commit.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, or_, select, tuple_

from core.errors import Unavailable
from storage.clock import new_id, utc_now
from storage.engine import Database
from storage.removals import ARRIVAL_SECONDS, order_removal
from storage.sweeping import CLOCK_SLACK
from storage.tables import blob_arrivals


class Arrival:
    """The blobs that one request or task stores, under a token of its own: others may be storing the same bytes."""

    def __init__(self, database: Database) -> None:
        """Begin with none."""
        self._database = database
        self._token = new_id()
        self._noted: set[str] = set()

    def note(self, sha256: str) -> None:
        """Note a blob that is stored right after this call.

        Raises:
            DatabaseUnavailable: it could not be noted, and is not to be stored.
        """
        if sha256 in self._noted:
            return
        with self._database.write(durable=False) as connection:
            self._database.hurry(connection)
            # A removal that is under way is waited for: what is stored after it stays.
            self._database.lock(connection, [sha256])
            connection.execute(insert(blob_arrivals).values(sha256=sha256, token=self._token, noted_at=utc_now()))
        self._noted.add(sha256)

    def end(self, *, kept: bool) -> None:
        """Take the notes back; unless the blobs are `kept`, each by a row, order that they be removed."""
        if not self._noted:
            return
        with self._database.write(durable=False) as connection:
            self._database.hurry(connection)
            if not kept:
                order_removal(connection, self._noted)
            mine = (blob_arrivals.c.token == self._token, blob_arrivals.c.sha256.in_(self._noted))
            connection.execute(delete(blob_arrivals).where(*mine))


class Arrivals:
    """The blobs of one database that are on their way in."""

    def __init__(self, database: Database) -> None:
        """Work on `database`."""
        self._database = database

    @contextmanager
    def expected(self) -> Iterator[Arrival]:
        """Yield where blobs are noted that have their rows when the block ends; if it fails, they may have none.

        A blob that a row refers to after all is not removed by that.
        """
        arrival = Arrival(self._database)
        try:
            yield arrival
        except BaseException:
            with suppress(Unavailable):  # the notes stay, and are overdue one day
                arrival.end(kept=False)
            raise
        with suppress(Unavailable):
            arrival.end(kept=True)

    @contextmanager
    def spared(self, sha256: str) -> Iterator[None]:
        """Have nobody remove a blob that is there while the block gives it a row; should it fail, nothing is removed.

        Raises:
            DatabaseUnavailable: it could not be noted; the block does not run.
        """
        arrival = Arrival(self._database)
        arrival.note(sha256)
        try:
            yield
        finally:
            with suppress(Unavailable):
                arrival.end(kept=True)

    def give_up(self, *, now: datetime, limit: int) -> int:
        """Order the removal of blobs whose writers must have died, at most `limit`; return how many notes went.

        A note from the future was taken before a clock was set back, and counts as overdue.
        """
        noted_at = blob_arrivals.c.noted_at
        query = (
            select(blob_arrivals.c.sha256, blob_arrivals.c.token)
            .where(or_(noted_at <= now - timedelta(seconds=ARRIVAL_SECONDS), noted_at > now + CLOCK_SLACK))
            .order_by(noted_at)
            .limit(limit)
        )
        with self._database.read() as connection:
            overdue = [(row.sha256, row.token) for row in connection.execute(query)]
        if overdue:
            with self._database.write(durable=False) as connection:
                order_removal(connection, {sha256 for sha256, _ in overdue})
                noted = tuple_(blob_arrivals.c.sha256, blob_arrivals.c.token)
                connection.execute(delete(blob_arrivals).where(noted.in_(overdue)))
        return len(overdue)
