"""Many callers at once: exactly one wins, and nobody waits for ever."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from core.errors import InvalidTransition
from core.status import Status
from storage.records import Claim, DocumentRecord
from storage.store import Store
from tests.storage.racing import race_processes, race_threads
from tests.storage.samples import OWNER, READER, claimed, claimed_page, digest, new_document, page, queued, reading

RACERS = 20
PROCESSES = 4

SUBMIT = """
from tests.storage.samples import OWNER, new_document
result = " ".join(
    store.documents.create(new_document(), owner=OWNER, idempotency_key=f"k{n}", request_digest="d").document.id
    for n in range(10)
)
"""
CLAIM = """
ids = arguments[1:]
won = [i for i in ids if store.claims.claim_document(i, worker=str(number), lease_seconds=60)]
result = " ".join(won)
"""


def test_twenty_equal_requests_at_once_make_one_document(store: Store) -> None:
    def submit(_: int) -> tuple[str, bool]:
        created = store.documents.create(new_document(), owner=OWNER, idempotency_key="k", request_digest="d")
        return created.document.id, created.replayed

    results = race_threads(RACERS, submit)
    assert len({document_id for document_id, _ in results}) == 1
    assert [replayed for _, replayed in results].count(False) == 1
    assert len(store.documents.recent(owner=OWNER, limit=100)) == 1


def test_equal_requests_from_several_processes_make_one_document_each(database_url: str, store: Store) -> None:
    answers = set(race_processes(PROCESSES, SUBMIT, database_url))
    assert len(answers) == 1
    assert len(store.documents.recent(owner=OWNER, limit=100)) == 10


def test_twenty_equal_batches_at_once_are_one(store: Store) -> None:
    def make(_: int) -> str:
        return store.batches.create(owner=OWNER, idempotency_key="k", request_digest="d").batch.id

    assert len(set(race_threads(RACERS, make))) == 1


def test_of_many_copies_sent_at_once_one_is_the_first(store: Store) -> None:
    records = race_threads(RACERS, lambda _: queued(store))
    originals = [record.id for record in records if record.duplicate_of is None]
    assert len(originals) == 1
    assert {record.duplicate_of for record in records} == {None, originals[0]}


def test_of_many_claimers_exactly_one_gets_the_document(store: Store) -> None:
    document_id = queued(store).id
    claims = race_threads(
        RACERS, lambda number: store.claims.claim_document(document_id, worker=str(number), lease_seconds=60)
    )
    assert sum(claim is not None for claim in claims) == 1
    assert store.documents.get(document_id, OWNER).attempts == 1


def test_of_many_processes_exactly_one_gets_each_document(database_url: str, store: Store) -> None:
    ids = [queued(store, str(number)).id for number in range(20)]
    won = [
        document_id for answer in race_processes(PROCESSES, CLAIM, database_url, *ids) for document_id in answer.split()
    ]
    assert sorted(won) == ids


def test_of_many_claimers_exactly_one_gets_each_page(store: Store) -> None:
    document_id = queued(store).id
    store.claims.split(claimed(store, document_id), 5)
    claims = race_threads(
        RACERS, lambda number: store.claims.claim_page(document_id, number % 5, worker="w", lease_seconds=60)
    )
    assert sorted(claim.page_index for claim in claims if claim and claim.page_index is not None) == list(range(5))


def test_pages_that_end_at_once_end_the_document_once(store: Store) -> None:
    document_id = queued(store).id
    store.claims.split(claimed(store, document_id), RACERS)
    claims = [claimed_page(store, document_id, index) for index in range(RACERS)]
    outcomes = race_threads(RACERS, lambda n: store.claims.complete_page(claims[n], page(n), reader=READER))
    assert all(outcome.stored for outcome in outcomes)
    assert sum(outcome.finished for outcome in outcomes) == 1
    found = store.documents.get(document_id, OWNER)
    assert (found.status, found.pages_done) == (Status.DONE, RACERS)
    assert found.pages == tuple(page(index) for index in range(RACERS))


def test_cancel_against_complete_has_one_winner(store: Store) -> None:
    for number in range(10):
        document_id = queued(store, str(number)).id
        claim = claimed(store, document_id)
        cancelled, completed = race_threads(2, partial(_cancel_or_complete, store, claim))
        assert cancelled != completed
        found = store.documents.get(document_id, OWNER)
        assert found.status is (Status.DONE if completed else Status.CANCELLED)
        assert found.pages == ((page(),) if completed else ())


def test_two_sweeps_at_once_take_a_lease_back_once(store: Store) -> None:
    ids = [queued(store, str(number)).id for number in range(10)]
    for document_id in ids:
        claimed(store, document_id, lease_seconds=1)
    now = datetime.now(UTC) + timedelta(seconds=2)
    sweeps = race_threads(4, lambda _: store.claims.expire(now=now, max_attempts=3, lease_seconds=60))
    assert sorted(delivery.document_id for sweep in sweeps for delivery in sweep.requeued) == ids


def test_a_blob_is_never_removed_under_a_newcomer(store: Store) -> None:
    for _ in range(10):
        old = queued(store)
        blobs = {old.sha256}
        race_threads(2, partial(_delete_or_submit, store, old, blobs))
        (newcomer,) = store.documents.recent(owner=OWNER, limit=10)
        assert blobs == {newcomer.sha256}
        store.documents.delete(newcomer.id, OWNER)


@pytest.mark.parametrize("long", [False, True])
def test_a_picture_is_never_removed_under_a_page_that_has_just_been_read(store: Store, long: bool) -> None:
    for _ in range(10):
        claim = claimed(store, queued(store).id)
        if long:
            assert store.claims.split(claim, 1)
            claim = claimed_page(store, claim.document_id, 0)
        pictures: set[str] = set()
        race_threads(2, partial(_discard_or_complete, store, claim, pictures))
        assert pictures == {digest("picture")}
        store.documents.delete(claim.document_id, OWNER)


def _discard_or_complete(store: Store, claim: Claim, pictures: set[str], racer: int) -> None:
    if racer == 0:
        store.claims.discard(digest("picture"), remove=pictures.discard)
        return
    # As a worker does it: the picture first, then the row, then a look whether the picture is there still.
    pictures.add(digest("picture"))
    if claim.page_index is None:
        assert store.claims.complete_document(claim, reading(), (digest("picture"),))
    else:
        assert store.claims.complete_page(claim, page(), reader=READER, preview_sha256=digest("picture")).stored
    if digest("picture") not in pictures:
        pictures.add(digest("picture"))


def _cancel_or_complete(store: Store, claim: Claim, racer: int) -> bool:
    if racer:
        return store.claims.complete_document(claim, reading())
    try:
        return store.documents.cancel(claim.document_id, OWNER).status is Status.CANCELLED
    except InvalidTransition:
        return False


def _delete_or_submit(store: Store, old: DocumentRecord, blobs: set[str], racer: int) -> None:
    if racer == 0:
        store.documents.delete(old.id, OWNER, remove=blobs.discard)
        return
    # As intake does it: the blob first, then the row, then a look whether the blob is there still.
    blobs.add(old.sha256)
    new = queued(store)
    if new.sha256 not in blobs:
        blobs.add(new.sha256)
