"""Blobs that are being stored: never removed before their rows come, and not left behind when none comes."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from core.errors import DatabaseUnavailable, StorageFull
from storage.arrivals import Arrival
from storage.engine import Database
from storage.removals import ARRIVAL_SECONDS
from storage.store import Store
from tests.storage.racing import race_processes, race_threads
from tests.storage.samples import OWNER, digest, queued
from tests.storage.test_removals import SCAN, due

SECOND = digest("second")

END_AT_ONCE = """
import os
with store.arrivals.expected() as arrival:
    arrival.note(arguments[1])
    print("noted", flush=True)
    os._exit(0)
"""
"""As a process that is killed: nothing that is yet to be done is done."""


def give_up(store: Store, *, later_seconds: float = 0.0) -> int:
    """Do as the sweeper does, so many seconds from now."""
    return store.arrivals.give_up(now=datetime.now(UTC) + timedelta(seconds=later_seconds), limit=10)


def test_what_got_its_row_is_neither_expected_nor_removed(store: Store) -> None:
    with store.arrivals.expected() as arrival:
        arrival.note(SCAN)
        arrival.note(SCAN)
        document_id = queued(store).id
    assert give_up(store, later_seconds=2 * ARRIVAL_SECONDS) == 0
    assert due(store) == []
    assert store.documents.delete(document_id, OWNER, remove=lambda _: None) == {SCAN}


def test_what_fails_is_ordered_to_be_removed_unless_a_row_has_it(store: Store) -> None:
    with suppress(StorageFull), store.arrivals.expected() as arrival:
        arrival.note(SCAN)
        arrival.note(SECOND)
        queued(store)
        raise StorageFull
    removed: list[str] = []
    assert due(store) == sorted([SCAN, SECOND])
    store.removals.work_off(due(store), removed.append)
    assert (removed, due(store)) == ([SECOND], [])


def test_a_writer_that_is_killed_is_given_up_after_a_while(database_url: str, store: Store) -> None:
    assert race_processes(1, END_AT_ONCE, database_url, SCAN) == ["noted"]
    assert give_up(store, later_seconds=ARRIVAL_SECONDS - 10) == 0
    assert give_up(store, later_seconds=ARRIVAL_SECONDS + 10) == 1
    assert due(store) == [SCAN]
    removed: list[str] = []
    store.removals.work_off([SCAN], removed.append)
    assert (removed, due(store)) == ([SCAN], [])


def test_a_deletion_spares_what_somebody_is_just_storing(store: Store) -> None:
    document_id, removed = queued(store).id, list[str]()
    with store.arrivals.expected() as arrival:
        arrival.note(SCAN)
        assert store.documents.delete(document_id, OWNER, remove=removed.append) == frozenset()
        assert due(store) == [], "the sweeper does not try in vain"
        newcomer = queued(store)
    store.removals.work_off(due(store), removed.append)
    assert (removed, due(store)) == ([], [])
    store.documents.delete(newcomer.id, OWNER, remove=removed.append)
    assert removed == [SCAN]


def test_a_deletion_that_spared_it_in_vain_is_made_up_for(store: Store, database: Database) -> None:
    document_id = queued(store).id
    Arrival(database).note(SCAN)  # and is killed
    with store.arrivals.expected() as second:
        second.note(SCAN)
        store.documents.delete(document_id, OWNER, remove=lambda _: None)
    later = ARRIVAL_SECONDS + 10
    assert due(store) == []
    assert give_up(store, later_seconds=later) == 1
    assert due(store, later_seconds=later) == [SCAN]


def test_a_note_from_the_future_holds_nothing_up(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    document_id = queued(store).id
    monkeypatch.setattr("storage.arrivals.utc_now", lambda: datetime.now(UTC) + timedelta(days=300))
    Arrival(database).note(SCAN)
    assert store.documents.delete(document_id, OWNER, remove=lambda _: None) == {SCAN}
    assert give_up(store) == 1


def test_a_database_that_is_away_at_the_end_leaves_the_note(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object, **_options: object) -> None:
        raise DatabaseUnavailable

    with store.arrivals.expected() as arrival:
        arrival.note(SCAN)
        monkeypatch.setattr(arrival._database, "write", away)
    monkeypatch.undo()
    assert give_up(store, later_seconds=ARRIVAL_SECONDS + 10) == 1


def test_whoever_stores_while_a_removal_is_under_way_comes_after_it(store: Store, database: Database) -> None:
    for _ in range(10):
        store.documents.delete(queued(store).id, OWNER)
        blobs = {SCAN}
        race_threads(2, partial(_remove_or_store, store, database, blobs))
        # Without a look afterwards: the note alone sees to it.
        assert blobs == {SCAN}
        (newcomer,) = store.documents.recent(owner=OWNER, limit=10)
        store.documents.delete(newcomer.id, OWNER)


def _remove_or_store(store: Store, database: Database, blobs: set[str], racer: int) -> None:
    if racer == 0:
        store.removals.work_off([SCAN], blobs.discard)
        return
    with store.arrivals.expected() as arrival:
        arrival.note(SCAN)
        blobs.add(SCAN)
        queued(store)
