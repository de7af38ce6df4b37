"""What people say of fields: kept beside the readings, the latest of each field first in line."""

import pytest

from core.errors import InvalidRequest, NotFound, NotReady
from core.types import Box, ReaderInfo, Truth
from storage.records import KeyRecord, NewCorrection, Scope
from storage.store import Store
from tests.storage.samples import OWNER, READER, claimed, claimed_page, page, queued, reading


@pytest.fixture
def key(store: Store) -> KeyRecord:
    return store.keys.create(owner=OWNER, name="ann", scopes=frozenset({Scope.SUBMIT}))[0]


@pytest.fixture
def document_id(store: Store) -> str:
    document = queued(store)
    assert store.claims.complete_document(claimed(store, document.id), reading())
    return document.id


def said(text: str | None = "408", **changes: object) -> NewCorrection:
    values = {"page_index": 0, "field": "amount", "truth": Truth.TEXT, "text": text, "value": text}
    return NewCorrection(**{**values, **changes})  # type: ignore[arg-type]


def test_a_correction_stands_beside_the_reading(store: Store, document_id: str, key: KeyRecord) -> None:
    before = store.documents.get(document_id, OWNER)
    record = store.corrections.add(document_id, said(note="seen on paper"), owner=OWNER, key=key)
    after = store.documents.get(document_id, OWNER)
    assert (record.text, record.old_text, record.old_value, record.confirms) == ("408", "407", "407", False)
    assert (record.box, record.type, record.reader) == (Box(10, 20, 300, 40), "digits", READER)
    assert (record.key_id, record.key_name, record.note) == (key.id, "ann", "seen on paper")
    assert (record.old_confidence, record.old_accepted, record.filename) == (1 / 3, False, before.filename)
    assert after.pages == before.pages
    assert after.corrections == (record,)
    assert after.version > before.version


def test_of_several_for_one_field_the_latest_counts(store: Store, document_id: str, key: KeyRecord) -> None:
    for new in (said("1"), said("12", field="account"), said("407"), said(None, truth=Truth.UNREADABLE)):
        store.corrections.add(document_id, new, owner=OWNER, key=key)
    every = store.corrections.of_document(document_id, OWNER)
    assert [(each.field, each.text, each.current) for each in every] == [
        ("amount", "1", False), ("account", "12", True), ("amount", "407", False), ("amount", None, True)
    ]  # fmt: skip
    assert [each.confirms for each in every] == [False, True, True, False]
    counting = tuple(each for each in every if each.current)
    assert store.documents.get(document_id, OWNER).corrections == counting
    assert tuple(store.corrections.listed(owner=OWNER, limit=10)) == counting
    assert store.corrections.listed(owner=None, limit=10, after_id=counting[0].id) == [counting[1]]
    assert store.corrections.listed(owner=None, limit=1) == [counting[0]]


def test_they_are_listed_by_owner_and_batch(store: Store, document_id: str, key: KeyRecord) -> None:
    batch = store.batches.create(owner=OWNER).batch
    other = queued(store, "second", batch_id=batch.id)
    store.claims.complete_document(claimed(store, other.id), reading())
    mine = store.corrections.add(document_id, said(), owner=OWNER, key=key)
    inside = store.corrections.add(other.id, said(), owner=None, key=key)
    assert store.corrections.listed(owner="another", limit=10) == []
    assert store.corrections.listed(owner=OWNER, limit=10, batch_id=batch.id) == [inside]
    assert store.corrections.listed(owner=None, limit=10) == [mine, inside]


def test_what_is_not_there_cannot_be_corrected(store: Store, document_id: str, key: KeyRecord) -> None:
    for missing in (said(field="nosuch"), said(page_index=3)):
        with pytest.raises(NotFound):
            store.corrections.add(document_id, missing, owner=OWNER, key=key)
    with pytest.raises(NotFound):
        store.corrections.add(document_id, said(), owner="another", key=key)
    with pytest.raises(NotFound):
        store.corrections.of_document(document_id, "another")
    with pytest.raises(NotReady):
        store.corrections.add(queued(store, "late").id, said(), owner=OWNER, key=key)
    with pytest.raises(InvalidRequest):
        store.corrections.add(document_id, said(note="a\0b"), owner=OWNER, key=key)


def test_reading_again_keeps_what_was_said_and_deleting_takes_it_along(
    store: Store, document_id: str, key: KeyRecord
) -> None:
    record = store.corrections.add(document_id, said(), owner=OWNER, key=key)
    store.documents.retry(document_id, OWNER)
    assert store.corrections.of_document(document_id, OWNER) == (record,)
    store.documents.delete(document_id, OWNER)
    assert store.corrections.listed(owner=None, limit=10) == []


def test_each_page_of_a_long_document_names_what_read_it(store: Store, key: KeyRecord) -> None:
    document, readers = queued(store), (READER, ReaderInfo("8", "f" * 64))
    store.claims.split(claimed(store, document.id), 2)
    for index, reader in enumerate(readers):
        claim = claimed_page(store, document.id, index)
        assert store.claims.complete_page(claim, page(index, reader=reader), reader=reader).stored
    found = store.documents.get(document.id, OWNER)
    assert tuple(each.reader for each in found.pages) == readers
    assert found.reader == readers[1]
    for index, reader in enumerate(readers):
        assert store.corrections.add(document.id, said(page_index=index), owner=OWNER, key=key).reader == reader
