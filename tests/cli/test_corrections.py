"""`tallyscan corrections`: the same folder over HTTP and straight out of the database."""

import json
import re
from pathlib import Path

import pytest

from cli.client import Upload
from cli.corrections import _told
from core.types import Truth
from storage.records import NewCorrection
from tests.api.conftest import Service
from tests.cli.app_server import AppServer
from tests.cli.conftest import Tallyscan
from tests.factories import png_bytes
from worker.exporting import Exported


@pytest.fixture
def corrected(app: AppServer) -> AppServer:
    """A service with two documents that were read as 42, one corrected and one confirmed."""
    service = Service(app.services, app._app.test_client())
    key = app.services.store.keys.list(None)[0]
    with app.client() as client:
        for place, text in enumerate(("47", "42")):
            sent = client.submit(Upload(f"{place}.png", png_bytes("42", seed=place), f"key{place}", type_name="digits"))
            service.read(sent.id)
            new = NewCorrection(0, "page", Truth.TEXT, text, text)
            app.services.store.corrections.add(sent.id, new, owner=None, key=key)
    return app


def over_http(app: AppServer) -> list[str]:
    return ["--url", app.endpoint.url, "--key", app.endpoint.key or ""]


def test_they_are_listed(corrected: AppServer, tallyscan: Tallyscan) -> None:
    here = tallyscan("corrections", "list", "--home", corrected.settings.home, "--format", "json")
    there = tallyscan("corrections", "list", *over_http(corrected), "--format", "json")
    assert here.exit_code == there.exit_code == 0
    rows = json.loads(here.stdout)
    assert rows == json.loads(there.stdout[there.stdout.index("[\n") :]), "behind what the server in this process logs"
    assert [(each["text"], each["confirms"]) for each in rows] == [("47", False), ("42", True)]
    assert "47" in tallyscan("corrections", "list", "--home", corrected.settings.home).stdout


def test_both_ways_export_the_same(corrected: AppServer, tallyscan: Tallyscan, tmp_path: Path) -> None:
    here = tallyscan("corrections", "export", tmp_path / "here", "--home", corrected.settings.home)
    there = tallyscan("corrections", "export", tmp_path / "there", *over_http(corrected))
    assert (here.exit_code, there.exit_code) == (0, 0), here.stderr + there.stderr
    files = sorted(path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("*.*"))
    assert sum(path.parts[0] == "fields" for path in files) == 2
    for file in files:
        if file.name != "provenance.json":
            assert (tmp_path / "here" / file).read_bytes() == (tmp_path / "there" / file).read_bytes()


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (Exported(1, 2, 0), "1 field, 2 digits"),
        (Exported(3, 0, 1, printed=2), "3 fields, 0 digits, 1 left out: their scans .*, 2 left out: in print"),
    ],
)
def test_what_was_left_out_is_told_with_its_reason(done: Exported, said: str) -> None:
    assert re.match(said + "(,|$)", _told(done))


def test_nothing_to_export_is_said(app: AppServer, tallyscan: Tallyscan, tmp_path: Path) -> None:
    done = tallyscan("corrections", "export", tmp_path / "out", "--home", app.settings.home)
    assert done.exit_code == 2
    assert "no corrections" in done.stderr
