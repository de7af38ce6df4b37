"""The sender says plainly when no broker answers, at once."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from redis import Redis

from core.errors import BrokerUnavailable
from core.queue import Dispatcher, make_celery
from core.settings import Settings
from core.status import Priority
from tests.services import redis_server

DOCUMENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture
def silent_home() -> Iterator[Path]:
    """A home folder whose broker takes connections and never says a word."""
    # Not below pytest's folder, whose path is too long for a socket.
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as broker:
        broker.bind(str(Settings(home=Path(folder)).broker_socket))
        broker.listen(64)
        yield Path(folder)


def test_a_missing_broker_is_named_quickly(tmp_path: Path) -> None:
    dispatcher = Dispatcher(Settings(home=tmp_path))
    started = time.monotonic()
    with pytest.raises(BrokerUnavailable):
        dispatcher.send_document(DOCUMENT, priority=Priority.HIGH)
    with pytest.raises(BrokerUnavailable):
        dispatcher.ping()
    dispatcher.close()
    assert time.monotonic() - started < 5


def test_a_silent_broker_costs_every_call_one_short_wait(silent_home: Path) -> None:
    settings = Settings(home=silent_home, broker_connect_timeout_seconds=1)
    dispatcher = Dispatcher(settings)
    for call in (
        lambda: dispatcher.send_document(DOCUMENT, priority=Priority.HIGH),
        lambda: dispatcher.send_page(DOCUMENT, 1, priority=Priority.BULK),
        lambda: dispatcher.send_notification(DOCUMENT),
        dispatcher.backlog,
        dispatcher.ping,
    ):
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            call()
        assert time.monotonic() - started < 1.9
    dispatcher.close()


def test_only_the_sender_is_impatient(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    Dispatcher(settings).close()
    options = make_celery(settings).conf.broker_transport_options
    assert (options["socket_timeout"], options["retry_on_timeout"]) == (settings.broker_socket_timeout_seconds, True)


def test_a_connection_that_broke_while_idle_loses_nothing(tmp_path: Path) -> None:
    with redis_server() as url:
        dispatcher = Dispatcher(Settings(home=tmp_path, broker_url=url))
        dispatcher.send_document(DOCUMENT, priority=Priority.HIGH)
        with Redis(unix_socket_path=url.removeprefix("redis+socket://")) as broker:
            assert broker.client_kill_filter(_type="normal", skipme=True)
        dispatcher.send_document(DOCUMENT, priority=Priority.HIGH)
        assert dispatcher.backlog()[Priority.HIGH] == 2
        dispatcher.close()


@pytest.mark.parametrize("name", ["hä us", "h%41 #x?"])
def test_the_broker_is_found_whatever_its_home_is_called(name: str) -> None:
    with TemporaryDirectory() as folder, redis_server() as url:
        settings = Settings(home=Path(folder, name))
        settings.home.mkdir()
        settings.broker_socket.symlink_to(url.removeprefix("redis+socket://"))
        dispatcher = Dispatcher(settings)
        dispatcher.send_document(DOCUMENT, priority=Priority.HIGH)
        assert dispatcher.backlog()[Priority.HIGH] == 1
        dispatcher.close()
