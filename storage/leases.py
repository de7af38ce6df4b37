"""The conditional UPDATEs beneath `claims`: taking a lease, ending it, moving a document on.

A `Hold` names a lease by its token. Every function here runs inside its caller's transaction and reports whether the
hold was still valid; if it was not, the caller rolls back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import Connection, insert, literal_column, select, update

from core.status import Priority, Status
from core.types import Failure, ProcessingStep, merged_steps
from storage import mappers
from storage.clock import new_id, utc_now
from storage.mappers import AnyRow, Values
from storage.records import Claim, Outcome, PageOutcome
from storage.tables import attempts, documents, pages

QUEUED: Any = literal_column("'queued'")
"""Written out rather than bound: the planners use a partial index only when they see the value."""

_LOST = PageOutcome(stored=False, finished=False, status=None)


@dataclass(frozen=True, slots=True)
class Hold:
    """One lease on a document or page."""

    document_id: str
    page_index: int | None
    attempt: int
    token: str
    priority: Priority

    @classmethod
    def of(cls, claim: Claim) -> Self:
        """Return the lease under which `claim` works."""
        return cls(claim.document_id, claim.page_index, claim.attempt, claim.token, claim.priority)


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease about to be taken, and the columns that take it."""

    token: str
    now: datetime
    values: Values


def new_lease(*, worker: str, lease_seconds: float) -> Lease:
    """Return a lease from now on under a new token."""
    now, token = utc_now(), new_id()
    values = {
        "status": Status.RUNNING,
        "lease_token": token,
        "lease_expires_at": now + timedelta(seconds=lease_seconds),
        "worker": worker,
        "claimed_at": now,
    }
    return Lease(token, now, values)


def mark_documents(connection: Connection, ids: Sequence[str], sent_at: datetime | None) -> None:
    """Note when queued documents went to the broker, None for not at all; others are left alone."""
    connection.execute(
        update(documents).where(documents.c.id.in_(ids), documents.c.status == QUEUED).values(sent_at=sent_at)
    )


def end_lease(connection: Connection, hold: Hold, values: Values) -> AnyRow | None:
    """Write `values` and give the lease up; returns its worker and start, or None when it was no longer valid."""
    freed = {**values, "lease_token": None, "lease_expires_at": None}
    if hold.page_index is None:
        statement = (
            update(documents)
            .where(documents.c.id == hold.document_id, documents.c.lease_token == hold.token)
            .values(**freed, version=documents.c.version + 1)
            .returning(documents.c.worker, documents.c.claimed_at)
        )
    else:
        statement = (
            update(pages)
            .where(
                pages.c.document_id == hold.document_id,
                pages.c.page_index == hold.page_index,
                pages.c.lease_token == hold.token,
            )
            .values(**freed)
            .returning(pages.c.worker, pages.c.claimed_at)
        )
    return connection.execute(statement).one_or_none()


def log_attempt(
    connection: Connection, hold: Hold, held: AnyRow, *, outcome: Outcome, failure: Values | None = None
) -> None:
    """Add the attempt that has just ended to the history."""
    connection.execute(
        insert(attempts),
        {
            "id": new_id(),
            "document_id": hold.document_id,
            "page_index": hold.page_index,
            "number": hold.attempt,
            "worker": held.worker,
            "started_at": held.claimed_at,
            "finished_at": utc_now(),
            "outcome": outcome,
            "failure": failure,
        },
    )


def advance_document(
    connection: Connection, document_id: str, values: Values, steps: tuple[ProcessingStep, ...]
) -> AnyRow | None:
    """Count one more finished page of a running document, which was read by `steps`; None when it runs no longer."""
    statement = (
        update(documents)
        .where(documents.c.id == document_id, documents.c.status == Status.RUNNING)
        .values(**values, pages_done=documents.c.pages_done + 1, version=documents.c.version + 1)
        .returning(documents.c.pages_done, documents.c.pages_total, documents.c.steps)
    )
    row = connection.execute(statement).one_or_none()
    known = () if row is None else mappers.steps(row.steps)
    merged = merged_steps(known, steps)
    if row is not None and merged != known:
        # The row is this transaction's since the statement above: no other page can have added to it meanwhile.
        joined = update(documents).where(documents.c.id == document_id).values(steps=mappers.step_values(merged))
        connection.execute(joined)
    return row


def finish_document(connection: Connection, document_id: str, progress: AnyRow) -> Status:
    """End a long document if all its pages have ended; returns where it stands then."""
    if progress.pages_done < progress.pages_total:
        return Status.RUNNING
    rows = connection.execute(
        select(pages.c.failure, pages.c.registration)
        .where(pages.c.document_id == document_id)
        .order_by(pages.c.page_index)
    ).all()
    # A page that failed may be of another form: when it is read again, the template must be chosen again.
    chosen = mappers.chosen_values([None if row.failure else mappers.registration(row.registration) for row in rows])
    values = {**ended([row.failure for row in rows]), **chosen}
    connection.execute(update(documents).where(documents.c.id == document_id).values(**values))
    status: Status = values["status"]
    return status


def ended(failures: list[Values | None]) -> Values:
    """Return the columns that end a document whose pages ended with these failures, None for a page that was read."""
    failed = bool(failures) and all(failure is not None for failure in failures)
    return {
        "status": Status.FAILED if failed else Status.DONE,
        "failure": failures[0] if failed else None,
        "finished_at": utc_now(),
    }


def lose(connection: Connection, hold: Hold, failure: Failure, *, again: bool, outcome: Outcome) -> PageOutcome:
    """End an attempt without a reading: queue its document or page `again`, or let it fail for good."""
    if again:
        return _requeue(connection, hold, failure, outcome)
    if hold.page_index is None:
        return _fail_document(connection, hold, failure, outcome)
    return _fail_page(connection, hold, failure, outcome)


def _requeue(connection: Connection, hold: Hold, failure: Failure, outcome: Outcome) -> PageOutcome:
    held = end_lease(connection, hold, {"status": Status.QUEUED, "sent_at": None})
    if held is None:
        return _LOST
    log_attempt(connection, hold, held, outcome=outcome, failure=mappers.failure_values(failure))
    return PageOutcome(stored=True, finished=False, status=Status.QUEUED)


def _fail_document(connection: Connection, hold: Hold, failure: Failure, outcome: Outcome) -> PageOutcome:
    values = ended([mappers.failure_values(failure)])
    held = end_lease(connection, hold, values)
    if held is None:
        return _LOST
    log_attempt(connection, hold, held, outcome=outcome, failure=values["failure"])
    return PageOutcome(stored=True, finished=True, status=Status.FAILED)


def _fail_page(connection: Connection, hold: Hold, failure: Failure, outcome: Outcome) -> PageOutcome:
    stored = mappers.failure_values(failure)
    progress = advance_document(connection, hold.document_id, {}, ())
    held = progress and end_lease(connection, hold, {"status": Status.FAILED, "failure": stored})
    if progress is None or held is None:
        return _LOST
    log_attempt(connection, hold, held, outcome=outcome, failure=stored)
    status = finish_document(connection, hold.document_id, progress)
    return PageOutcome(stored=True, finished=status is not Status.RUNNING, status=status)
