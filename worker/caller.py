"""The Celery application that calls back: `celery -A worker.caller worker --hostname caller@%h`.

Processes of their own, which read no document: a receiver that is slow or silent keeps them waiting and nobody else,
and no queue of documents, however long, keeps them from calling. They load neither OpenCV nor a network.
"""

from typing import Any

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from celery import signals

from core.errors import Unavailable
from core.logging import log_context
from core.queue import CALLBACK_QUEUE, NOTIFY, make_celery
from core.settings import Settings
from storage.store import Store
from worker import process
from worker.callbacks import (
    CALLBACK_TIMEOUT_SECONDS,
    MAX_CALLBACK_RETRIES,
    CallbackUnanswered,
    callback_pause_seconds,
    notify_caller,
)
from worker.consuming import SHARED_CONFIG, consume, logged, setup_logging

CALLERS = 2
"""Processes, each some 50 MB. One silent receiver cannot hold either of them for longer than one call at a time."""

SOFT_TIME_LIMIT_SECONDS = 2 * CALLBACK_TIMEOUT_SECONDS
"""Each step of a call has its timeout, but a receiver can answer byte by byte for ever."""

log = structlog.get_logger(__name__)

_stores: list[Store] = []


def caller_config() -> dict[str, Any]:
    """Return what the callers need beyond the settings that they share with the senders."""
    return {
        **SHARED_CONFIG,
        "worker_concurrency": CALLERS,
        "task_soft_time_limit": SOFT_TIME_LIMIT_SECONDS,
        "task_time_limit": SOFT_TIME_LIMIT_SECONDS + CALLBACK_TIMEOUT_SECONDS,
    }


def make_app(settings: Settings) -> Any:  # noqa: ANN401 - Celery has no types
    """Return the application, configured and with its signals connected."""
    application = make_celery(settings)
    application.conf.update(caller_config())
    consume(application, [CALLBACK_QUEUE])
    signals.setup_logging.connect(setup_logging)
    signals.worker_process_init.connect(start)
    signals.worker_process_shutdown.connect(stop)
    signals.task_failure.connect(process.log_lost)
    return application


def start(**_: object) -> None:
    """Bind this child to its parent; Celery calls this in each new child."""
    process.die_with_parent()


def stop(**_: object) -> None:
    """Close the database; Celery calls this when a child leaves in peace."""
    while _stores:
        _stores.pop().dispose()


def store() -> Store:
    """Return this process's database; never call this in the parent."""
    if not _stores:
        _stores.append(Store.open(Settings()))
    return _stores[0]


app = make_app(Settings())


@app.task(name=NOTIFY, bind=True, max_retries=MAX_CALLBACK_RETRIES)
def notify(self: Any, document_id: str) -> None:  # noqa: ANN401 - Celery's task has no type
    """Tell the document's `callback_url` how it ended."""
    with log_context(document_id=document_id), logged(put_off="callback given up", broken_off="callback broken off"):
        try:
            notify_caller(store(), document_id, hosts=Settings().callback_hosts)
        except (CallbackUnanswered, SoftTimeLimitExceeded, Unavailable) as error:
            if self.request.retries >= MAX_CALLBACK_RETRIES:
                log.warning("callback given up", reason=str(error))
                return
            raise self.retry(exc=error, countdown=callback_pause_seconds(self.request.retries)) from error
