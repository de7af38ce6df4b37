"""Queries that are asked for every document, or of very many, go by an index and do not walk an owner's documents.

SQLite is asked how it would go about each statement; it plans without statistics, as it does in the service.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from core.status import Priority
from storage import migrate
from storage.engine import make_engine
from storage.store import Store
from tests.services import create_database, drop_database
from tests.storage.samples import OWNER, new_document, queued

Explain = Callable[[Callable[[], object]], list[str]]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty SQLite database."""
    url = f"sqlite:///{tmp_path / 'tallyscan.db'}"
    migrate.upgrade(url)
    engine = make_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_store(engine: Engine) -> Store:
    """A store on it."""
    return Store(engine)


@pytest.fixture
def explain(engine: Engine) -> Explain:
    """A function that runs another, and returns the plans of its queries on documents."""
    seen: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_connection: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if statement.startswith("SELECT") and "FROM documents" in statement:
            seen.append((statement, parameters))

    def run(call: Callable[[], object]) -> list[str]:
        seen.clear()
        call()
        return [_plan(engine, statement, parameters) for statement, parameters in tuple(seen)]

    return run


def test_an_earlier_document_of_the_same_bytes_is_found_at_once(sqlite_store: Store, explain: Explain) -> None:
    assert explain(lambda: queued(sqlite_store)) == [
        "SEARCH documents USING COVERING INDEX ix_documents_sha256_owner_id (sha256=? AND owner=?)"
    ]


def test_a_document_to_be_reused_is_found_at_once(sqlite_store: Store, explain: Explain) -> None:
    plans = explain(lambda: sqlite_store.documents.create(new_document(), owner=OWNER, reuse_duplicates=True))
    assert plans[0] == "SEARCH documents USING INDEX ix_documents_sha256_owner_id (sha256=? AND owner=?)"


def test_one_of_the_same_batch_is_found_as_fast(sqlite_store: Store, explain: Explain) -> None:
    batch = sqlite_store.batches.create(owner=OWNER).batch
    plans = explain(
        lambda: sqlite_store.documents.create(new_document(), owner=OWNER, batch_id=batch.id, reuse_duplicates=True)
    )
    assert "SEARCH documents USING INDEX ix_documents_sha256_owner_id (sha256=? AND owner=?)" in plans


def test_a_batch_is_counted_and_streamed_from_its_indexes(sqlite_store: Store, explain: Explain) -> None:
    batch = sqlite_store.batches.create(owner=OWNER).batch
    assert explain(lambda: sqlite_store.batches.get(batch.id, OWNER)) == [
        "SEARCH documents USING COVERING INDEX ix_documents_batch_status (batch_id=?)"
    ]
    assert explain(lambda: list(sqlite_store.documents.iterate(batch.id, owner=OWNER))) == [
        "SEARCH documents USING INDEX ix_documents_batch (batch_id=? AND id>?)"
    ]


def test_totals_are_counted_from_an_index(engine: Engine, explain: Explain) -> None:
    plans = explain(lambda: Store(engine).totals())
    assert plans[0] == "SCAN documents USING COVERING INDEX ix_documents_status_priority"


def test_only_what_is_queued_is_looked_at_and_never_sorted(sqlite_store: Store, explain: Explain) -> None:
    assert explain(sqlite_store.documents.queued_count) == [
        "SEARCH documents USING COVERING INDEX ix_documents_queued (status=?)"
    ]
    due = explain(lambda: sqlite_store.claims.due(now=datetime.now(UTC), redeliver_seconds=1, limit=10))
    assert "SEARCH documents USING INDEX ix_documents_queued (status=?)" in due[0]
    assert "ORDER BY" not in due[0]


def test_leases_that_ran_out_are_found_by_their_index(sqlite_store: Store, explain: Explain) -> None:
    expired = explain(lambda: sqlite_store.claims.expire(now=datetime.now(UTC), max_attempts=3, lease_seconds=60))
    assert "SEARCH documents USING INDEX ix_documents_leased (lease_expires_at<?)" in expired[0]
    assert "SEARCH documents USING INDEX ix_documents_leased (lease_expires_at>?)" in expired[0]


def test_what_one_queue_lost_is_found_as_well(sqlite_store: Store, explain: Explain) -> None:
    due = explain(
        lambda: sqlite_store.claims.due(now=datetime.now(UTC), redeliver_seconds=1, limit=10, priority=Priority.HIGH)
    )
    assert "SEARCH documents USING INDEX ix_documents_queued (status=?)" in due[0]
    assert "ORDER BY" not in due[0]
    for plan in explain(sqlite_store.claims.sent_counts):
        assert "SCAN documents" not in plan


def test_a_long_history_of_attempts_costs_a_sweep_nothing(postgres_url: str) -> None:
    url = create_database(postgres_url)
    try:
        plan = _plan_of_a_sweep(url)
    finally:
        drop_database(url)
    assert "ix_attempts_requeued" in plan
    assert "Seq Scan on attempts" not in plan


def _plan_of_a_sweep(url: str) -> str:
    """Return how PostgreSQL finds what is due among many documents with ten attempts each."""
    migrate.upgrade(url)
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO documents (id, owner, filename, sha256, size_bytes, media_type, priority, tags, pages_done,"
            " created_at, steps, version, status, attempts) SELECT i, 'o', 'f', i, 1, 'image/png', 'normal', '[]', 0,"
            " now(), '[]', 1, 'queued', 0 FROM generate_series(1, 2000) i"
        )
        connection.exec_driver_sql(
            "INSERT INTO attempts (id, document_id, number, worker, started_at, finished_at, outcome)"
            " SELECT i, mod(i, 2000) + 1, 1, 'w', now(), now() - interval '1 day', 'done'"
            " FROM generate_series(1, 20000) i"
        )
        connection.exec_driver_sql("ANALYZE")
    plans: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _explain(connection: Connection, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:  # noqa: ANN401 - as the driver takes them
        if statement.startswith("SELECT"):
            plans.append("\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)))

    store = Store(engine)
    try:
        due = store.claims.due(now=datetime.now(UTC), redeliver_seconds=60, retry_seconds=60, limit=10)
    finally:
        store.dispose()
    assert len(due) == 10
    return plans[0]


def _plan(engine: Engine, statement: str, parameters: Any) -> str:  # noqa: ANN401 - as the driver takes them
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "; ".join(row.detail for row in rows)
