"""gunicorn's settings: `gunicorn --config python:api.gunicorn_conf --bind 127.0.0.1:8080 api.wsgi:app`.

Threads, because most of a request is waiting: for a disk, for SQL, for the end of a reading. No preload: each process
opens its own database and broker connections, and none crosses a fork.
"""

import errno
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from api.services import EXTENSION
from core.settings import Settings

SILENCE_SECONDS = 20.0
"""How long a thread waits for a peer in the middle of a request, or one that does not read its answer: as many silent
peers as there are threads would stop the service. Every byte starts it over, so a slow line gets through."""

UNSENT_BYTES = 128 * 1024
"""Of an answer, what the kernel holds beyond what is on its way: of megabytes, a slow reader would take half in silence
before the kernel asked for more."""

_settings = Settings()


class PatientSocket(socket.socket):
    """A connection that ends when its peer is silent for too long; otherwise it blocks.

    To gunicorn it looks like one that the peer has reset, which is no error and gets no traceback in the log.
    """

    @classmethod
    def of(cls, sock: socket.socket) -> Self:
        """Return the connection of `sock`, which is of no more use."""
        patient = cls(sock.family, sock.type, sock.proto, fileno=sock.detach())
        with suppress(OSError):  # not TCP
            patient.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        return patient

    def setblocking(self, flag: bool, /) -> None:  # noqa: FBT001 - the base's signature
        """Block for `SILENCE_SECONDS` at most: gunicorn says this before each request."""
        self.settimeout(SILENCE_SECONDS if flag else 0.0)

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Return what came, as the base does.

        Raises:
            ConnectionResetError: nothing came for too long.
        """
        try:
            return super().recv(bufsize, flags)
        except TimeoutError as error:
            raise self._given_up() from error

    def sendall(self, data: Any, flags: int = 0, /) -> None:  # noqa: ANN401 - any buffer
        """Send all of `data`, however long that takes while the peer reads on: the base's timeout is one for the whole.

        Raises:
            ConnectionResetError: the peer has read nothing for too long.
        """
        with memoryview(data).cast("B") as whole:
            sent = 0
            while sent < len(whole):
                try:
                    sent += self.send(whole[sent:], flags)
                except TimeoutError as error:
                    raise self._given_up() from error

    def _given_up(self) -> ConnectionResetError:
        # Else gunicorn would wait two more seconds for the peer to close, and its other connections with it.
        with suppress(OSError):  # the peer may have left for good
            self.shutdown(socket.SHUT_RDWR)
        return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


class PatientWorker(ThreadWorker):
    """gunicorn's threads, which by themselves wait for a silent peer for ever."""

    def enqueue_req(self, conn: TConn) -> None:
        """Give the connection to a thread."""
        if not isinstance(conn.sock, PatientSocket):
            conn.sock = PatientSocket.of(conn.sock)
        super().enqueue_req(conn)


worker_class = PatientWorker
workers = _settings.api_workers
threads = _settings.api_threads
preload_app = False

# Uploads in flight are finished on SIGTERM; long polls end at once (see `post_worker_init`).
graceful_timeout = 5
timeout = 60
keepalive = 10

# The heartbeat's file: on a busy disk, touching it can take longer than the timeout.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes a private file there

# The application logs requests itself, without queries: a link may carry a token.
accesslog = None
errorlog = "-"
loglevel = _settings.log_level.lower()


def post_worker_init(worker: Any) -> None:  # noqa: ANN401 - gunicorn's worker
    """Let long polls end when the process is told to stop."""
    worker.wsgi.extensions[EXTENSION].stopping = lambda: not worker.alive


def worker_exit(_server: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn's arbiter and worker
    """Close the connections."""
    if worker.wsgi is not None:
        worker.wsgi.extensions[EXTENSION].close()
