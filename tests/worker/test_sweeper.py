"""What the sweeper sends, takes back and gives up, and what it leaves alone."""

import dataclasses
from collections.abc import Iterator

import pytest

from core.queue import Dispatcher
from core.settings import Settings
from core.status import Priority, Status
from tests.worker.conftest import Submit, drain
from worker.desk import Desk
from worker.sweeper import Swept, sweep


def swept(desk: Desk, **changed: float) -> Swept:
    """Sweep with some settings changed."""
    return sweep(desk.store, desk.dispatcher, desk.settings.model_copy(update=changed))


@pytest.fixture
def lonely(desk: Desk) -> Iterator[Desk]:
    """A desk whose broker is away."""
    dispatcher = Dispatcher(Settings(home=desk.settings.home))
    yield dataclasses.replace(desk, dispatcher=dispatcher)
    dispatcher.close()


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


def test_the_backlog_counts_all_queues(desk: Desk) -> None:
    for priority in Priority:
        desk.dispatcher.send_document("x", priority=priority)
    desk.dispatcher.send_page("x", 3, priority=Priority.BULK)
    assert desk.dispatcher.backlog() == 4
    assert drain(desk.dispatcher) == 4
