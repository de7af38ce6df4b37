"""The engine: how transactions begin, what failures are called, and connections across a fork."""

import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from core.errors import DatabaseUnavailable, StorageFull
from core.settings import Settings
from core.status import Status
from storage.engine import Database, make_engine
from storage.store import Store
from tests.services import postgres_server
from tests.storage.samples import OWNER, claimed, new_document, queued, reading


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    file = tmp_path / "sqlite.db"
    file.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{file}"


def test_sqlite_is_set_up_for_several_processes(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000}


def test_the_url_says_how_long_a_writer_waits(sqlite_url: str) -> None:
    engine = make_engine(f"{sqlite_url}?timeout=2.5")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 2_500
    engine.dispose()


def test_sqlite_syncs_what_callers_were_promised_and_not_what_can_be_done_again(sqlite_url: str) -> None:
    database = Database(make_engine(sqlite_url))
    for durable in (True, False, True):
        with database.write(durable=durable) as connection:
            level = connection.exec_driver_sql("PRAGMA synchronous").scalar()
        assert level == (2 if durable else 1)  # FULL, NORMAL
    database.engine.dispose()


def test_a_reader_waits_for_no_writer_and_sees_one_moment(sqlite_url: str) -> None:
    store = Store(make_engine(sqlite_url))
    database = Database(make_engine(sqlite_url, busy_timeout_seconds=0))
    document_id = queued(store).id
    count = text("SELECT count(*) FROM documents")
    with database.write() as writer, database.read() as reader:
        writer.execute(text("UPDATE documents SET worker = 'x'"))
        assert reader.execute(count).scalar() == 1
        writer.commit()
        queued(store, "another")
        assert reader.execute(count).scalar() == 1
    assert store.documents.get(document_id, OWNER).status is Status.QUEUED
    for opened in (store._database, database):
        opened.engine.dispose()


def test_a_locked_sqlite_is_unavailable_and_not_a_mystery(sqlite_url: str) -> None:
    store = Store(make_engine(sqlite_url, busy_timeout_seconds=0.05))
    document_id = queued(store).id
    blocker = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable):
        queued(store, "another")
    assert store.documents.get(document_id, OWNER).id == document_id
    blocker.execute("ROLLBACK")
    blocker.close()
    assert queued(store, "another").status is Status.QUEUED
    store.dispose()


def test_a_full_disk_is_called_so_and_leaves_nothing_half_done(sqlite_url: str) -> None:
    store = Store(make_engine(sqlite_url))
    document_id = queued(store).id
    claim = claimed(store, document_id)
    engine = make_engine(sqlite_url)
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        connection.commit()
    full = Store(engine)  # its pool hands out that one connection
    with pytest.raises(StorageFull):
        queued(full, "x" * 1_000_000)
    full.dispose()
    assert store.claims.complete_document(claim, reading())
    store.dispose()


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    missing = tmp_path / "no such folder" / "x.db"
    for url in (f"sqlite:///{missing}", f"postgresql://nobody@/x?host={tmp_path}"):
        store = Store(make_engine(url))
        with pytest.raises(DatabaseUnavailable):
            store.ping()
        with pytest.raises(DatabaseUnavailable):
            store.schema_current()
        store.dispose()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    file.write_bytes(b"not a database" * 1_000)
    store = Store(make_engine(f"sqlite:///{file}"))
    with pytest.raises(DatabaseUnavailable):
        store.ping()
    store.dispose()


def test_a_database_without_tables_is_unavailable(empty_url: str) -> None:
    store = Store(make_engine(empty_url))
    assert not store.schema_current()
    with pytest.raises(DatabaseUnavailable):
        queued(store)
    store.dispose()


def test_postgres_compiles_no_queries_unless_the_url_says_so(postgres_url: str) -> None:
    options = "-c statement_timeout=4321"
    for added, jit in (("", "off"), (" -c jit=on", "on")):
        url = make_url(postgres_url).update_query_dict({"options": options + added})
        engine = make_engine(url.render_as_string(hide_password=False))
        with engine.connect() as connection:
            shown = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("jit", "statement_timeout")]
        engine.dispose()
        assert shown == [jit, "4321ms"]


def test_a_connection_that_the_server_cut_is_replaced(migrated_postgres: str) -> None:
    store, database = Store(make_engine(migrated_postgres)), Database(make_engine(migrated_postgres))
    queued(store)
    with database.read() as connection:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        cut = connection.execute(text(f"SELECT count(pg_terminate_backend(pid, 5000)) {others}")).scalar()
    assert cut == 1
    assert queued(store).status is Status.QUEUED
    store.dispose()
    database.engine.dispose()


def test_a_server_that_goes_away_is_unavailable() -> None:
    with postgres_server() as url:
        store = Store(make_engine(url))
        store.ping()
    with pytest.raises(DatabaseUnavailable):
        store.ping()
    store.dispose()


def test_a_forked_child_leaves_its_parents_connections_alone(store: Store) -> None:
    document_id = queued(store).id
    child = os.fork()
    if child == 0:
        try:
            store.dispose(close=False)
            claim = store.claims.claim_document(document_id, worker="child", lease_seconds=60)
            right = claim is not None and store.claims.complete_document(claim, reading())
            store.dispose()
            os._exit(0 if right else 1)
        except BaseException:  # noqa: BLE001 - a child must never return into the test run
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.documents.get(document_id, OWNER).status is Status.DONE
    assert queued(store, "another").status is Status.QUEUED


def test_the_store_opens_where_the_settings_say(sqlite_url: str, tmp_path: Path) -> None:
    file = sqlite_url.removeprefix("sqlite:///")
    Path(file).rename(tmp_path / "tallyscan.db")
    store = Store.open(Settings(home=tmp_path))
    assert store.schema_current()
    assert store.documents.create(new_document(), owner=OWNER).document.status is Status.QUEUED
    store.dispose()
