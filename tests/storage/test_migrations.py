"""Migrations: from nothing to the tables of the code, from any folder, by several processes at once."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from storage import migrate
from storage.engine import make_engine
from storage.store import Store
from storage.tables import metadata
from tests.storage.racing import race_processes
from tests.storage.samples import OWNER, claimed, new_document, page, queued, reading


def test_a_new_database_is_brought_up_to_date_once(empty_url: str) -> None:
    assert migrate.current(empty_url) is None
    migrate.upgrade(empty_url)
    migrate.upgrade(empty_url)
    assert migrate.current(empty_url) == migrate.head()
    store = Store(make_engine(empty_url))
    assert store.schema_current()
    queued(store)
    store.dispose()


def test_migrations_make_the_tables_that_the_code_expects(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    engine = make_engine(empty_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrations_lead_back_too(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    migrate.downgrade(empty_url, "base")
    engine = make_engine(empty_url)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    migrate.upgrade(empty_url)


def test_documents_keep_their_pages_on_the_way_to_the_first_schema_and_back(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    store = Store(make_engine(empty_url))
    document_id = store.documents.create(new_document(target_error=0.05), owner=OWNER).document.id
    assert store.claims.complete_document(claimed(store, document_id), reading())
    store.dispose()
    migrate.downgrade(empty_url, "0001")
    engine = make_engine(empty_url)
    assert "target_error" not in {column["name"] for column in inspect(engine).get_columns("documents")}
    engine.dispose()
    migrate.upgrade(empty_url)
    store = Store(make_engine(empty_url))
    document = store.documents.get(document_id, OWNER)
    assert (document.target_error, document.pages) == (None, (page(),))
    store.dispose()


def test_several_processes_may_migrate_at_once(empty_url: str) -> None:
    code = "from storage import migrate; migrate.upgrade(arguments[0]); result = migrate.current(arguments[0])"
    assert race_processes(3, code, empty_url) == [migrate.head()] * 3


def test_no_ini_file_and_no_particular_folder_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    migrate.upgrade(f"sqlite:///{tmp_path / 'deep' / 'in' / 'x.db'}")
    assert migrate.current(f"sqlite:///{tmp_path / 'deep' / 'in' / 'x.db'}") == migrate.head()
