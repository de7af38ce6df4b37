"""A worker to which nobody has spoken for minutes wakes at once. Last, so that the wait runs beside other tests."""

import time

import pytest

from tests.live.conftest import IdleService
from tests.live.running import eventually
from tests.live.scans import scan

pytestmark = [pytest.mark.live, pytest.mark.slow]


def test_an_idle_worker_wakes_at_once(idle_service: IdleService) -> None:
    # redis-py 8 closes a silent socket after 5 s unless told otherwise, and half-open sockets look alive.
    service = idle_service.service
    eventually(lambda: time.monotonic() > idle_service.until, seconds=600, pause=1.0, what="the idle time to pass")
    text, data = scan(7)
    started = time.monotonic()
    document = service.ended(service.submit(data, type="digits"), seconds=10)
    assert document["pages"][0]["fields"][0]["text"] == text
    assert time.monotonic() - started < 2.0
    assert "Connection to broker lost" not in service.log("worker")
