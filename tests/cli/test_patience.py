"""How long is waited, and by whom."""

import time

import pytest

from cli.patience import FIRST_DELAY_SECONDS, FOREVER, LONGEST_DELAY_SECONDS, Patience, _backoff
from core.errors import QueueFull, ServiceUnreachable


def test_back_off_grows_up_to_its_ceiling() -> None:
    for attempt in range(1, 40):
        assert 0 < _backoff(attempt) <= LONGEST_DELAY_SECONDS
    assert _backoff(1) < 0.3 < _backoff(4)


def test_one_pause_holds_everybody_back() -> None:
    patience = Patience(limit_seconds=5)
    started = time.monotonic()
    patience.hold(QueueFull(), attempt=1, retry_after=0.2, busy=True)
    patience.take_turn()
    assert time.monotonic() - started >= 0.2


def test_a_busy_service_never_exhausts_the_patience() -> None:
    patience = Patience(limit_seconds=0.01)
    for attempt in (1, 2, 3):
        patience.hold(QueueFull(), attempt=attempt, retry_after=0.02, busy=True)
    with pytest.raises(ServiceUnreachable):
        patience.hold(ServiceUnreachable(), attempt=1)


def test_an_answer_renews_the_patience() -> None:
    patience = Patience(limit_seconds=0.3)
    patience.sleep(0.35)
    patience.answered()
    patience.hold(ServiceUnreachable(), attempt=1, retry_after=0)


def test_no_patience_raises_whatever_it_was() -> None:
    with pytest.raises(QueueFull):
        Patience().hold(QueueFull(), attempt=1, retry_after=1, busy=True)


def test_forever_is_long() -> None:
    Patience(limit_seconds=FOREVER).hold(ServiceUnreachable(), attempt=1, retry_after=0)


def test_a_service_that_asks_for_no_pause_gets_one() -> None:
    patience = Patience(limit_seconds=5)
    started = time.monotonic()
    patience.hold(QueueFull(), attempt=1, retry_after=0, busy=True)
    assert time.monotonic() - started >= FIRST_DELAY_SECONDS
