"""Batches: counts, and streaming what they hold."""

import tracemalloc
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection

from core.errors import IdempotencyConflict, InvalidRequest, NotFound
from core.status import Status
from storage import documents as stored_documents
from storage.documents import CHUNK
from storage.mappers import AnyRow
from storage.records import DocumentRecord
from storage.store import Store
from tests.storage.samples import BAD_PAGE, OWNER, claimed, page, queued, reading


def test_a_batch_counts_its_documents(store: Store) -> None:
    batch = store.batches.create(owner=OWNER, name="Monday").batch
    ids = [queued(store, str(number), batch_id=batch.id).id for number in range(5)]
    queued(store, "elsewhere")
    store.claims.complete_document(claimed(store, ids[0]), reading())
    store.claims.fail(claimed(store, ids[1]), BAD_PAGE, max_attempts=1)
    claimed(store, ids[2])
    found = store.batches.get(batch.id, OWNER)
    assert found.counts == {
        Status.QUEUED: 2,
        Status.RUNNING: 1,
        Status.DONE: 1,
        Status.FAILED: 1,
        Status.CANCELLED: 0,
    }
    assert (found.name, found.total) == ("Monday", 5)
    assert store.batches.recent(OWNER, 10) == [found]


def test_an_empty_batch_counts_nothing(store: Store) -> None:
    created = store.batches.create(owner=OWNER)
    assert (created.batch.total, created.batch.name, created.replayed) == (0, None, False)
    assert store.batches.get(created.batch.id, None) == created.batch
    assert list(store.documents.iterate(created.batch.id, owner=OWNER)) == []


def test_the_same_request_gives_the_same_batch(store: Store) -> None:
    first = store.batches.create(owner=OWNER, name="a", idempotency_key="k", request_digest="d")
    again = store.batches.create(owner=OWNER, name="a", idempotency_key="k", request_digest="d")
    assert (again.batch, again.replayed) == (first.batch, True)
    with pytest.raises(IdempotencyConflict):
        store.batches.create(owner=OWNER, name="b", idempotency_key="k", request_digest="e")


def test_nobody_sees_another_owners_batch(store: Store) -> None:
    batch = store.batches.create(owner=OWNER).batch
    with pytest.raises(NotFound):
        store.batches.get(batch.id, "somebody else")
    with pytest.raises(NotFound):
        store.documents.iterate(batch.id, owner="somebody else")
    assert store.batches.recent("somebody else", 10) == []
    assert [found.id for found in store.batches.recent(None, 10)] == [batch.id]


def test_recent_batches_come_newest_first(store: Store) -> None:
    ids = [store.batches.create(owner=OWNER).batch.id for _ in range(3)]
    assert [batch.id for batch in store.batches.recent(OWNER, 2)] == [ids[2], ids[1]]


def test_documents_of_a_batch_come_in_order_of_submission_with_their_pages(store: Store) -> None:
    batch = store.batches.create(owner=OWNER).batch
    ids = [queued(store, str(number), batch_id=batch.id).id for number in range(CHUNK + 3)]
    for document_id in (ids[0], ids[-1]):
        store.claims.complete_document(claimed(store, document_id), reading())
    found = list(store.documents.iterate(batch.id, owner=OWNER))
    assert [document.id for document in found] == ids
    assert (found[0].pages, found[1].pages, found[-1].pages) == ((page(),), (), (page(),))


def test_a_name_that_cannot_be_stored_is_refused(store: Store) -> None:
    for name in ("a\0b", "caf\udce9"):
        with pytest.raises(InvalidRequest, match="cannot be stored"):
            store.batches.create(owner=OWNER, name=name)
    assert store.batches.recent(OWNER, 10) == []


def test_long_documents_are_streamed_a_chunk_of_pages_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_documents, "CHUNK", 5)
    batch = store.batches.create(owner=OWNER).batch
    lengths = (2, 3, 1, 7, 2, 0, 4)
    ids = [queued(store, str(number), batch_id=batch.id).id for number in range(len(lengths))]
    for document_id, length in zip(ids, lengths, strict=True):
        if length:
            pages = [page(index, fields=()) for index in range(length)]
            store.claims.complete_document(claimed(store, document_id), reading(*pages))
    held: list[int] = []
    with_pages = stored_documents._with_pages

    def weigh(connection: Connection, rows: Sequence[AnyRow]) -> list[DocumentRecord]:
        found = with_pages(connection, rows)
        held.append(sum(len(document.pages) for document in found))
        return found

    monkeypatch.setattr(stored_documents, "_with_pages", weigh)
    streamed = list(store.documents.iterate(batch.id, owner=OWNER))
    assert [(document.id, len(document.pages)) for document in streamed] == list(zip(ids, lengths, strict=True))
    assert held == [5, 1, 7, 2, 4, 0]


def test_streaming_a_batch_keeps_a_chunk_in_memory_and_not_the_batch(store: Store) -> None:
    batch = store.batches.create(owner=OWNER).batch
    long_text = "x" * 20_000
    for number in range(3 * CHUNK):
        queued(store, f"{number}{long_text}", batch_id=batch.id)
    next(store.documents.iterate(batch.id, owner=OWNER))  # whatever is cached once and for all
    tracemalloc.start()
    seen = sum(1 for _ in store.documents.iterate(batch.id, owner=OWNER))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == 3 * CHUNK
    # A chunk is 2 MB, held twice as rows and records while the next is fetched; the batch would be 6 MB, twice.
    assert peak < 2.9 * CHUNK * len(long_text)
