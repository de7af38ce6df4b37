"""Documents as callers see them."""

from functools import partial

import pytest
from sqlalchemy import event

from core.errors import (
    IdempotencyConflict,
    InvalidRequest,
    InvalidTransition,
    NotFound,
    NotReady,
    StorageFull,
    UnknownTemplate,
)
from core.status import Priority, Status
from storage.engine import Database
from storage.records import Delivery, TemplateRef
from storage.store import Store
from tests.storage.samples import OWNER, READER, claimed, digest, new_document, page, queued, reading


def test_a_document_comes_back_as_it_was_submitted(store: Store) -> None:
    new = new_document(priority=Priority.BULK, callback_url="https://example.org/done", type_name=None)
    created = store.documents.create(new, owner=OWNER)
    found = store.documents.get(created.document.id, OWNER)
    assert found == created.document
    assert not created.replayed
    assert (found.status, found.version, found.attempts, found.pages_total) == (Status.QUEUED, 1, 0, None)
    assert (found.filename, found.sha256, found.size_bytes, found.media_type) == (
        "scan.png",
        digest("scan"),
        12_345,
        "image/png",
    )
    assert (found.priority, found.tags, found.callback_url) == (Priority.BULK, ("a", "ü"), new.callback_url)
    assert found.created_at.tzinfo is not None


def test_a_reading_comes_back_exactly(store: Store) -> None:
    document = queued(store)
    assert store.claims.complete_document(claimed(store, document.id), reading(page(0), page(1, fields=())))
    found = store.documents.get(document.id, OWNER)
    assert found.pages == (page(0), page(1, fields=()))
    assert found.steps == reading().steps
    assert (found.reader, found.status, found.pages_total, found.pages_done) == (READER, Status.DONE, 2, 2)
    assert found.started_at is not None
    assert found.finished_at is not None
    assert found.created_at <= found.started_at <= found.finished_at


def test_nobody_sees_another_owners_documents(store: Store) -> None:
    document_id = queued(store).id
    for call in (
        store.documents.get,
        store.documents.version,
        store.documents.cancel,
        store.documents.retry,
        store.documents.delete,
        store.documents.attempts,
    ):
        with pytest.raises(NotFound):
            call(document_id, "somebody else")
    with pytest.raises(NotFound):
        store.documents.preview(document_id, 0, owner="somebody else")
    assert store.documents.recent(owner="somebody else", limit=10) == []
    assert store.documents.get(document_id, None).id == document_id
    assert store.documents.get(document_id, OWNER).status is Status.QUEUED


def test_an_unknown_id_is_not_found(store: Store) -> None:
    for document_id in ("", "0" * 26, "x" * 500):
        with pytest.raises(NotFound):
            store.documents.get(document_id, None)


def test_the_same_key_and_request_give_the_same_document(store: Store) -> None:
    first = queued(store, idempotency_key="k", request_digest="d")
    again = store.documents.create(new_document(), owner=OWNER, idempotency_key="k", request_digest="d")
    assert again.replayed
    assert again.document == first
    assert len(store.documents.recent(owner=OWNER, limit=10)) == 1


def test_the_same_key_with_another_request_is_refused(store: Store) -> None:
    queued(store, idempotency_key="k", request_digest="d")
    with pytest.raises(IdempotencyConflict):
        store.documents.create(new_document("other"), owner=OWNER, idempotency_key="k", request_digest="e")
    with pytest.raises(IdempotencyConflict):
        store.batches.create(owner=OWNER, idempotency_key="k", request_digest="d")
    assert len(store.documents.recent(owner=OWNER, limit=10)) == 1


def test_two_owners_may_use_the_same_key(store: Store) -> None:
    first = queued(store, idempotency_key="k", request_digest="d")
    other = store.documents.create(new_document(), owner="tax office", idempotency_key="k", request_digest="e")
    assert not other.replayed
    assert other.document.id != first.id


def test_a_key_is_free_again_when_its_document_is_deleted(store: Store) -> None:
    first = queued(store, idempotency_key="k", request_digest="d")
    store.documents.delete(first.id, OWNER)
    again = store.documents.create(new_document(), owner=OWNER, idempotency_key="k", request_digest="d")
    assert not again.replayed


def test_the_same_bytes_name_the_owners_first_document(store: Store) -> None:
    first = queued(store)
    second, third = queued(store), queued(store)
    other = store.documents.create(new_document(), owner="tax office").document
    assert first.duplicate_of is None
    assert second.duplicate_of == third.duplicate_of == first.id
    assert other.duplicate_of is None


def test_a_duplicate_outlives_its_original(store: Store) -> None:
    first, second = queued(store), queued(store)
    assert store.documents.delete(first.id, OWNER) == frozenset()
    assert store.documents.get(second.id, OWNER).duplicate_of is None


def test_duplicates_are_reused_on_request_only_where_they_answer_the_same_question(store: Store) -> None:
    first = queued(store)
    again = store.documents.create(new_document(), owner=OWNER, reuse_duplicates=True)
    assert (again.document.id, again.replayed) == (first.id, True)
    other_type = store.documents.create(new_document(type_name=None), owner=OWNER, reuse_duplicates=True)
    assert not other_type.replayed
    store.documents.cancel(first.id, OWNER)
    after_cancel = store.documents.create(new_document(), owner=OWNER, reuse_duplicates=True)
    assert not after_cancel.replayed
    assert after_cancel.document.duplicate_of == first.id


def test_a_reading_is_not_reused_under_another_target_error(store: Store) -> None:
    def sent(target_error: float | None) -> str:
        new = new_document(target_error=target_error)
        return store.documents.create(new, owner=OWNER, reuse_duplicates=True).document.id

    ids = [sent(share) for share in (None, 0.01, 0.1 + 0.2)]
    assert len(set(ids)) == 3
    assert [sent(share) for share in (None, 0.01, 0.1 + 0.2)] == ids


def test_a_template_is_pinned_at_its_latest_version(store: Store) -> None:
    with pytest.raises(UnknownTemplate):
        store.documents.create(new_document(template="cheque"), owner=OWNER)
    store.templates.put("cheque", {"fields": []})
    store.templates.put("cheque", {"fields": ["amount"]})
    document = store.documents.create(new_document(template="cheque"), owner=OWNER).document
    store.templates.put("cheque", {"fields": ["amount", "date"]})
    assert store.documents.get(document.id, OWNER).template == TemplateRef("cheque", 2)
    assert claimed(store, document.id).template == ("cheque", 2)


def test_a_document_joins_only_its_owners_batch(store: Store) -> None:
    batch = store.batches.create(owner=OWNER).batch
    assert queued(store, batch_id=batch.id).batch_id == batch.id
    for owner, batch_id in (("somebody else", batch.id), (OWNER, "0" * 26)):
        with pytest.raises(NotFound):
            store.documents.create(new_document(), owner=owner, batch_id=batch_id)


def test_every_visible_change_raises_the_version(store: Store) -> None:
    document_id = queued(store).id
    seen = [store.documents.version(document_id, OWNER)]
    claim = claimed(store, document_id)
    seen.append(store.documents.version(document_id, OWNER))
    store.claims.mark_sent([Delivery(document_id, None, Priority.NORMAL)])
    assert store.documents.version(document_id, OWNER) == seen[-1]
    store.claims.complete_document(claim, reading())
    seen.append(store.documents.version(document_id, OWNER))
    store.documents.retry(document_id, OWNER)
    seen.append(store.documents.version(document_id, OWNER))
    store.documents.cancel(document_id, OWNER)
    seen.append(store.documents.version(document_id, OWNER))
    assert [version for version, _ in seen] == sorted({version for version, _ in seen})
    assert [str(status) for _, status in seen] == ["queued", "running", "done", "queued", "cancelled"]


def test_recent_documents_come_newest_first_in_pages(store: Store) -> None:
    batch = store.batches.create(owner=OWNER).batch
    ids = [queued(store, str(number), batch_id=batch.id if number % 2 else None).id for number in range(6)]
    newest = store.documents.recent(owner=OWNER, limit=4)
    assert [record.id for record in newest] == ids[:1:-1]
    rest = store.documents.recent(owner=None, limit=4, before_id=newest[-1].id)
    assert [record.id for record in rest] == [ids[1], ids[0]]
    of_batch = store.documents.recent(owner=OWNER, limit=10, batch_id=batch.id)
    assert [record.id for record in of_batch] == [ids[5], ids[3], ids[1]]


def test_retry_forgets_the_reading(store: Store) -> None:
    document_id = queued(store).id
    store.claims.complete_document(claimed(store, document_id), reading())
    again = store.documents.retry(document_id, OWNER)
    assert (again.status, again.attempts, again.pages, again.pages_total) == (Status.QUEUED, 0, (), None)
    assert (again.started_at, again.finished_at, again.reader, again.steps) == (None, None, None, ())
    with pytest.raises(NotReady):
        store.documents.preview(document_id, 0, owner=OWNER)
    assert len(store.documents.attempts(document_id, OWNER)) == 1
    assert claimed(store, document_id).attempt == 1


@pytest.mark.parametrize("sent", [False, True])
def test_retry_notes_whether_it_is_being_sent(sent: bool, store: Store) -> None:
    document_id = queued(store, sent=True).id
    store.documents.cancel(document_id, OWNER)
    store.documents.retry(document_id, OWNER, sent=sent)
    assert store.claims.sent_counts() == ({Priority.NORMAL: 1} if sent else {})


def test_retry_removes_the_pictures_that_nobody_needs_any_more(store: Store) -> None:
    first, second = queued(store), queued(store)
    for document, pictures in ((first, ("shared", "own")), (second, ("shared",))):
        read = reading(*(page(index) for index in range(len(pictures))))
        store.claims.complete_document(claimed(store, document.id), read, [digest(picture) for picture in pictures])
    removed: list[str] = []
    store.documents.retry(first.id, OWNER, remove=removed.append)
    assert removed == [digest("own")]
    with pytest.raises(InvalidTransition):
        store.documents.retry(first.id, OWNER, remove=removed.append)
    store.documents.retry(second.id, OWNER, remove=removed.append)
    assert removed == [digest("own"), digest("shared")]


def test_what_has_ended_cannot_be_cancelled_and_what_has_not_cannot_be_retried(store: Store) -> None:
    document_id = queued(store).id
    with pytest.raises(InvalidTransition):
        store.documents.retry(document_id, OWNER)
    store.documents.cancel(document_id, OWNER)
    with pytest.raises(InvalidTransition):
        store.documents.cancel(document_id, OWNER)


def test_delete_names_the_blobs_that_nobody_needs_any_more(store: Store) -> None:
    first, second = queued(store), queued(store)
    for document, preview in ((first, "shared"), (second, "shared")):
        store.claims.complete_document(claimed(store, document.id), reading(), [digest(preview)])
    assert store.documents.delete(first.id, OWNER) == frozenset()
    assert store.documents.delete(second.id, OWNER) == {digest("scan"), digest("shared")}
    with pytest.raises(NotFound):
        store.documents.get(second.id, OWNER)


def test_delete_leaves_no_row_behind(store: Store, database: Database) -> None:
    document_id = queued(store, idempotency_key="k", request_digest="d").id
    store.claims.complete_document(claimed(store, document_id), reading())
    store.documents.delete(document_id, OWNER)
    with database.read() as connection:
        for table in ("documents", "pages", "fields", "attempts", "idempotency_keys"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0, table


@pytest.mark.parametrize("again", [False, True], ids=["delete", "retry"])
def test_what_is_not_committed_removes_no_blob(again: bool, store: Store) -> None:
    document_id = queued(store).id
    store.claims.complete_document(claimed(store, document_id), reading(), [digest("picture")])
    removed: list[str] = []
    change = partial(store.documents.retry if again else store.documents.delete, document_id, OWNER)

    def fill(_connection: object) -> None:
        raise StorageFull

    event.listen(store._database.engine, "commit", fill)
    with pytest.raises(StorageFull):
        change(remove=removed.append)
    event.remove(store._database.engine, "commit", fill)
    assert removed == []
    assert store.documents.get(document_id, OWNER).status is Status.DONE
    change(remove=removed.append)
    assert sorted(removed) == sorted([digest("picture")] if again else [digest("picture"), digest("scan")])


def test_a_picture_is_found_once_its_page_is_read(store: Store) -> None:
    document_id = queued(store).id
    with pytest.raises(NotReady):
        store.documents.preview(document_id, 0, owner=OWNER)
    store.claims.complete_document(claimed(store, document_id), reading(page(0), page(1)), [digest("picture")])
    assert store.documents.preview(document_id, 0, owner=OWNER) == digest("picture")
    for index in (1, 2):
        with pytest.raises(NotFound):
            store.documents.preview(document_id, index, owner=OWNER)


def test_queued_documents_are_counted(store: Store) -> None:
    first, _ = queued(store, "one"), queued(store, "two")
    assert store.documents.queued_count() == 2
    claimed(store, first.id)
    assert store.documents.queued_count() == 1


def test_text_that_a_database_cannot_hold_is_the_callers_mistake(store: Store) -> None:
    with pytest.raises(InvalidRequest):
        store.documents.create(new_document(filename="\ud800.png"), owner=OWNER)
    with pytest.raises(InvalidRequest):
        store.documents.create(new_document(filename="nul\x00.png"), owner=OWNER)


def test_delete_spares_the_picture_that_a_template_names(store: Store) -> None:
    registration = {"method": "features", "reference": digest("blank form")}
    store.templates.put("plain", {"name": "plain", "fields": []})
    store.templates.put("card", {"name": "card", "registration": registration})
    for content, gone in (("blank form", frozenset()), ("scan", frozenset({digest("scan")}))):
        document = store.documents.create(new_document(content), owner=OWNER).document
        assert store.documents.delete(document.id, OWNER) == gone
