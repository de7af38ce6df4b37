"""Puts right what went wrong elsewhere.

Takes back what dead workers held, sends what was never delivered, and removes the blobs that a deletion, or somebody
who was killed while storing them, left behind.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import structlog

from core.errors import BrokerUnavailable, Unavailable
from core.queue import Dispatcher
from core.settings import Settings
from core.status import Priority
from storage.blobs import BlobStore
from storage.records import Delivery
from storage.store import Store
from worker.callbacks import announce
from worker.sending import send_all

SWEEP_LIMIT = 1_000
"""Deliveries of one sweep: about a second of work, so that a sweep never meets its time limit."""
REMOVAL_LIMIT = 100
"""Blobs of one sweep: some seconds of work where each is a round trip to an object store."""
NEVER_SECONDS = 10.0 * 365 * 86_400
"""As `redeliver_seconds`: ask for nothing but what was never sent."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did: leases taken back, documents given up for lost, deliveries sent, blobs removed."""

    requeued: int
    lost: int
    sent: int
    removed: int = 0


def sweep(store: Store, dispatcher: Dispatcher, settings: Settings, *, blobs: BlobStore) -> Swept:
    """Take back expired leases, send whatever is queued and not on its way, and remove blobs that are to be removed.

    Raises:
        DatabaseUnavailable: the database does not answer; the next sweep tries again.
    """
    expired = store.claims.expire(
        now=datetime.now(UTC), max_attempts=settings.max_attempts, lease_seconds=settings.lease_seconds
    )
    for document_id in expired.failed:
        log.error("document given up: its worker died on every attempt", document_id=document_id)
    for document_id in (*expired.failed, *expired.done):
        announce(document_id, dispatcher, settings)
    sent = _send_unsent(store, dispatcher, settings) + _send_lost(store, dispatcher, settings)
    # Last of all: a store that is silent must not hold up the rest.
    swept = Swept(len(expired.requeued), len(expired.failed), sent, _remove_blobs(store, blobs, settings))
    if swept != Swept(0, 0, 0):
        log.info("swept", **asdict(swept))
    return swept


def _send_unsent(store: Store, dispatcher: Dispatcher, settings: Settings) -> int:
    """Send what intake could not send, what a worker gave back, and what a lease's end set free.

    What failed for a reason that may pass waits as long as what was lost: three attempts within seconds would all
    meet the same absent blob store.
    """
    return _send(store, dispatcher, _due(store, settings, redeliver_seconds=NEVER_SECONDS, limit=SWEEP_LIMIT))


def _send_lost(store: Store, dispatcher: Dispatcher, settings: Settings) -> int:
    """Send again what was sent long ago, but no more than the broker has lost.

    Waiting behind ten thousand others is no loss: sent again every minute, a long queue would only grow longer. Each
    queue is looked at by itself: a copy in one would make up for the loss in another, and hide it.
    """
    try:
        backlog = dispatcher.backlog()
    except BrokerUnavailable as error:
        log.warning("sweep sends nothing", code=error.code)
        return 0
    sent, found = store.claims.sent_counts(), list[Delivery]()
    for priority in Priority:
        missing = min(sent[priority] - backlog[priority], SWEEP_LIMIT - len(found))
        if missing > 0:
            found += _due(
                store, settings, redeliver_seconds=settings.redeliver_seconds, limit=missing, priority=priority
            )
    return _send(store, dispatcher, found)


def _due(
    store: Store, settings: Settings, *, redeliver_seconds: float, limit: int, priority: Priority | None = None
) -> list[Delivery]:
    return store.claims.due(
        now=datetime.now(UTC),
        redeliver_seconds=redeliver_seconds,
        retry_seconds=settings.redeliver_seconds,
        limit=limit,
        priority=priority,
    )


def _send(store: Store, dispatcher: Dispatcher, deliveries: list[Delivery]) -> int:
    sent = send_all(store, dispatcher, deliveries)
    if sent < len(deliveries):
        log.warning("sweep cut short", code=BrokerUnavailable.code, left=len(deliveries) - sent)
    return sent


def _remove_blobs(store: Store, blobs: BlobStore, settings: Settings) -> int:
    """Remove what deletions could not remove, and what nobody made a row for, until one cannot be; return how many."""
    overdue = store.arrivals.give_up(now=datetime.now(UTC), limit=REMOVAL_LIMIT)
    if overdue:
        log.warning("blobs without a row: whoever stored them was killed", count=overdue)
    due = store.removals.due(now=datetime.now(UTC), retry_seconds=settings.redeliver_seconds, limit=REMOVAL_LIMIT)
    removed = 0
    for count, digest in enumerate(due):
        try:
            # Asked before anything is locked: a store that is silent until a timeout must not keep others waiting.
            blobs.reach(digest)
            removed += len(store.removals.work_off([digest], blobs.delete))
        except Unavailable as error:
            store.removals.put_off(digest, datetime.now(UTC))
            log.warning("blobs left to a later sweep", code=error.code, left=len(due) - count)
            break
    return removed
