"""Blobs that are to be removed: none is lost track of, whatever goes away in the middle of a deletion."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Thread

import pytest
from sqlalchemy import Connection, event

from core.errors import BlobStoreUnavailable, DatabaseUnavailable, NotFound, StorageFull
from core.status import Status
from storage.engine import Database
from storage.store import Store
from tests.storage.racing import race_threads
from tests.storage.samples import OWNER, claimed, digest, new_document, page, queued, reading

SCAN, PICTURE = digest("scan"), digest("picture")


def due(store: Store, *, retry_seconds: float = 60.0, later_seconds: float = 0.0) -> list[str]:
    """Return what waits to be removed, so many seconds from now."""
    now = datetime.now(UTC) + timedelta(seconds=later_seconds)
    return sorted(store.removals.due(now=now, retry_seconds=retry_seconds, limit=10))


def refuse(_sha256: str) -> None:
    """Be a store that is away."""
    raise BlobStoreUnavailable


def break_off(_sha256: str) -> None:
    """Be a process that is killed."""
    raise SystemExit


def done(store: Store, content: str = "scan") -> str:
    """Return the id of a document that is read, with a picture of its page."""
    document_id = queued(store, content).id
    assert store.claims.complete_document(claimed(store, document_id), reading(), [PICTURE])
    return document_id


def test_what_is_removed_at_once_waits_no_longer(store: Store) -> None:
    removed: list[str] = []
    assert store.documents.delete(done(store), OWNER, remove=removed.append) == {SCAN, PICTURE}
    assert sorted(removed) == sorted([SCAN, PICTURE])
    assert due(store) == []


def test_a_store_that_goes_away_in_the_middle_of_a_deletion_loses_no_blob(store: Store) -> None:
    document_id, kept = done(store), {SCAN, PICTURE}

    def leave(sha256: str) -> None:
        if len(kept) < 2:
            raise BlobStoreUnavailable
        kept.remove(sha256)

    assert store.documents.delete(document_id, OWNER, remove=leave) == frozenset()
    with pytest.raises(NotFound):
        store.documents.get(document_id, OWNER)
    assert kept <= set(due(store))
    assert store.removals.work_off(due(store), kept.discard) == {SCAN, PICTURE}
    assert (kept, due(store)) == (set(), [])


def test_a_process_that_is_killed_in_the_middle_of_a_deletion_loses_no_blob(store: Store) -> None:
    document_id = done(store)
    with pytest.raises(SystemExit):
        store.documents.delete(document_id, OWNER, remove=break_off)
    with pytest.raises(NotFound):
        store.documents.get(document_id, OWNER)
    assert due(store) == sorted([SCAN, PICTURE])


def test_a_database_that_is_full_in_the_middle_of_a_deletion_loses_no_blob(store: Store) -> None:
    document_id, commits = done(store), list[object]()

    def fill(connection: object) -> None:
        commits.append(connection)
        if len(commits) == 2:
            raise StorageFull

    event.listen(store._database.engine, "commit", fill)
    store.documents.delete(document_id, OWNER, remove=lambda _: None)
    event.remove(store._database.engine, "commit", fill)
    assert due(store) == sorted([SCAN, PICTURE])


def test_a_deletion_that_is_not_committed_orders_nothing(store: Store) -> None:
    document_id = done(store)

    def leave(_connection: object) -> None:
        raise DatabaseUnavailable

    event.listen(store._database.engine, "commit", leave)
    with pytest.raises(DatabaseUnavailable):
        store.documents.delete(document_id, OWNER, remove=lambda _: None)
    event.remove(store._database.engine, "commit", leave)
    assert store.documents.get(document_id, OWNER).status is Status.DONE
    assert due(store) == []


def test_a_retry_orders_the_pictures_that_it_forgets_and_spares_the_scan(store: Store) -> None:
    assert store.documents.retry(done(store), OWNER, remove=refuse).status is Status.QUEUED
    removed: list[str] = []
    store.removals.work_off(due(store), removed.append)
    assert (removed, due(store)) == ([PICTURE], [])


def test_a_picture_that_nobody_waits_for_is_ordered_too(store: Store) -> None:
    store.claims.discard(PICTURE, remove=refuse)
    assert due(store) == [PICTURE]
    store.claims.discard(PICTURE, remove=refuse)
    assert due(store) == [PICTURE]


def test_what_another_document_has_stays(store: Store) -> None:
    store.documents.delete(done(store), OWNER, remove=refuse)
    newcomer = queued(store)
    removed: list[str] = []
    store.removals.work_off(due(store), removed.append)
    assert (removed, due(store)) == ([PICTURE], [])
    store.documents.delete(newcomer.id, OWNER, remove=refuse)
    assert due(store) == [SCAN]


def test_after_a_failure_the_sweeper_waits_and_tries_that_blob_last(store: Store) -> None:
    store.documents.delete(done(store), OWNER, remove=refuse)
    tried_at = datetime.now(UTC)
    store.removals.put_off(SCAN, tried_at)
    assert due(store) == []
    assert due(store, retry_seconds=0.0) == sorted([SCAN, PICTURE])
    later = tried_at + timedelta(seconds=61)
    assert store.removals.due(now=later, retry_seconds=60.0, limit=1) == [PICTURE]
    assert due(store, later_seconds=-3600.0) == sorted([SCAN, PICTURE]), "a clock was set back"


def test_a_database_knows_whether_its_blobs_must_be_somewhere(store: Store) -> None:
    assert not store.refers_to_blobs()
    store.templates.put("card", {"registration": {"code": True}})
    assert not store.refers_to_blobs(), "a template without a picture of its empty form"
    store.templates.put("slip", {"registration": {"reference": SCAN}})
    assert store.refers_to_blobs()
    store.documents.create(new_document(), owner=OWNER)
    assert store.refers_to_blobs()


def test_several_may_work_the_same_blobs_off_at_once(store: Store) -> None:
    for _ in range(5):
        store.documents.delete(done(store), OWNER)
        race_threads(4, partial(_work_off, store, due(store)))
        assert due(store) == []


def test_a_blob_is_never_removed_under_a_newcomer_by_a_late_removal(store: Store) -> None:
    for _ in range(10):
        store.documents.delete(queued(store).id, OWNER)
        blobs = {SCAN}

        def race(racer: int, blobs: set[str] = blobs) -> None:
            if racer == 0:
                store.removals.work_off([SCAN], blobs.discard)
                return
            # As intake does it: the blob first, then the row, then a look whether the blob is there still.
            blobs.add(SCAN)
            queued(store)
            if SCAN not in blobs:
                blobs.add(SCAN)

        race_threads(2, race)
        (newcomer,) = store.documents.recent(owner=OWNER, limit=10)
        assert blobs == {SCAN}
        store.documents.delete(newcomer.id, OWNER)


def test_a_page_of_a_long_document_is_seen_to_as_well(store: Store) -> None:
    document_id = queued(store).id
    store.claims.complete_document(claimed(store, document_id), reading(page(0), page(1)), [PICTURE, digest("second")])
    store.documents.delete(document_id, OWNER, remove=refuse)
    assert due(store) == sorted([SCAN, PICTURE, digest("second")])


def _work_off(store: Store, waiting: list[str], _racer: int) -> frozenset[str]:
    return store.removals.work_off(waiting, lambda _: None)


def test_a_picture_that_a_worker_stores_while_its_document_is_deleted_is_ordered(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    document_id = queued(store, "scan").id
    claim, lock = claimed(store, document_id), Database.lock
    stored: list[bool] = []

    def lock_after_the_worker(database: Database, connection: Connection, digests: Collection[str]) -> None:
        monkeypatch.setattr(Database, "lock", lock)
        if not database.is_sqlite:  # where writers wait for each other from their beginning on
            worker = Thread(
                target=lambda: stored.append(bool(store.claims.complete_document(claim, reading(), [PICTURE])))
            )
            worker.start()
            worker.join(20)
        lock(database, connection, digests)

    monkeypatch.setattr(Database, "lock", lock_after_the_worker)
    removed: list[str] = []
    store.documents.delete(document_id, OWNER, remove=removed.append)
    assert sorted(removed) == sorted([SCAN, PICTURE] if stored else [SCAN])
    assert stored in ([], [True])
    assert due(store) == []
