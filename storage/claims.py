"""Documents as workers see them: claim, split, complete, fail, release, and what the sweeper finds.

Every move is one UPDATE that is conditional on the status it leaves, and under a claim on that claim's token: so of
many workers that claim exactly one gets it, and a worker that was given up for lost can no longer write. Transactions
that touch a document and its pages always take the document's row first, so that they cannot lock each other out.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

from sqlalchemy import Connection, Select, exists, func, insert, select, update

from core.errors import WorkerLost
from core.status import Priority, Status
from core.types import DocumentReading, Failure, PageReading, Phase, ProcessingStep, ReaderInfo
from storage import mappers
from storage.clock import utc_now
from storage.engine import Database
from storage.leases import (
    QUEUED,
    Hold,
    advance_document,
    end_lease,
    ended,
    finish_document,
    log_attempt,
    lose,
    mark_documents,
    new_lease,
)
from storage.mappers import Values
from storage.records import Claim, Delivery, Expired, Outcome, PageOutcome
from storage.removals import order_removal, remove_ordered
from storage.sweeping import (
    CLOCK_SLACK,
    due_documents,
    due_pages,
    expired_documents,
    expired_pages,
    of_priority,
    sent_documents,
    sent_pages,
)
from storage.tables import documents, fields, pages

_DROPPED = PageOutcome(stored=False, finished=False, status=None)
_WORKER_LOST = WorkerLost().failure(Phase.WORKER)
_EXPIRED_AT_ONCE = 500
"""Leases that one sweep looks at; more is a disaster that the next sweeps work off."""


class Claims:
    """The work on one database's documents."""

    def __init__(self, database: Database) -> None:
        """Work on `database`."""
        self._database = database

    def claim_document(self, document_id: str, *, worker: str, lease_seconds: float) -> Claim | None:
        """Take a queued document, or return None when it is not queued, gone, or somebody else's."""
        lease = new_lease(worker=worker, lease_seconds=lease_seconds)
        statement = (
            update(documents)
            .where(documents.c.id == document_id, documents.c.status == QUEUED)
            .values(
                **lease.values,
                attempts=documents.c.attempts + 1,
                started_at=func.coalesce(documents.c.started_at, lease.now),
                version=documents.c.version + 1,
            )
            .returning(*documents.c)
        )
        with self._database.write(durable=False) as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else mappers.claim(row, token=lease.token, attempt=row.attempts)

    def claim_page(self, document_id: str, index: int, *, worker: str, lease_seconds: float) -> Claim | None:
        """Take a queued page of a long document, or return None when that cannot be had."""
        lease = new_lease(worker=worker, lease_seconds=lease_seconds)
        running = exists().where(documents.c.id == document_id, documents.c.status == Status.RUNNING)
        statement = (
            update(pages)
            .where(pages.c.document_id == document_id, pages.c.page_index == index, pages.c.status == QUEUED, running)
            .values(**lease.values, attempts=pages.c.attempts + 1)
            .returning(pages.c.attempts)
        )
        with self._database.write(durable=False) as connection:
            attempt = connection.execute(statement).scalar()
            if attempt is None:
                return None
            row = connection.execute(select(documents).where(documents.c.id == document_id)).one()
        return mappers.claim(row, token=lease.token, attempt=attempt, page_index=index)

    def split(self, claim: Claim, pages_total: int) -> bool:
        """Turn a claimed document into queued pages; False when the claim is no longer valid."""
        hold = Hold.of(claim)
        with self._database.write(durable=False) as connection:
            held = end_lease(connection, hold, {"pages_total": pages_total})
            if held is None:
                return False
            log_attempt(connection, hold, held, outcome=Outcome.SPLIT)
            connection.execute(insert(pages), [_waiting_page(claim, index) for index in range(pages_total)])
            return True

    def complete_document(
        self, claim: Claim, reading: DocumentReading, preview_sha256s: Sequence[str | None] = ()
    ) -> bool:
        """Store the reading of a whole document, which ends; False when the claim is no longer valid.

        The document is `done` when any page was read, else `failed` with its first page's failure. Whoever stored the
        pictures asks `BlobStore.exists` after this call and stores them once more if a deletion came between.
        """
        values = {
            **ended([mappers.failure_values(page.failure) for page in reading.pages]),
            **mappers.reader_values(reading.reader),
            "pages_total": len(reading.pages),
            "pages_done": len(reading.pages),
            "steps": mappers.step_values(reading.steps),
            # A page that failed may be of another form: when it is read again, the template must be chosen again.
            **mappers.chosen_values([None if page.failure else page.registration for page in reading.pages]),
        }
        hold = Hold.of(claim)
        with self._database.write(durable=False) as connection:
            self._lock_pictures(connection, preview_sha256s)
            held = end_lease(connection, hold, values)
            if held is None:
                return False
            log_attempt(connection, hold, held, outcome=_outcome(values), failure=values["failure"])
            connection.execute(insert(pages), _read_pages(claim, reading.pages, preview_sha256s))
            _insert_fields(connection, claim, reading.pages)
            return True

    def complete_page(
        self,
        claim: Claim,
        reading: PageReading,
        *,
        reader: ReaderInfo,
        preview_sha256: str | None = None,
        steps: tuple[ProcessingStep, ...] = (),
    ) -> PageOutcome:
        """Store one page's reading; with the last page the document ends, in the same transaction.

        The page's `steps` join those of the pages before it; its picture is seen to as by `complete_document`.
        """
        values, hold = mappers.page_values(reading, preview_sha256=preview_sha256), Hold.of(claim)
        with self._database.write(durable=False) as connection:
            self._lock_pictures(connection, [preview_sha256])
            progress = advance_document(connection, claim.document_id, mappers.reader_values(reader), steps)
            held = progress and end_lease(connection, hold, values)
            if progress is None or held is None:
                connection.rollback()
                return _DROPPED
            log_attempt(connection, hold, held, outcome=_outcome(values), failure=values["failure"])
            _insert_fields(connection, claim, [reading])
            status = finish_document(connection, claim.document_id, progress)
        return PageOutcome(stored=True, finished=status is not Status.RUNNING, status=status)

    def discard(self, preview_sha256: str, *, remove: Callable[[str], None]) -> None:
        """Remove a picture that was stored for a page that nobody waits for, unless another page has the same.

        Args:
            preview_sha256: what was stored.
            remove: called as by `Documents.delete`.
        """
        with self._database.write(durable=False) as connection:
            self._database.lock(connection, [preview_sha256])
            order_removal(connection, [preview_sha256])
        remove_ordered(self._database, [preview_sha256], remove)

    def fail(self, claim: Claim, failure: Failure, *, max_attempts: int) -> Status:
        """Note that an attempt failed, and return where the document or page stands now.

        With a retryable failure and attempts left it is queued again and waits to be sent; else it has failed. A page
        that fails for good counts as finished, and with the last page the document ends. When the claim is no longer
        valid nothing changes (`cancelled` for a document that is gone).
        """
        again = failure.retryable and claim.attempt < max_attempts
        with self._database.write(durable=False) as connection:
            outcome = Outcome.REQUEUED if again else Outcome.FAILED
            if lose(connection, Hold.of(claim), failure, again=again, outcome=outcome).stored:
                return Status.QUEUED if again else Status.FAILED
            connection.rollback()
        with self._database.read() as connection:
            return connection.execute(_present(claim)).scalar() or Status.CANCELLED

    def release(self, claim: Claim) -> bool:
        """Queue a document or page again without counting the attempt: a worker that shuts down is no failure."""
        table = documents if claim.page_index is None else pages
        values = {"status": Status.QUEUED, "sent_at": None, "attempts": table.c.attempts - 1}
        hold = Hold.of(claim)
        with self._database.write(durable=False) as connection:
            held = end_lease(connection, hold, values)
            if held is not None:
                log_attempt(connection, hold, held, outcome=Outcome.RELEASED)
        return held is not None

    def due(
        self,
        *,
        now: datetime,
        redeliver_seconds: float,
        limit: int,
        retry_seconds: float = 0.0,
        priority: Priority | None = None,
    ) -> list[Delivery]:
        """Return what is queued and was never sent, or sent too long ago, at most `limit`, the unsent first.

        With `priority`, of that one only.

        What is queued again after a failed attempt is due `retry_seconds` after that attempt, not before: whatever
        was away then (a blob store, a disk) needs time to come back. What was sent or failed in the future was so
        before a clock was set back, and is not held until then.
        """
        sent, failed = timedelta(seconds=redeliver_seconds), timedelta(seconds=retry_seconds)
        with self._database.read() as connection:
            whole = connection.execute(of_priority(priority, due_documents(now, sent, failed)).limit(limit))
            found = [Delivery(row.id, None, row.priority) for row in whole]
            room = limit - len(found)
            if room > 0:
                rows = connection.execute(of_priority(priority, due_pages(now, sent, failed)).limit(room))
                found += [Delivery(row.document_id, row.page_index, row.priority) for row in rows]
        return found

    def sent_counts(self) -> Counter[Priority]:
        """Return how many queued documents and pages were sent: as many messages each queue should hold."""
        counts: Counter[Priority] = Counter()
        with self._database.read() as connection:
            for query in (sent_documents(), sent_pages()):
                for priority, count in connection.execute(query):
                    counts[priority] += count
        return counts

    def mark_sent(self, deliveries: Sequence[Delivery]) -> None:
        """Note that queued documents or pages go to the broker.

        Call this before sending: afterwards a worker may have claimed one and queued it again, unsent.
        """
        self._mark(deliveries, utc_now())

    def mark_unsent(self, deliveries: Sequence[Delivery]) -> None:
        """Note that the broker did not take them, so that the next sweep sends them."""
        self._mark(deliveries, None)

    def expire(self, *, now: datetime, max_attempts: int, lease_seconds: float) -> Expired:
        """End the leases that have run out: queued again while attempts are left, else failed as `worker_lost`.

        Args:
            now: this moment.
            max_attempts: after so many there is no further one.
            lease_seconds: how long leases are; one that runs longer from now on was taken before a clock was set back,
                and counts as run out.
        """
        latest = now + timedelta(seconds=lease_seconds) + CLOCK_SLACK
        with self._database.read() as connection:
            holds = [
                Hold(*row)
                for query in (expired_documents(now, latest), expired_pages(now, latest))
                for row in connection.execute(query.limit(_EXPIRED_AT_ONCE))
            ]
        expired = Expired()
        for hold in holds:
            self._expire(hold, expired, again=hold.attempt < max_attempts)
        return expired

    def _lock_pictures(self, connection: Connection, digests: Sequence[str | None]) -> None:
        # Before the document's row is touched, as `Documents` does; else a picture could be removed under its new row.
        self._database.lock(connection, [digest for digest in digests if digest is not None])

    def _mark(self, deliveries: Sequence[Delivery], sent_at: datetime | None) -> None:
        if not deliveries:
            return
        whole = [delivery.document_id for delivery in deliveries if delivery.page_index is None]
        single = [delivery for delivery in deliveries if delivery.page_index is not None]
        with self._database.write(durable=False) as connection:
            if whole:
                mark_documents(connection, whole, sent_at)
            for delivery in single:
                connection.execute(
                    update(pages)
                    .where(pages.c.document_id == delivery.document_id, pages.c.page_index == delivery.page_index)
                    .where(pages.c.status == QUEUED)
                    .values(sent_at=sent_at)
                )

    def _expire(self, hold: Hold, expired: Expired, *, again: bool) -> None:
        # Under the token as just read: a claim that was completed in the meantime is left alone.
        with self._database.write(durable=False) as connection:
            lost = lose(connection, hold, _WORKER_LOST, again=again, outcome=Outcome.LOST)
            if not lost.stored:
                connection.rollback()
        if lost.status is Status.QUEUED:
            expired.requeued.append(Delivery(hold.document_id, hold.page_index, hold.priority))
        elif lost.finished:
            (expired.failed if lost.status is Status.FAILED else expired.done).append(hold.document_id)


def _waiting_page(claim: Claim, index: int) -> Values:
    return {
        "document_id": claim.document_id,
        "page_index": index,
        "status": Status.QUEUED,
        "attempts": 0,
        "width": 0,
        "height": 0,
        "skew_degrees": 0.0,
    }


def _read_pages(claim: Claim, readings: Sequence[PageReading], previews: Sequence[str | None]) -> list[Values]:
    return [
        {
            **mappers.page_values(reading, preview_sha256=preview),
            "document_id": claim.document_id,
            "page_index": reading.index,
            "attempts": claim.attempt,
        }
        for reading, preview in zip_longest(readings, previews[: len(readings)])
    ]


def _insert_fields(connection: Connection, claim: Claim, readings: Sequence[PageReading]) -> None:
    rows = mappers.field_rows(claim.document_id, readings)
    if rows:
        connection.execute(insert(fields), rows)


def _outcome(values: Values) -> Outcome:
    return Outcome.FAILED if values["status"] is Status.FAILED else Outcome.DONE


def _present(claim: Claim) -> Select[Status]:
    if claim.page_index is None:
        return select(documents.c.status).where(documents.c.id == claim.document_id)
    return select(pages.c.status).where(
        pages.c.document_id == claim.document_id, pages.c.page_index == claim.page_index
    )
