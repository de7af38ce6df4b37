"""Requests are counted also while the broker is away, and the log says so in one line."""

import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from limits.storage import Storage

from tests.api.conftest import Caller, Service
from tests.storage.racing import race_threads

LINE = "the broker is away: this process counts its requests by itself"


@pytest.fixture
def storage(service: Service) -> Storage:
    """Where the application counts."""
    (limiter,) = service.client.application.extensions["limiter"]
    found: Storage = limiter.storage
    return found


def told(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what the library logged at levels that somebody sees."""
    return [each for each in caplog.records if each.name == "flask-limiter" and each.levelno >= logging.WARNING]


def together(call: Callable[..., Any], count: int) -> Callable[..., Any]:
    """Return `call`, which fails for `count` threads at one moment."""
    barrier = Barrier(count)

    def late(*arguments: object, **named: object) -> object:
        try:
            return call(*arguments, **named)
        except Exception:
            with suppress(BrokenBarrierError):
                barrier.wait(10)
            raise

    return late


def test_a_broker_away_under_several_requests_is_told_in_one_line(
    service: Service,
    storage: Storage,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count = 4
    monkeypatch.setattr(storage, "incr", together(storage.incr, count))
    callers = [service.caller(f"clerk {number}") for number in range(count)]
    answers = race_threads(count, lambda racer: callers[racer].get("/v1/limits").status_code)
    assert answers == [200] * count
    (line,) = told(caplog)
    assert (line.getMessage(), line.levelname, line.exc_info) == (LINE, "WARNING", None)


def test_other_faults_of_counting_keep_their_trace(
    caller: Caller, storage: Storage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert caller.get("/v1/limits").status_code == 200  # counts for itself from now on
    caplog.clear()

    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("limits.strategies.FixedWindowRateLimiter.hit", fault)
    assert caller.get("/v1/limits").status_code == 200
    (line,) = told(caplog)
    assert (line.levelname, line.exc_info is not None) == ("ERROR", True)
