"""What the sweeper sends, takes back and gives up, and what it leaves alone."""

import dataclasses
from collections.abc import Iterator

import pytest

from core.errors import BlobStoreUnavailable, BrokerUnavailable
from core.queue import Dispatcher
from core.settings import Settings
from core.status import Priority, Status
from core.types import Phase
from storage.records import Delivery
from tests.factories import png_bytes
from tests.worker.conftest import Submit, drain
from worker.desk import Desk
from worker.sweeper import Swept, sweep


def swept(desk: Desk, **changed: float) -> Swept:
    """Sweep with some settings changed."""
    return sweep(desk.store, desk.dispatcher, desk.settings.model_copy(update=changed), blobs=desk.blobs)


@pytest.fixture
def lonely(desk: Desk) -> Iterator[Desk]:
    """A desk whose broker is away."""
    dispatcher = Dispatcher(Settings(home=desk.settings.home))
    yield dataclasses.replace(desk, dispatcher=dispatcher)
    dispatcher.close()


class HastyWorker(Dispatcher):
    """Sends, and before it returns a worker has claimed the document and given it back."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.settings)
        self._desk = desk
        self.met: list[str] = []

    def send_document(self, document_id: str, *, priority: Priority) -> None:
        """Send, and play the worker."""
        super().send_document(document_id, priority=priority)
        claim = self._desk.store.claims.claim_document(document_id, worker="hasty", lease_seconds=30)
        assert claim is not None
        assert self._desk.store.claims.release(claim)
        self.met.append(document_id)


class LeavingBroker(Dispatcher):
    """Takes one message and no more."""

    taken = 0

    def send_document(self, document_id: str, *, priority: Priority) -> None:
        """Send the first one."""
        if self.taken:
            raise BrokerUnavailable
        super().send_document(document_id, priority=priority)
        self.taken += 1


def test_what_intake_could_not_send_is_sent_once(desk: Desk, submit: Submit) -> None:
    for _ in range(3):
        submit()
    assert swept(desk) == Swept(requeued=0, lost=0, sent=3)
    assert swept(desk) == Swept(requeued=0, lost=0, sent=0)
    assert drain(desk.dispatcher) == 3


def test_with_the_broker_away_it_is_sent_later(lonely: Desk, desk: Desk, submit: Submit) -> None:
    submit()
    assert swept(lonely).sent == 0
    assert swept(desk).sent == 1


def test_what_the_broker_lost_is_sent_again(desk: Desk, submit: Submit) -> None:
    submit(sent=True)
    assert swept(desk).sent == 0, "it may be on its way"
    assert swept(desk, redeliver_seconds=0.0).sent == 1


def test_what_waits_in_the_broker_is_not_sent_again(desk: Desk, submit: Submit) -> None:
    for _ in range(5):
        submit()
    swept(desk)
    assert swept(desk, redeliver_seconds=0.0).sent == 0
    assert drain(desk.dispatcher) == 5


def test_no_more_is_sent_again_than_the_broker_lost(desk: Desk, submit: Submit) -> None:
    lost = [submit(sent=True) for _ in range(2)]
    for _ in range(5):
        submit()
    assert swept(desk).sent == 5
    assert swept(desk, redeliver_seconds=0.0).sent == len(lost)
    assert swept(desk, redeliver_seconds=0.0).sent == 0
    assert drain(desk.dispatcher) == 7


def test_lost_documents_are_sent_again_while_pages_fill_the_broker(desk: Desk, submit: Submit) -> None:
    for document_id in (submit(sent=True).id, submit(sent=True).id):
        claim = desk.store.claims.claim_document(document_id, worker="splitter", lease_seconds=30)
        assert claim is not None
        desk.store.claims.split(claim, 4)
    assert swept(desk).sent == 8
    lost = [submit(sent=True) for _ in range(2)]
    assert swept(desk, redeliver_seconds=0.0).sent == len(lost)
    assert drain(desk.dispatcher) == 10


def test_what_fails_at_once_after_being_sent_is_not_taken_for_sent(desk: Desk, submit: Submit) -> None:
    document = submit()
    hasty = HastyWorker(desk)
    sweep(desk.store, hasty, desk.settings, blobs=desk.blobs)
    assert hasty.met == [document.id]
    hasty.close()
    assert swept(desk).sent == 1


def test_what_failed_for_a_passing_reason_waits_before_it_is_sent_again(desk: Desk, submit: Submit) -> None:
    document = submit(sent=True)
    claim = desk.store.claims.claim_document(document.id, worker="unlucky", lease_seconds=30)
    assert claim is not None
    away = BlobStoreUnavailable().failure(Phase.FETCH)
    assert desk.store.claims.fail(claim, away, max_attempts=3) is Status.QUEUED
    for _ in range(3):
        assert swept(desk).sent == 0, "the blob store is not back yet"
    assert swept(desk, redeliver_seconds=0.0).sent == 1
    assert drain(desk.dispatcher) == 1


def test_with_the_broker_lost_halfway_the_rest_is_sent_by_the_next_sweep(desk: Desk, submit: Submit) -> None:
    for _ in range(3):
        submit()
    leaving = LeavingBroker(desk.settings)
    assert sweep(desk.store, leaving, desk.settings, blobs=desk.blobs).sent == 1
    leaving.close()
    assert swept(desk).sent == 2
    assert drain(desk.dispatcher) == 3


def test_a_dead_workers_document_is_taken_back_and_sent(desk: Desk, submit: Submit) -> None:
    document = submit(sent=True)
    assert desk.store.claims.claim_document(document.id, worker="dead", lease_seconds=-1)
    assert swept(desk) == Swept(requeued=1, lost=0, sent=1)
    desk.read_document(document.id)
    after = desk.store.documents.get(document.id, owner="me")
    assert (after.status, after.attempts) == (Status.DONE, 2)


def test_a_living_workers_document_is_left_alone(desk: Desk, submit: Submit) -> None:
    document = submit(sent=True)
    assert desk.store.claims.claim_document(document.id, worker="alive", lease_seconds=30)
    assert swept(desk, redeliver_seconds=0.0) == Swept(requeued=0, lost=0, sent=0)


def test_after_the_last_attempt_it_is_given_up_and_can_be_tried_again(desk: Desk, submit: Submit) -> None:
    document = submit(sent=True)
    for attempt in range(1, 4):
        assert desk.store.claims.claim_document(document.id, worker="dead", lease_seconds=-1)
        assert swept(desk) == Swept(requeued=int(attempt < 3), lost=int(attempt == 3), sent=int(attempt < 3))
    after = desk.store.documents.get(document.id, owner="me")
    assert after.failure is not None
    assert (after.status, after.failure.code) == (Status.FAILED, "worker_lost")

    desk.store.documents.retry(document.id, "me")
    swept(desk)
    desk.read_document(document.id)
    assert desk.store.documents.version(document.id, "me")[1] is Status.DONE


def test_a_loss_is_found_however_full_the_other_queues_are(desk: Desk, submit: Submit) -> None:
    for _ in range(5):
        submit(priority=Priority.BULK)
    assert swept(desk).sent == 5
    # A message more than there are documents, as after one that was sent twice: it must not hide the loss.
    desk.dispatcher.send_document("x", priority=Priority.BULK)
    lost = submit(priority=Priority.HIGH, sent=True)
    assert swept(desk, redeliver_seconds=0.0).sent == 1
    assert desk.dispatcher.backlog() == {Priority.HIGH: 1, Priority.NORMAL: 0, Priority.BULK: 6}
    assert swept(desk, redeliver_seconds=0.0).sent == 0
    assert desk.store.documents.get(lost.id, "me").status is Status.QUEUED
    assert drain(desk.dispatcher) == 7


def test_lost_pages_are_sent_to_their_documents_queue(desk: Desk, submit: Submit) -> None:
    submit(priority=Priority.BULK)
    swept(desk)
    claim = desk.store.claims.claim_document(
        submit(priority=Priority.HIGH, sent=True).id, worker="splitter", lease_seconds=30
    )
    assert claim is not None
    desk.store.claims.split(claim, 2)
    desk.store.claims.mark_sent([Delivery(claim.document_id, index, Priority.HIGH) for index in range(2)])
    assert swept(desk, redeliver_seconds=0.0).sent == 2
    assert desk.dispatcher.backlog() == {Priority.HIGH: 2, Priority.NORMAL: 0, Priority.BULK: 1}
    assert drain(desk.dispatcher) == 3


def test_the_backlog_counts_each_queue(desk: Desk) -> None:
    for priority in Priority:
        desk.dispatcher.send_document("x", priority=priority)
    desk.dispatcher.send_page("x", 3, priority=Priority.BULK)
    assert desk.dispatcher.backlog() == {Priority.HIGH: 1, Priority.NORMAL: 1, Priority.BULK: 2}
    assert drain(desk.dispatcher) == 4


def stored(desk: Desk) -> set[str]:
    """Return the names of the blobs."""
    return {file.name for file in (desk.settings.home / "blobs").glob("??/??/*")}


def away(_sha256: str) -> None:
    """Be a store that has gone away."""
    raise BlobStoreUnavailable


def test_what_a_deletion_could_not_remove_is_removed_by_the_next_sweep(desk: Desk, submit: Submit) -> None:
    gone, twin, other = submit(), submit(), submit(png_bytes("12", seed=2))
    desk.read_document(gone.id)
    swept(desk)
    desk.store.documents.delete(gone.id, "me", remove=away)
    assert len(stored(desk)) == 3, "two scans and a picture"
    assert swept(desk) == Swept(requeued=0, lost=0, sent=0, removed=1)
    assert stored(desk) == {twin.sha256, other.sha256}
    desk.store.documents.delete(twin.id, "me", remove=away)
    assert swept(desk).removed == 1
    assert stored(desk) == {other.sha256}


def test_while_the_blob_store_is_away_nothing_is_lost_and_the_sweeper_waits(
    desk: Desk, submit: Submit, caplog: pytest.LogCaptureFixture
) -> None:
    documents = [submit(), submit(png_bytes("12", seed=2))]
    blobs, aside = desk.settings.home / "blobs", desk.settings.home / "aside"
    blobs.rename(aside)
    for document in documents:
        desk.store.documents.delete(document.id, "me", remove=desk.blobs.delete)
    assert swept(desk).removed == 0
    assert swept(desk, redeliver_seconds=0.0).removed == 0
    aside.rename(blobs)
    assert swept(desk).removed == 0, "the store is given time to come back"
    assert swept(desk, redeliver_seconds=0.0).removed == 2
    assert stored(desk) == set()


def test_a_blob_that_cannot_be_removed_keeps_no_other(
    desk: Desk, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = submit(), submit(png_bytes("12", seed=2))
    remove = desk.blobs.delete
    monkeypatch.setattr(desk.blobs, "delete", lambda sha256: (away if sha256 == stuck.sha256 else remove)(sha256))
    for document in (stuck, other):
        desk.store.documents.delete(document.id, "me", remove=away)
    assert [swept(desk, redeliver_seconds=0.0).removed for _ in range(3)] == [0, 1, 0]
    assert stored(desk) == {stuck.sha256}
