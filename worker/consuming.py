"""What the Celery applications of readers and callers share: how they take messages, and how they log."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from billiard.util import get_logger
from celery.exceptions import TaskPredicate

from core.errors import TallyscanError
from core.logging import configure_logging
from core.settings import Settings

log = structlog.get_logger(__name__)

SHARED_CONFIG: dict[str, Any] = {
    "worker_prefetch_multiplier": 1,
    "task_acks_late": True,
    # celery #9082: reject_on_worker_lost can loop, so attempts are counted in SQL.
    "task_reject_on_worker_lost": False,
    # celery #1715: on Redis a child that takes more than 4 s to start is killed, over and over.
    "worker_proc_alive_timeout": 30.0,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "broker_connection_max_retries": None,
}

QUIET_LOGGERS: dict[str, int] = {
    "celery.app.trace": logging.WARNING,
    "celery.beat": logging.WARNING,
    "celery.pool": logging.WARNING,
    "celery.worker.request": logging.CRITICAL,
    "celery.worker.strategy": logging.WARNING,
}
"""What these say of a task it says itself, or `process.log_lost` in its place, with the document's id."""


def consume(application: Any, names: Sequence[str]) -> None:  # noqa: ANN401 - Celery has no types
    """Have `application` take messages from the queues of these names and no others, in their order."""
    queues = {queue.name: queue for queue in application.conf.task_queues}
    application.conf.task_queues = [queues[name] for name in names]


@contextmanager
def logged(*, put_off: str, broken_off: str) -> Iterator[None]:
    """Log what keeps a task from being done at all, and let it end: nobody waits for what it raises.

    Args:
        put_off: said where the reason was foreseen: the database is away, the document gone.
        broken_off: said of all else.
    """
    try:
        yield
    except TaskPredicate:  # a retry: Celery's business
        raise
    except TallyscanError as error:
        log.warning(put_off, code=error.code, reason=str(error))
    except Exception:
        log.exception(broken_off)


def setup_logging(**_: object) -> None:
    """Write logs as every other process does; being connected keeps Celery from setting up its own."""
    settings = Settings()
    configure_logging(settings.log_level, json=settings.log_json)
    for name, level in QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(level)
    get_logger().propagate = True  # billiard's own would write past ours
