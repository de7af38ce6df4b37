"""The work of workers and sweeper: claims, leases, pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from core.errors import WorkerLost
from core.status import Priority, Status
from core.types import PageReading, Phase, ProcessingStep, Registration, TemplateUse
from storage.engine import Database
from storage.records import Delivery, Outcome
from storage.store import Store
from tests.storage.samples import (
    BAD_PAGE,
    BROKER_AWAY,
    OWNER,
    READER,
    claimed,
    claimed_page,
    digest,
    failed_page,
    new_document,
    page,
    queued,
    reading,
)

CHOSEN = Registration("features", 1.1, template=TemplateUse("meter", 1))


def later(seconds: float) -> datetime:
    """Return a moment from now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def status_of(store: Store, document_id: str) -> Status:
    return store.documents.get(document_id, None).status


def due(store: Store, *, seconds: float = 0.0, limit: int = 100) -> list[Delivery]:
    return store.claims.due(now=later(seconds), redeliver_seconds=60, limit=limit)


def split(store: Store, pages: int) -> str:
    """Return a long document whose pages wait."""
    document_id = queued(store).id
    assert store.claims.split(claimed(store, document_id), pages)
    return document_id


def test_a_claim_carries_what_a_worker_needs(store: Store) -> None:
    document = queued(store)
    claim = claimed(store, document.id)
    assert (claim.document_id, claim.page_index, claim.attempt) == (document.id, None, 1)
    assert (claim.sha256, claim.filename, claim.type_name) == (digest("scan"), "scan.png", "digits")
    assert (claim.owner, claim.batch_id, claim.template, claim.priority) == (OWNER, None, None, Priority.NORMAL)
    assert status_of(store, document.id) is Status.RUNNING


def test_claims_of_a_document_and_of_its_pages_carry_the_target_error(store: Store) -> None:
    asked = store.documents.create(new_document(target_error=0.1 + 0.2), owner=OWNER).document
    claim = claimed(store, asked.id)
    assert store.claims.split(claim, 2)
    assert (claim.target_error, claimed_page(store, asked.id, 1).target_error) == (0.1 + 0.2, 0.1 + 0.2)
    assert store.documents.get(asked.id, OWNER).target_error == 0.1 + 0.2
    assert claimed(store, queued(store).id).target_error is None


def test_what_is_not_queued_cannot_be_claimed(store: Store) -> None:
    document_id = queued(store).id
    claim = claimed(store, document_id)

    def refused() -> bool:
        return store.claims.claim_document(document_id, worker="w2", lease_seconds=60) is None

    assert refused()
    store.claims.complete_document(claim, reading())
    assert refused()
    store.documents.retry(document_id, OWNER)
    store.documents.cancel(document_id, OWNER)
    assert refused()
    store.documents.delete(document_id, OWNER)
    assert refused()


def test_a_completion_counts_once(store: Store) -> None:
    document_id = queued(store).id
    claim = claimed(store, document_id)
    assert store.claims.complete_document(claim, reading(), [digest("picture")])
    assert not store.claims.complete_document(claim, reading(failed_page()))
    found = store.documents.get(document_id, OWNER)
    assert (found.status, found.pages) == (Status.DONE, (page(),))


def test_a_worker_given_up_for_lost_can_no_longer_write(store: Store) -> None:
    document_id = queued(store).id
    stale = claimed(store, document_id, worker="slow", lease_seconds=1)
    assert store.claims.expire(now=later(2), max_attempts=3, lease_seconds=60).requeued == [
        Delivery(document_id, None, Priority.NORMAL)
    ]
    fresh = claimed(store, document_id, worker="quick")
    assert fresh.attempt == 2
    assert not store.claims.complete_document(stale, reading(failed_page()))
    assert store.claims.fail(stale, BAD_PAGE, max_attempts=3) is Status.RUNNING
    assert not store.claims.release(stale)
    assert not store.claims.split(stale, 2)
    assert store.claims.complete_document(fresh, reading())
    assert store.documents.get(document_id, OWNER).pages == (page(),)


def test_a_claim_of_before_a_retry_is_no_longer_valid(store: Store) -> None:
    document_id = queued(store).id
    stale = claimed(store, document_id)
    store.documents.cancel(document_id, OWNER)
    store.documents.retry(document_id, OWNER)
    fresh = claimed(store, document_id)
    assert (stale.attempt, fresh.attempt) == (1, 1)
    assert not store.claims.complete_document(stale, reading(failed_page()))
    assert store.claims.complete_document(fresh, reading())


def test_a_cancelled_documents_reading_is_dropped(store: Store) -> None:
    document_id = queued(store).id
    claim = claimed(store, document_id)
    store.documents.cancel(document_id, OWNER)
    assert not store.claims.complete_document(claim, reading())
    assert store.claims.fail(claim, BROKER_AWAY, max_attempts=3) is Status.CANCELLED
    found = store.documents.get(document_id, OWNER)
    assert (found.status, found.pages) == (Status.CANCELLED, ())


def test_a_deleted_documents_reading_is_dropped(store: Store) -> None:
    document_id = queued(store).id
    claim = claimed(store, document_id)
    store.documents.delete(document_id, OWNER)
    assert not store.claims.complete_document(claim, reading())
    assert store.claims.fail(claim, BROKER_AWAY, max_attempts=3) is Status.CANCELLED


@pytest.mark.parametrize(
    ("last", "expected"), [(page(1, registration=CHOSEN), ("meter", 1)), (failed_page(1), ("auto", None))]
)
@pytest.mark.parametrize("long", [False, True])
def test_a_chosen_template_is_the_documents_only_when_no_page_failed(
    store: Store, last: PageReading, expected: tuple[str, int | None], *, long: bool
) -> None:
    store.templates.put("meter", {"name": "meter"})
    new = new_document(type_name=None, template="auto")
    document_id = store.documents.create(new, owner=OWNER).document.id
    read, claim = reading(page(0, registration=CHOSEN), last), claimed(store, document_id)
    if long:
        assert store.claims.split(claim, 2)
        for each in read.pages:
            assert store.claims.complete_page(claimed_page(store, document_id, each.index), each, reader=READER).stored
    else:
        assert store.claims.complete_document(claim, read)
    found = store.documents.get(document_id, OWNER)
    assert (found.status, found.template) == (Status.DONE, expected)


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ((page(0), failed_page(1)), Status.DONE),
        ((failed_page(0), failed_page(1)), Status.FAILED),
        ((page(0, fields=()),), Status.DONE),
    ],
)
def test_a_document_fails_only_when_all_its_pages_did(store: Store, pages: tuple[Any, ...], expected: Status) -> None:
    document_id = queued(store).id
    assert store.claims.complete_document(claimed(store, document_id), reading(*pages))
    found = store.documents.get(document_id, OWNER)
    assert found.status is expected
    assert found.failure == (BAD_PAGE if expected is Status.FAILED else None)
    assert found.pages == pages


def test_a_retryable_failure_is_tried_again_until_the_last_attempt(store: Store) -> None:
    document_id = queued(store, sent=True).id
    statuses = [store.claims.fail(claimed(store, document_id), BROKER_AWAY, max_attempts=3) for _ in range(3)]
    assert statuses == [Status.QUEUED, Status.QUEUED, Status.FAILED]
    found = store.documents.get(document_id, OWNER)
    assert (found.failure, found.attempts) == (BROKER_AWAY, 3)
    assert found.finished_at is not None


def test_a_failure_that_no_retry_mends_ends_at_once(store: Store) -> None:
    document_id = queued(store).id
    assert store.claims.fail(claimed(store, document_id), BAD_PAGE, max_attempts=3) is Status.FAILED
    assert store.documents.get(document_id, OWNER).failure == BAD_PAGE


def test_what_failed_retryably_is_due_at_once(store: Store) -> None:
    document_id = queued(store, sent=True).id
    assert due(store) == []
    store.claims.fail(claimed(store, document_id), BROKER_AWAY, max_attempts=3)
    assert due(store) == [Delivery(document_id, None, Priority.NORMAL)]


def test_a_released_attempt_does_not_count(store: Store) -> None:
    document_id = queued(store).id
    first = claimed(store, document_id)
    assert store.claims.release(first)
    second = claimed(store, document_id)
    assert second.attempt == 1
    assert not store.claims.complete_document(first, reading(failed_page()))
    assert store.claims.complete_document(second, reading())


def test_a_lease_that_runs_out_too_often_ends_as_worker_lost(store: Store) -> None:
    document_id = queued(store).id
    for _ in range(2):
        claimed(store, document_id, lease_seconds=1)
        assert store.claims.expire(now=later(2), max_attempts=3, lease_seconds=60).requeued
    claimed(store, document_id, lease_seconds=1)
    assert store.claims.expire(now=later(0), max_attempts=3, lease_seconds=60).failed == []
    assert store.claims.expire(now=later(2), max_attempts=3, lease_seconds=60).failed == [document_id]
    found = store.documents.get(document_id, OWNER)
    assert found.failure == WorkerLost().failure(Phase.WORKER)
    assert store.documents.retry(document_id, OWNER).status is Status.QUEUED


def test_attempts_are_on_record(store: Store) -> None:
    document_id = queued(store).id
    claimed(store, document_id, worker="killed", lease_seconds=1)
    store.claims.expire(now=later(2), max_attempts=3, lease_seconds=60)
    store.claims.release(claimed(store, document_id, worker="stopped"))
    store.claims.fail(claimed(store, document_id, worker="unlucky"), BROKER_AWAY, max_attempts=9)
    store.claims.complete_document(claimed(store, document_id, worker="good"), reading())
    found = store.documents.attempts(document_id, OWNER)
    assert [(attempt.worker, attempt.number, attempt.outcome) for attempt in found] == [
        ("killed", 1, Outcome.LOST),
        ("stopped", 2, Outcome.RELEASED),
        ("unlucky", 2, Outcome.REQUEUED),
        ("good", 3, Outcome.DONE),
    ]
    assert found[2].failure == BROKER_AWAY
    assert all(attempt.started_at <= attempt.finished_at for attempt in found)


def test_pages_of_a_long_document_end_it_together(store: Store) -> None:
    document_id = split(store, 3)
    assert status_of(store, document_id) is Status.RUNNING
    for index in (2, 0):
        claim = claimed_page(store, document_id, index)
        outcome = store.claims.complete_page(claim, page(index), reader=READER, preview_sha256=digest(str(index)))
        assert (outcome.stored, outcome.finished, outcome.status) == (True, False, Status.RUNNING)
    halfway = store.documents.get(document_id, OWNER)
    assert (halfway.pages, halfway.pages_done, halfway.pages_total) == ((page(0), page(2)), 2, 3)
    last = store.claims.complete_page(claimed_page(store, document_id, 1), failed_page(1), reader=READER)
    assert (last.stored, last.finished, last.status) == (True, True, Status.DONE)
    found = store.documents.get(document_id, OWNER)
    assert (found.status, found.failure, found.reader) == (Status.DONE, None, READER)
    assert found.pages == (page(0), failed_page(1), page(2))
    assert store.documents.preview(document_id, 2, owner=OWNER) == digest("2")


def test_the_steps_of_pages_join(store: Store) -> None:
    document_id = split(store, 3)
    own, printed = (ProcessingStep("recognise", {"model": name}) for name in ("digits", "printed"))
    first, last = ProcessingStep("locate"), ProcessingStep("judge", {"target_error": 0.01})
    for index, steps in enumerate([(first, own, last), (first, own, printed, last), (first, own, last)]):
        claim = claimed_page(store, document_id, index)
        assert store.claims.complete_page(claim, page(index), reader=READER, steps=steps).stored
    assert store.documents.get(document_id, OWNER).steps == (first, own, printed, last)


def test_a_long_document_fails_when_all_pages_did(store: Store) -> None:
    document_id = split(store, 2)
    store.claims.complete_page(claimed_page(store, document_id, 1), failed_page(1), reader=READER)
    assert store.claims.fail(claimed_page(store, document_id, 0), BAD_PAGE, max_attempts=3) is Status.FAILED
    found = store.documents.get(document_id, OWNER)
    assert (found.status, found.failure, found.pages_done) == (Status.FAILED, BAD_PAGE, 2)


def test_a_page_is_claimed_and_counted_once(store: Store) -> None:
    document_id = split(store, 2)
    claim = claimed_page(store, document_id, 0)
    assert store.claims.claim_page(document_id, 0, worker="w2", lease_seconds=60) is None
    assert store.claims.complete_page(claim, page(0), reader=READER).stored
    again = store.claims.complete_page(claim, page(0), reader=READER)
    assert (again.stored, again.finished) == (False, False)
    assert store.documents.get(document_id, OWNER).pages_done == 1


def test_a_lost_page_is_sent_again_and_at_last_fails_alone(store: Store) -> None:
    document_id = split(store, 2)
    store.claims.complete_page(claimed_page(store, document_id, 1), page(1), reader=READER)
    stale = claimed_page(store, document_id, 0)
    assert store.claims.expire(now=later(90), max_attempts=2, lease_seconds=60).requeued == [
        Delivery(document_id, 0, Priority.NORMAL)
    ]
    assert not store.claims.complete_page(stale, page(0), reader=READER).stored
    assert claimed_page(store, document_id, 0).attempt == 2
    expired = store.claims.expire(now=later(90), max_attempts=2, lease_seconds=60)
    assert (expired.requeued, expired.failed, expired.done) == ([], [], [document_id])
    found = store.documents.get(document_id, OWNER)
    assert found.status is Status.DONE
    assert found.pages[0].failure == WorkerLost().failure(Phase.WORKER)
    assert found.pages[1] == page(1)


def test_a_long_document_that_is_cancelled_drops_its_pages(store: Store) -> None:
    document_id = split(store, 3)
    claim = claimed_page(store, document_id, 0)
    store.documents.cancel(document_id, OWNER)
    assert not store.claims.complete_page(claim, page(0), reader=READER).stored
    assert store.claims.fail(claim, BROKER_AWAY, max_attempts=3) is Status.CANCELLED
    assert store.claims.claim_page(document_id, 1, worker="w", lease_seconds=60) is None
    assert due(store, seconds=1_000) == []
    found = store.documents.get(document_id, OWNER)
    assert (found.status, found.pages_done, found.pages) == (Status.CANCELLED, 0, ())


def test_a_page_claimed_before_a_retry_is_no_longer_valid(store: Store) -> None:
    document_id = split(store, 2)
    stale = claimed_page(store, document_id, 0)
    store.documents.cancel(document_id, OWNER)
    store.documents.retry(document_id, OWNER)
    store.claims.split(claimed(store, document_id), 2)
    assert claimed_page(store, document_id, 0).attempt == stale.attempt
    assert not store.claims.complete_page(stale, page(0), reader=READER).stored
    assert store.documents.get(document_id, OWNER).pages_done == 0


def test_a_split_document_has_no_lease_to_run_out(store: Store) -> None:
    document_id = split(store, 2)
    assert store.claims.expire(now=later(10_000), max_attempts=1, lease_seconds=60).failed == []
    assert status_of(store, document_id) is Status.RUNNING


def test_due_finds_the_unsent_first_and_then_what_was_sent_too_long_ago(store: Store) -> None:
    sent = queued(store, "sent", sent=True).id
    unsent = queued(store, "unsent").id
    running = queued(store, "running").id
    claimed(store, running)
    assert due(store) == [Delivery(unsent, None, Priority.NORMAL)]
    assert [delivery.document_id for delivery in due(store, seconds=61)] == [unsent, sent]
    assert len(due(store, seconds=61, limit=1)) == 1
    store.documents.mark_unsent([sent])
    store.claims.mark_sent([Delivery(unsent, None, Priority.NORMAL)])
    assert [delivery.document_id for delivery in due(store)] == [sent]


def test_a_picture_is_discarded_only_when_nobody_refers_to_it(store: Store) -> None:
    document_id = queued(store).id
    store.claims.complete_document(claimed(store, document_id), reading(), (digest("kept"),))
    removed: list[str] = []
    for name in ("kept", "scan", "lost"):
        store.claims.discard(digest(name), remove=removed.append)
    assert removed == [digest("lost")]


def test_due_finds_what_is_of_one_priority(store: Store) -> None:
    urgent = new_document("urgent", priority=Priority.HIGH)
    whole = store.documents.create(urgent, owner=OWNER).document.id
    long = store.documents.create(urgent, owner=OWNER).document.id
    store.claims.split(claimed(store, long), 1)
    queued(store, "ordinary")
    found = store.claims.due(now=later(0), redeliver_seconds=60, limit=9, priority=Priority.HIGH)
    assert found == [Delivery(whole, None, Priority.HIGH), Delivery(long, 0, Priority.HIGH)]
    assert store.claims.due(now=later(0), redeliver_seconds=60, limit=9, priority=Priority.BULK) == []


def test_only_what_is_queued_is_marked_as_sent_or_unsent(store: Store) -> None:
    document_id = queued(store).id
    claim = claimed(store, document_id)
    delivery = Delivery(document_id, None, Priority.NORMAL)
    store.claims.mark_sent([delivery])
    assert store.claims.release(claim)
    assert due(store) == [delivery]
    store.claims.mark_sent([delivery])
    assert due(store) == []
    claimed(store, document_id)
    store.documents.mark_unsent([document_id])
    with store._database.read() as connection:
        assert connection.execute(text("SELECT sent_at FROM documents")).scalar() is not None


def test_due_finds_waiting_pages(store: Store) -> None:
    document_id = store.documents.create(new_document(priority=Priority.HIGH), owner=OWNER).document.id
    store.claims.split(claimed(store, document_id), 3)
    found = due(store)
    assert sorted(delivery.page_index or 0 for delivery in found) == [0, 1, 2]
    assert {delivery.priority for delivery in found} == {Priority.HIGH}
    store.claims.mark_sent(found[:2])
    assert due(store) == found[2:]
    store.claims.mark_sent([])


def test_only_what_was_sent_should_be_in_the_broker(store: Store) -> None:
    queued(store, "unsent")
    queued(store, "sent", sent=True)
    document_id = split(store, 3)
    assert store.claims.sent_counts() == {Priority.NORMAL: 1}
    pages = [Delivery(document_id, index, Priority.NORMAL) for index in range(2)]
    store.claims.mark_sent(pages)
    assert store.claims.sent_counts() == {Priority.NORMAL: 3}
    store.claims.mark_unsent(pages[1:])
    assert store.claims.sent_counts() == {Priority.NORMAL: 2}
    store.documents.create(new_document("urgent", priority=Priority.HIGH), owner=OWNER, sent=True)
    assert store.claims.sent_counts() == {Priority.HIGH: 1, Priority.NORMAL: 2}


def test_after_a_failed_attempt_a_document_or_page_waits(store: Store) -> None:
    def waiting(seconds: float) -> list[int | None]:
        found = store.claims.due(now=later(seconds), redeliver_seconds=1e6, limit=9, retry_seconds=60)
        return [delivery.page_index for delivery in found]

    store.claims.fail(claimed(store, queued(store).id), BROKER_AWAY, max_attempts=3)
    document_id = split(store, 2)
    store.claims.fail(claimed_page(store, document_id, 1), BROKER_AWAY, max_attempts=3)
    assert waiting(50) == [0]
    assert waiting(70) == [None, 0, 1]


def test_what_was_sent_before_the_clock_was_set_back_is_due(store: Store) -> None:
    sent = queued(store, "sent", sent=True).id
    document_id = split(store, 1)
    store.claims.mark_sent([Delivery(document_id, 0, Priority.NORMAL)])
    assert due(store, seconds=-90) == [], "clocks differ by that much"
    assert due(store, seconds=-7200) == [
        Delivery(sent, None, Priority.NORMAL),
        Delivery(document_id, 0, Priority.NORMAL),
    ]
    years = store.claims.due(now=later(-7200), redeliver_seconds=1e8, limit=9)
    assert years == [], "who asks for what was never sent gets no copy of what may wait in the broker"


def test_what_failed_before_the_clock_was_set_back_does_not_wait_until_then(store: Store) -> None:
    store.claims.fail(claimed(store, queued(store).id), BROKER_AWAY, max_attempts=3)
    for seconds, count in ((-30, 0), (-7200, 1)):
        assert len(store.claims.due(now=later(seconds), redeliver_seconds=1e6, limit=9, retry_seconds=60)) == count


def test_a_lease_taken_before_the_clock_was_set_back_runs_out(store: Store) -> None:
    whole = queued(store, "whole").id
    claimed(store, whole, lease_seconds=60)
    document_id = split(store, 1)
    claimed_page(store, document_id, 0)
    assert store.claims.expire(now=later(-30), max_attempts=3, lease_seconds=60).requeued == []
    requeued = store.claims.expire(now=later(-7200), max_attempts=3, lease_seconds=60).requeued
    assert requeued == [Delivery(whole, None, Priority.NORMAL), Delivery(document_id, 0, Priority.NORMAL)]


def test_the_sweeper_reads_only_the_few_rows_it_looks_for(store: Store, database: Database) -> None:
    queued(store)
    run_out = "lease_expires_at < '2026-01-01' OR lease_expires_at > '2026-01-02'"
    wanted = {
        "SELECT id FROM documents WHERE status = 'queued' AND sent_at IS NULL": "ix_documents_queued",
        f"SELECT id FROM documents WHERE {run_out}": "ix_documents_leased",
        "SELECT 1 FROM pages WHERE status = 'queued' AND sent_at IS NULL": "ix_pages_queued",
        f"SELECT 1 FROM pages WHERE {run_out}": "ix_pages_leased",
        "SELECT id FROM attempts WHERE outcome = 'requeued' AND finished_at > '2026-01-01'": "ix_attempts_requeued",
        "SELECT id FROM documents WHERE sha256 = 'a' AND owner = 'b'": "ix_documents_sha256_owner",
        "SELECT id FROM documents WHERE batch_id = 'a' ORDER BY id": "ix_documents_batch",
        "SELECT id FROM documents WHERE owner = 'a' ORDER BY id DESC": "ix_documents_owner_id",
    }
    with database.read() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        for query, index in wanted.items():
            explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
            plan = " ".join(str(row) for row in connection.execute(text(f"{explain} {query}")))
            assert index in plan, plan
