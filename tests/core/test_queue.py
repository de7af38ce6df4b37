"""The sender says plainly when no broker answers, at once."""

import time
from pathlib import Path

import pytest

from core.errors import BrokerUnavailable
from core.queue import Dispatcher
from core.settings import Settings
from core.status import Priority


def test_a_missing_broker_is_named_quickly(tmp_path: Path) -> None:
    dispatcher = Dispatcher(Settings(home=tmp_path))
    started = time.monotonic()
    with pytest.raises(BrokerUnavailable):
        dispatcher.send_document("01ARZ3NDEKTSV4RRFFQ69G5FAV", priority=Priority.HIGH)
    with pytest.raises(BrokerUnavailable):
        dispatcher.ping()
    dispatcher.close()
    assert time.monotonic() - started < 5
