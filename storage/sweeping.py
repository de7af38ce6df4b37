"""What the sweeper looks for, as queries that `claims` runs: what is to be sent, and leases that have run out."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Exists, Select, exists, func, literal_column, null, or_, select

from core.status import Priority
from storage.leases import QUEUED
from storage.records import Outcome
from storage.tables import attempts, documents, pages

Q = TypeVar("Q", bound=Select[*tuple[Any, ...]])

_REQUEUED: Any = literal_column(f"'{Outcome.REQUEUED}'")
"""Written out, as `QUEUED` is."""

CLOCK_SLACK = timedelta(seconds=60)
"""A moment further ahead than clocks differ was written before a clock was set back, and would hold a document until
then: it is not believed."""


def due_documents(now: datetime, sent: timedelta, failed_ago: timedelta) -> Select[str, Priority]:
    """Return the query for documents that are queued and due, the unsent first; see `Claims.due`."""
    failed = _failed_since(now - failed_ago, now).where(
        attempts.c.document_id == documents.c.id, attempts.c.page_index.is_(None)
    )
    query = select(documents.c.id, documents.c.priority)
    return _due(query, documents, failed, now=now, sent=sent)


def due_pages(now: datetime, sent: timedelta, failed_ago: timedelta) -> Select[str, int, Priority]:
    """Return the query for pages that are queued and due, the unsent first; see `Claims.due`."""
    failed = _failed_since(now - failed_ago, now).where(
        attempts.c.document_id == pages.c.document_id, attempts.c.page_index == pages.c.page_index
    )
    query = select(pages.c.document_id, pages.c.page_index, documents.c.priority).join(
        documents, documents.c.id == pages.c.document_id
    )
    return _due(query, pages, failed, now=now, sent=sent)


def of_priority(priority: Priority | None, query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Return `query` for documents of one priority, or of all for None."""
    if priority is None:
        return query
    # An expression rather than the column: or SQLite takes the index of the counts and sorts the whole queue.
    return query.where(func.coalesce(documents.c.priority, priority) == priority)


def sent_documents() -> Select[Priority, int]:
    """Return the query that counts the documents which should be in the broker, by priority."""
    return (
        select(documents.c.priority, func.count())
        .where(documents.c.status == QUEUED, documents.c.sent_at.is_not(None))
        .group_by(documents.c.priority)
    )


def sent_pages() -> Select[Priority, int]:
    """Return the query that counts the pages which should be in the broker, by priority."""
    return (
        select(documents.c.priority, func.count())
        .join(pages, pages.c.document_id == documents.c.id)
        .where(pages.c.status == QUEUED, pages.c.sent_at.is_not(None))
        .group_by(documents.c.priority)
    )


def expired_documents(now: datetime, latest: datetime) -> Select[Any, Any, Any, Any, Any]:
    """Return the query for documents whose lease has run out before `now`, or cannot run beyond `latest`."""
    return select(documents.c.id, null(), documents.c.attempts, documents.c.lease_token, documents.c.priority).where(
        _outside(documents.c.lease_expires_at, now, latest)
    )


def expired_pages(now: datetime, latest: datetime) -> Select[Any, Any, Any, Any, Any]:
    """Return the query for pages whose lease has run out before `now`, or cannot run beyond `latest`."""
    return (
        select(pages.c.document_id, pages.c.page_index, pages.c.attempts, pages.c.lease_token, documents.c.priority)
        .join(documents, documents.c.id == pages.c.document_id)
        .where(_outside(pages.c.lease_expires_at, now, latest))
    )


def _due(query: Q, table: Any, failed: Exists, *, now: datetime, sent: timedelta) -> Q:  # noqa: ANN401 - of two kinds
    sent_at = table.c.sent_at
    return query.where(
        table.c.status == QUEUED,
        or_(sent_at.is_(None), _outside(sent_at, now - sent, now + sent + CLOCK_SLACK)),
        or_(sent_at.is_not(None), ~failed),
    ).order_by(sent_at.nulls_first())


def _failed_since(moment: datetime, now: datetime) -> Exists:
    return exists().where(
        attempts.c.outcome == _REQUEUED,
        attempts.c.finished_at > moment,
        attempts.c.finished_at <= now + CLOCK_SLACK,
    )


def _outside(column: ColumnElement[datetime | None], first: datetime, last: datetime) -> ColumnElement[bool]:
    return or_(column < first, column > last)
