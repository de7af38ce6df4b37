"""The home folder of the embedded service: who may use it, one supervisor at a time, its database and first key."""

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from cli.supervisor.refusals import AlreadyRunning, WrongUsage
from core.settings import Settings
from storage import migrate
from storage.records import KeyRecord, Scope
from storage.store import Store

SOCKET_PATH_LIMIT = 100
"""Bytes of a unix socket's path: the kernel takes 107 (104 on macOS)."""

LOCK_SECONDS = 0.2
"""A command that looks whether a service lives holds the lock for a moment; a service holds it on."""

ADMIN = "admin"


def prepare_home(settings: Settings) -> None:
    """Make the home folder, readable by its owner alone; one that is there already keeps its mode.

    Raises:
        WrongUsage: the folder cannot be made, everybody may write in it, or its path is too long for the broker's
            socket.
    """
    if not settings.broker_url and len(os.fsencode(settings.broker_socket)) > SOCKET_PATH_LIMIT:
        raise WrongUsage(
            f"The path {settings.broker_socket} is too long for a unix socket ({SOCKET_PATH_LIMIT} bytes at most): "
            "set TALLYSCAN_HOME to a shorter one."
        )
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if settings.home.stat().st_mode & stat.S_IWOTH:
            raise WrongUsage(
                f"Everybody may write in {settings.home}: set TALLYSCAN_HOME to a folder of its own, or close this one "
                f"by 'chmod 700 {settings.home}'."
            )
        # What the service keeps is closed, whatever the home is.
        for name in ("logs", "broker") if settings.blob_url else ("logs", "broker", "blobs"):
            (settings.home / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise WrongUsage(f"Cannot use {settings.home} as home folder: {error.strerror}.") from error


def is_open(path: Path) -> bool:
    """Return whether others than its owner may use a file or folder in any way."""
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


@contextlib.contextmanager
def locked(home: Path) -> Iterator[Callable[[str], None]]:
    """Hold the home folder for this process; the kernel lets go of it however the process ends.

    Yields:
        A function that tells others the URL.

    Raises:
        AlreadyRunning: another supervisor holds it.
    """
    with (home / "supervisor.lock").open("a+", encoding="utf-8") as file:
        try:
            _lock(file)
        except BlockingIOError as error:
            raise AlreadyRunning(_already_running(home, file.name)) from error
        file.truncate(0)

        def announce(url: str) -> None:
            json.dump({"pid": os.getpid(), "url": url}, file)
            file.flush()

        try:
            yield announce
        finally:
            file.truncate(0)


def _lock(file: IO[str]) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def ready_store(settings: Settings) -> Store:
    """Return the store, its schema brought up to date.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    migrate.upgrade(settings.resolved_database_url)
    return Store.open(settings)


def first_key(store: Store, settings: Settings) -> KeyRecord:
    """Return the key in the home folder's key file, made anew when there is none that works."""
    file = settings.admin_key_file
    if file.exists():
        found = store.keys.verify(file.read_text(encoding="ascii", errors="replace").strip())
        if found is not None:
            return found
    record, secret = store.keys.create(owner=ADMIN, name="first key", scopes=frozenset({Scope.ADMIN}))
    _write_private(file, secret + "\n")
    return record


def _already_running(home: Path, lock: str) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        held = json.loads(Path(lock).read_text(encoding="utf-8"))
        return f"The service for {home} is running already, at {held['url']} (process {held['pid']})."
    return f"The service for {home} is being started or stopped by another process."


def _write_private(file: Path, text: str) -> None:
    """Write `file` so that at no moment anybody but its owner can read it, or anybody sees half of it."""
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as stream:  # noqa: PTH123 - takes the descriptor's mode
        stream.write(text)
    draft.replace(file)
