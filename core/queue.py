"""Queues, task names and the sender: the only place outside `worker/` that knows Celery.

A message carries ids and nothing else; the database is the truth.
"""

from typing import Any

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError

from core.errors import BrokerUnavailable
from core.settings import Settings
from core.status import Priority

READ_DOCUMENT = "tallyscan.read_document"
READ_PAGE = "tallyscan.read_page"
SWEEP = "tallyscan.sweep"
NOTIFY = "tallyscan.notify"

MAINTENANCE_QUEUE = "maintenance"
"""Sweeps; read by the workers that read documents, before these, so that a long bulk queue cannot starve them."""

CALLBACK_QUEUE = "callbacks"
"""Calls to strangers, who may take seconds to answer or never do: read by processes that do nothing else."""

QUEUE_NAMES: tuple[str, ...] = (*(str(priority) for priority in Priority), MAINTENANCE_QUEUE, CALLBACK_QUEUE)

_ONE_TRY = {"max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0}
"""Intake has committed already, and the sweeper sends later what could not go now."""


def make_celery(settings: Settings) -> Celery:
    """Return a Celery application wired to the broker, with no tasks of its own."""
    app = Celery("tallyscan", broker=settings.resolved_broker_url, set_as_current=False)
    app.conf.update(celery_config(settings))
    return app


def celery_config(settings: Settings) -> dict[str, Any]:
    """Return the settings that sender and worker share."""
    exchange = Exchange("tallyscan", type="direct")
    return {
        "task_ignore_result": True,
        "result_backend": None,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": str(Priority.NORMAL),
        "task_default_exchange": "tallyscan",
        "task_default_routing_key": str(Priority.NORMAL),
        "task_queues": [Queue(name, exchange, routing_key=name) for name in QUEUE_NAMES],
        "broker_connection_retry_on_startup": True,
        # redis-py 8 closes a silent socket after 5 s unless told otherwise, which would blind an idle worker.
        "broker_transport_options": {
            "visibility_timeout": settings.visibility_timeout_seconds,
            "socket_timeout": settings.broker_socket_timeout_seconds,
            "socket_connect_timeout": settings.broker_connect_timeout_seconds,
            "socket_keepalive": not settings.resolved_broker_url.startswith("redis+socket"),
            "retry_on_timeout": True,
            "health_check_interval": 30,
        },
    }


class Dispatcher:
    """Sends ids to the workers. Holds one connection pool; make one per process, after any fork."""

    def __init__(self, settings: Settings) -> None:
        """Prepare to send; nothing is connected before the first message."""
        self._app = make_celery(settings)
        self._app.conf.broker_transport_options.update(_sender_options(settings))

    def send_document(self, document_id: str, *, priority: Priority) -> None:
        """Ask the workers to read a document.

        Raises:
            BrokerUnavailable: the broker does not answer; the sweeper will send it later.
        """
        self._send(READ_DOCUMENT, [document_id], queue=str(priority))

    def send_page(self, document_id: str, index: int, *, priority: Priority) -> None:
        """Ask the workers to read one page of a long document.

        Raises:
            BrokerUnavailable: the broker does not answer; the sweeper will send it later.
        """
        self._send(READ_PAGE, [document_id, index], queue=str(priority))

    def send_notification(self, document_id: str) -> None:
        """Ask the callers to call the document's `callback_url`.

        Raises:
            BrokerUnavailable: the broker does not answer.
        """
        self._send(NOTIFY, [document_id], queue=CALLBACK_QUEUE)

    def backlog(self) -> dict[Priority, int]:
        """Return how many documents and pages wait in each of the broker's queues.

        Raises:
            BrokerUnavailable: the broker does not answer.
        """
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=0)
                channel = connection.default_channel
                return {each: channel.queue_declare(queue=str(each)).message_count for each in Priority}
        except (OperationalError, OSError) as error:
            raise BrokerUnavailable from error

    def ping(self) -> None:
        """Return when the broker answers.

        Raises:
            BrokerUnavailable: it does not.
        """
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=0)
        except (OperationalError, OSError) as error:
            raise BrokerUnavailable from error

    def close(self) -> None:
        """Close the connections."""
        self._app.close()

    def _send(self, task: str, args: list[str | int], *, queue: str) -> None:
        try:
            self._app.send_task(task, args=args, queue=queue, retry=True, retry_policy=_ONE_TRY)
        except (OperationalError, OSError) as error:
            raise BrokerUnavailable from error


def _sender_options(settings: Settings) -> dict[str, Any]:
    """Return what differs from a consumer, which waits for messages: a sender's every answer comes at once or never."""
    return {"socket_timeout": settings.broker_connect_timeout_seconds, "retry_on_timeout": False, **_ONE_TRY}
