"""Real servers for tests, each private: in a temporary folder, on a unix socket, stopped at the end.

`postgres_server()` and `redis_server()` are context managers; `postgres_url` and `redis_url` are session fixtures
around them, to be imported into a `conftest.py`.
Where a server is not installed the test is skipped, which is a failure in CI.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote
from uuid import uuid4

import psycopg
import pytest
import redis
from sqlalchemy import make_url

START_SECONDS = 30.0
POSTGRES_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """SQLAlchemy URL of an empty database in a private PostgreSQL; `create_database` makes more of them."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """URL of a private Redis."""
    with redis_server() as url:
        yield url


@contextmanager
def postgres_server() -> Iterator[str]:
    """Yield the URL of a private PostgreSQL, which knows no durability and so is quick."""
    if not POSTGRES_FOLDERS:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    with _folder(_unprivileged()) as folder:
        binaries, data = POSTGRES_FOLDERS[-1], folder / "data"
        _as_user([binaries / "initdb", "-D", data, "-U", "tallyscan", "-A", "trust", "-E", "UTF8", "--no-sync"])
        _as_user(
            [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", _postgres_options(folder), "start"]
        )
        try:
            yield f"postgresql+psycopg://tallyscan@/postgres?host={quote(str(folder), safe='/')}"
        finally:
            _as_user([binaries / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"])


def create_database(url: str) -> str:
    """Make a new empty database on the server behind `url` and return its URL."""
    name = f"t{uuid4().hex}"
    _administer(url, f'CREATE DATABASE "{name}"')
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str) -> None:
    """Drop the database behind `url`, whoever is still connected to it."""
    _administer(make_url(url).set(database="postgres").render_as_string(hide_password=False), _drop(url))


@contextmanager
def redis_server(*arguments: str) -> Iterator[str]:
    """Yield the URL of a private Redis on a unix socket, with the append-only file on; `arguments` come last."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("Redis is not installed (Debian: apt install redis-server)")
    with _folder(None) as folder:
        socket = folder / "redis.sock"
        server = subprocess.Popen(
            [
                *(binary, "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)),
                *("--appendonly", "yes", "--save", "", "--logfile", str(folder / "log"), *arguments),
            ]
        )
        try:
            _wait(lambda: _answers(socket), what="Redis", log=folder / "log")
            yield f"redis+socket://{socket}"
        finally:
            server.terminate()
            server.wait(START_SECONDS)


def _postgres_options(folder: Path) -> str:
    settings = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
    return " ".join(["-k", str(folder), "-h", "''", *(f"-c {setting}" for setting in settings)])


def _unprivileged() -> str | None:
    """Return whom PostgreSQL must run as, since it refuses root; None for the user who runs the tests."""
    if os.geteuid() != 0:
        return None
    names = [entry.pw_name for entry in pwd.getpwall()]
    return next(name for name in ("postgres", "nobody") if name in names)


def _as_user(command: list[str | Path]) -> None:
    user = _unprivileged()
    prefix: list[str | Path] = ["runuser", "-u", user, "--"] if user else []
    # The server inherits its starter's output: a pipe would stay open as long as it runs.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run([*prefix, *command], cwd="/", stdout=output, stderr=output, check=False)
        output.seek(0)
        assert done.returncode == 0, f"{command[0]} said: {output.read()}"


@contextmanager
def _folder(owner: str | None) -> Iterator[Path]:
    # Not pytest's own folder: a unix socket's path may be no longer than 107 bytes, and others must be let in.
    folder = Path(tempfile.mkdtemp(prefix="tallyscan-"))
    try:
        if owner is not None:
            shutil.chown(folder, owner)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _administer(url: str, statement: str) -> None:
    folder = unquote(str(make_url(url).query["host"]))
    with psycopg.connect(host=folder, user="tallyscan", dbname="postgres", autocommit=True) as connection:
        connection.execute(statement.encode())


def _drop(url: str) -> str:
    return f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)'


def _answers(socket: Path) -> bool:
    with redis.Redis(unix_socket_path=str(socket)) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def _wait(condition: Callable[[], bool], *, what: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            said = log.read_text() if log.exists() else "nothing"
            pytest.fail(f"{what} did not start within {START_SECONDS:.0f} s; it said: {said}")
        time.sleep(0.02)
