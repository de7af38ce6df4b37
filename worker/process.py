"""What one worker process holds open: made after the fork, once, and never shared with the parent.

OpenCV or TensorFlow used before a fork hangs the child (opencv #5150, tensorflow #27074), and
connections must not cross one. So the parent imports this module but none of what `start` imports.
"""

import ctypes
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import structlog
from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError

from core.errors import TallyscanError
from core.settings import Settings

if TYPE_CHECKING:
    from worker.desk import Desk

PR_SET_PDEATHSIG = 1

log = structlog.get_logger(__name__)

_desks: list["Desk"] = []


def start(**_: object) -> None:
    """Open database, blobs, network and queue; Celery calls this in each new child."""
    die_with_parent()
    started = time.perf_counter()
    try:
        desk()
    except TallyscanError as error:
        # The child stays: each task tries again, and what it cannot do the sweeper sends once more.
        log.warning("worker process not ready", code=error.code, reason=str(error))
    else:
        log.info("worker process ready", seconds=round(time.perf_counter() - started, 3))


def desk() -> "Desk":
    """Return this process's desk; never call this in the parent.

    Raises:
        ArtifactError: the network's files are missing or altered.
        Unavailable: the blob store's URL leads nowhere.
    """
    if not _desks:
        from worker.desk import open_desk  # noqa: PLC0415 - loads OpenCV and LiteRT: not before the fork

        _desks.append(open_desk(Settings(), worker=worker_name(), time_limit_errors=(SoftTimeLimitExceeded,)))
    return _desks[0]


def stop(**_: object) -> None:
    """Close what `start` opened; Celery calls this when a child leaves in peace."""
    while _desks:
        _desks.pop().close()


def worker_name() -> str:
    """Return the name under which this process holds leases."""
    return f"{socket.gethostname()}:{os.getpid()}"


def die_with_parent() -> None:
    """Have the kernel end this process when its parent dies, even by `kill -9` (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def log_lost(*, args: Any = None, exception: BaseException | None = None, **_: object) -> None:  # noqa: ANN401 - Celery
    """Log in the parent that a child died, or was killed at the hard time limit, over a document."""
    if isinstance(exception, WorkerLostError | TimeLimitExceeded):
        log.error("worker process lost", document_id=args[0] if args else None, reason=type(exception).__name__)
