"""The Celery application: `celery -A worker.app worker` reads, `celery -A worker.app beat` sweeps.

The parent process that this module lives in forks the readers, so nothing of OpenCV, LiteRT or
TensorFlow may be imported from here: `worker.process` loads them in each child.
"""

import logging
from typing import Any

from billiard.util import get_logger
from celery import signals

from core.logging import configure_logging
from core.queue import MAINTENANCE_QUEUE, QUEUE_NAMES, SWEEP, make_celery
from core.settings import Settings
from worker import beat, process

CONSUMED_QUEUES: tuple[str, ...] = (MAINTENANCE_QUEUE, *(name for name in QUEUE_NAMES if name != MAINTENANCE_QUEUE))
"""In the order they are emptied. Sweeps are short and rare; behind a long bulk queue they would never run."""

QUIET_LOGGERS: dict[str, int] = {
    "celery.app.trace": logging.WARNING,
    "celery.beat": logging.WARNING,
    "celery.pool": logging.WARNING,
    "celery.worker.request": logging.CRITICAL,
    "celery.worker.strategy": logging.WARNING,
}
"""What these say of a task it says itself, or `process.log_lost` in its place, with the document's id."""


def worker_config(settings: Settings) -> dict[str, Any]:
    """Return what the worker needs beyond the settings that it shares with the senders."""
    return {
        "imports": ("worker.tasks",),
        "worker_concurrency": settings.worker_concurrency,
        "worker_prefetch_multiplier": 1,
        "task_acks_late": True,
        # celery #9082: reject_on_worker_lost can loop, so attempts are counted in SQL.
        "task_reject_on_worker_lost": False,
        "task_soft_time_limit": settings.soft_time_limit_seconds,
        "task_time_limit": settings.hard_time_limit_seconds,
        # celery #1715: on Redis a child that takes more than 4 s to start is killed, over and over.
        "worker_proc_alive_timeout": 30.0,
        "worker_max_memory_per_child": settings.worker_max_memory_mib * 1024,  # in KiB, celery #4125
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # the claim's attempt guards the result
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "broker_connection_max_retries": None,
        **beat_config(settings),
    }


def beat_config(settings: Settings) -> dict[str, Any]:
    """Return the schedule. It is kept in memory: a sweep that was missed is worth nothing later."""
    sweep = {
        "task": SWEEP,
        "schedule": settings.sweep_seconds,
        # While no worker runs, sweeps would pile up.
        "options": {"queue": MAINTENANCE_QUEUE, "expires": max(2 * settings.sweep_seconds, 1.0)},
    }
    return {"beat_scheduler": "celery.beat:Scheduler", "beat_schedule": {"sweep": sweep}}


def setup_logging(**_: object) -> None:
    """Write logs as every other process does; being connected keeps Celery from setting up its own."""
    settings = Settings()
    configure_logging(settings.log_level, json=settings.log_json)
    for name, level in QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(level)
    get_logger().propagate = True  # billiard's own would write past ours


def make_app(settings: Settings) -> Any:  # noqa: ANN401 - Celery has no types
    """Return the application, configured and with its signals connected."""
    application = make_celery(settings)
    application.conf.update(worker_config(settings))
    application.conf.broker_transport_options["queue_order_strategy"] = "priority"
    queues = {queue.name: queue for queue in application.conf.task_queues}
    application.conf.task_queues = [queues[name] for name in CONSUMED_QUEUES]
    signals.setup_logging.connect(setup_logging)
    signals.worker_process_init.connect(process.start)
    signals.worker_process_shutdown.connect(process.stop)
    signals.task_failure.connect(process.log_lost)
    signals.beat_init.connect(beat.watch)
    return application


app = make_app(Settings())
