"""The table of moves is closed, and final statuses can only be left by a retry."""

import pytest

from core.status import FINAL, TRANSITIONS, Status, allowed, origins


def test_every_status_has_its_moves() -> None:
    assert set(TRANSITIONS) == set(Status)


@pytest.mark.parametrize("status", sorted(FINAL))
def test_a_final_status_is_left_only_by_a_retry(status: Status) -> None:
    assert TRANSITIONS[status] == {Status.QUEUED}


def test_nothing_is_done_without_having_run() -> None:
    assert origins(Status.DONE) == {Status.RUNNING}
    assert not allowed(Status.QUEUED, Status.DONE)


def test_only_a_queued_document_can_be_claimed() -> None:
    assert origins(Status.RUNNING) == {Status.QUEUED}
