"""The command line in this process, drawn scans in a folder, and the real application behind a real HTTP server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import cli
from tests.cli.app_server import AppServer
from tests.factories import png_bytes

Tallyscan = Callable[..., Result]

NUMBERS = ("70315", "4821", "1830")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own, and no service or key from the environment."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TALLYSCAN_HOME", str(folder))
    for name in ("TALLYSCAN_URL", "TALLYSCAN_KEY", "TALLYSCAN_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def tallyscan(home: Path) -> Tallyscan:
    """Return a function that runs the command line and returns its exit code, stdout and stderr."""

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(cli, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder with three scans, one of them in a subfolder, and a text that is none."""
    folder = tmp_path / "scans"
    (folder / "more").mkdir(parents=True)
    for place, number in zip(("a.png", "b.png", "more/c.png"), NUMBERS, strict=True):
        (folder / place).write_bytes(png_bytes(number))
    (folder / "notes.txt").write_text("no scan")
    return folder


@pytest.fixture
def start_app(tmp_path: Path) -> Iterator[Callable[..., AppServer]]:
    """Return a function that serves the real application; nobody reads the documents there."""
    started: list[AppServer] = []

    def start(**settings: object) -> AppServer:
        server = AppServer(tmp_path / f"service{len(started)}", settings)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


@pytest.fixture
def app(start_app: Callable[..., AppServer]) -> AppServer:
    """The application with its ordinary settings."""
    return start_app().start()
