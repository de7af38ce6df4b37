"""The Celery application: `celery -A worker.app worker` reads, `celery -A worker.app beat` sweeps.

The parent process that this module lives in forks the readers, so nothing of OpenCV, LiteRT or
TensorFlow may be imported from here: `worker.process` loads them in each child.
"""

from typing import Any

from celery import signals

from core.queue import MAINTENANCE_QUEUE, SWEEP, make_celery
from core.settings import Settings
from core.status import Priority
from worker import beat, process
from worker.consuming import SHARED_CONFIG, consume, setup_logging

CONSUMED_QUEUES: tuple[str, ...] = (MAINTENANCE_QUEUE, *(str(priority) for priority in Priority))
"""In the order they are emptied. Sweeps are short and rare; behind a long bulk queue they would never run."""


def worker_config(settings: Settings) -> dict[str, Any]:
    """Return what the worker needs beyond the settings that it shares with the senders."""
    return {
        **SHARED_CONFIG,
        "imports": ("worker.tasks",),
        "worker_concurrency": settings.worker_concurrency,
        "task_soft_time_limit": settings.soft_time_limit_seconds,
        "task_time_limit": settings.hard_time_limit_seconds,
        "worker_max_memory_per_child": settings.worker_max_memory_mib * 1024,  # in KiB, celery #4125
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # the claim's attempt guards the result
        **beat_config(settings),
    }


def beat_config(settings: Settings) -> dict[str, Any]:
    """Return the schedule. It is kept in memory: a sweep that was missed is worth nothing later."""
    sweep = {
        "task": SWEEP,
        "schedule": settings.sweep_seconds,
        # While no worker runs, sweeps would pile up. The moment is beat's, and the worker's clock may be ahead of it.
        "options": {"queue": MAINTENANCE_QUEUE, "expires": max(2 * settings.sweep_seconds, settings.lease_seconds)},
    }
    return {"beat_scheduler": "worker.beat:SteadyScheduler", "beat_schedule": {"sweep": sweep}}


def make_app(settings: Settings) -> Any:  # noqa: ANN401 - Celery has no types
    """Return the application, configured and with its signals connected."""
    application = make_celery(settings)
    application.conf.update(worker_config(settings))
    application.conf.broker_transport_options["queue_order_strategy"] = "priority"
    consume(application, CONSUMED_QUEUES)
    signals.setup_logging.connect(setup_logging)
    signals.worker_process_init.connect(process.start)
    signals.worker_process_shutdown.connect(process.stop)
    signals.task_failure.connect(process.log_lost)
    signals.beat_init.connect(beat.watch)
    return application


app = make_app(Settings())
