"""gunicorn's settings: `gunicorn --config python:api.gunicorn_conf --bind 127.0.0.1:8080 api.wsgi:app`.

Threads, because most of a request is waiting: for a disk, for SQL, for the end of a reading. No preload: each process
opens its own database and broker connections, and none crosses a fork.
"""

from pathlib import Path
from typing import Any

from api.services import EXTENSION
from core.settings import Settings

_settings = Settings()

worker_class = "gthread"
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
