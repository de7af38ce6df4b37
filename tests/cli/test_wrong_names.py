"""Names, ids, keys and files that are not there: the error says which, and what to do."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.client import Upload
from cli.output import refuse_unwritable
from core.errors import InvalidRequest
from storage import migrate
from tests.cli.app_server import AppServer
from tests.cli.conftest import Tallyscan
from tests.factories import png_bytes


def run(app: AppServer, *arguments: object, key: str | None = None) -> "subprocess.CompletedProcess[str]":
    where = ["--url", app.endpoint.url, "--key", key or app.endpoint.key or ""]
    command = [sys.executable, "-m", "cli", *map(str, arguments), *where]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_results_of_an_unknown_batch_name_it(app: AppServer, home: Path) -> None:
    result = run(app, "results", "nosuch")
    assert (result.returncode, result.stderr) == (1, "error: The service knows no batch 'nosuch'. (not_found)\n")
    assert not home.exists()


def test_results_of_a_document_point_to_status(app: AppServer, home: Path) -> None:
    with app.client() as client:
        document = client.submit(Upload(name="a.png", data=png_bytes("4821"), idempotency_key="first"))
    result = run(app, "results", document.id)
    assert result.returncode == 1
    assert f"'tallyscan status {document.id}' shows its readings" in result.stderr
    assert not home.exists()


def test_a_key_that_is_not_there_is_named(tallyscan: Tallyscan, home: Path) -> None:
    home.mkdir()
    migrate.upgrade(f"sqlite:///{home / 'tallyscan.db'}")
    result = tallyscan("keys", "revoke", "nosuch")
    assert result.exit_code == 1
    assert "no key with the id 'nosuch': 'tallyscan keys list'" in result.stderr


def test_a_refused_key_says_how_to_name_another(app: AppServer, scans: Path, home: Path) -> None:
    result = run(app, "submit", scans / "a.png", key="ts_wrong")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith("name it by --key or TALLYSCAN_KEY. (unauthorized)")
    assert "Authorization" not in result.stderr
    assert home.exists()


@pytest.mark.parametrize("named", [True, False])
def test_who_named_no_service_is_told_how_to_start_one(tallyscan: Tallyscan, home: Path, *, named: bool) -> None:
    url = ("--url", "http://127.0.0.1:9") if named else ()
    result = tallyscan("results", "BATCH", *url)
    if "Connection refused" not in result.stderr:
        pytest.skip("Something listens at the usual port")
    assert result.exit_code == 3
    assert "Errno" not in result.stderr
    assert ("tallyscan up" in result.stderr) is not named
    assert not home.exists()


def test_an_output_that_cannot_be_written_is_told_before_anything_is_sent(
    app: AppServer, scans: Path, tmp_path: Path, home: Path
) -> None:
    result = run(app, "submit", scans, "--out", tmp_path / "nosuch" / "readings.csv")
    assert result.returncode == 2
    assert result.stderr.startswith("error: Cannot write ")
    assert app.documents() == []
    assert not home.exists()


def test_looking_whether_an_output_can_be_written_leaves_it_as_it_is(
    start_app: Callable[..., AppServer], scans: Path, tmp_path: Path, home: Path
) -> None:
    kept, new = tmp_path / "kept.csv", tmp_path / "new.csv"
    kept.write_text("what was there\n")
    for out in (kept, new):
        assert run(start_app(), "submit", scans, "--out", out, "--patience", 0).returncode == 3
    assert kept.read_text() == "what was there\n"
    assert not new.exists()
    assert home.exists()


def test_sending_a_batch_anew_names_the_earlier_one(app: AppServer, scans: Path, home: Path) -> None:
    first = run(app, "submit", scans, "--batch", "monday", "--no-wait")
    second = run(app, "submit", scans, "--batch", "monday", "--no-wait")
    assert "anew" not in first.stderr
    assert f"--resume would go on with the earlier batch {first.stdout.strip()}\n" in second.stderr
    resumed = run(app, "submit", scans, "--batch", "monday", "--no-wait", "--resume")
    assert "anew" not in resumed.stderr
    assert resumed.stdout == second.stdout
    assert home.exists()


def test_an_output_may_be_a_link_to_what_is_not_there_yet(tmp_path: Path) -> None:
    link, target = tmp_path / "link.csv", tmp_path / "not-yet-there.csv"
    link.symlink_to(target.name)
    refuse_unwritable(link)
    assert link.is_symlink()
    assert not target.exists()
    link.unlink()
    link.symlink_to(Path("nosuch", "readings.csv"))
    with pytest.raises(InvalidRequest, match="Cannot write"):
        refuse_unwritable(link)
    assert link.is_symlink()
