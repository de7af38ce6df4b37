"""How many documents of all owners stand where: what `/metrics` reports."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from core.status import Priority, Status
from storage.engine import Database
from storage.tables import documents


@dataclass(frozen=True, slots=True)
class Totals:
    """Documents of all owners.

    Attributes:
        by_status: how many stand where.
        queued_by_priority: how many wait in which queue.
        oldest_queued_seconds: how long the one waiting longest has waited; 0 when none does.
    """

    by_status: dict[Status, int]
    queued_by_priority: dict[Priority, int]
    oldest_queued_seconds: float


def count_documents(database: Database) -> Totals:
    """Return the totals of a database as they are now.

    Raises:
        DatabaseUnavailable: it does not answer.
    """
    groups = select(documents.c.status, documents.c.priority, func.count()).group_by(
        documents.c.status, documents.c.priority
    )
    oldest = select(func.min(documents.c.created_at)).where(documents.c.status == Status.QUEUED)
    by_status: defaultdict[Status, int] = defaultdict(int)
    queued: dict[Priority, int] = {}
    with database.read() as connection:
        for status, priority, count in connection.execute(groups):
            by_status[status] += count
            if status is Status.QUEUED:
                queued[priority] = count
        since = connection.execute(oldest).scalar()
    waited = (datetime.now(UTC) - since).total_seconds() if since else 0.0
    return Totals(dict(by_status), queued, max(0.0, waited))
