"""`tallyscan doctor`: it finds what is broken, and says how to mend it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.checks import State, _blobs
from cli.client import Upload
from model.artifacts import SHIPPED
from tests.cli.app_server import AppServer
from tests.cli.conftest import Tallyscan
from tests.factories import png_bytes

CHECKS = [
    "python",
    "packages",
    "native parts",
    "training extra",
    "settings",
    "home folder",
    "disk space",
    "database",
    "blob store",
    "broker",
    "network",
    "service",
]


def findings(tallyscan: Tallyscan, *arguments: object) -> tuple[int, dict[str, dict[str, str]]]:
    result = tallyscan("doctor", "--format", "json", *arguments)
    return result.exit_code, {each["check"]: each for each in json.loads(result.stdout)}


def test_a_fresh_machine_is_well(tallyscan: Tallyscan) -> None:
    code, found = findings(tallyscan)
    assert code == 0
    assert list(found) == CHECKS
    assert {name for name, each in found.items() if each["state"] == "broken"} == set()
    assert "tallyscan up" in found["service"]["remedy"]


def test_a_service_that_was_killed_is_not_running(tallyscan: Tallyscan, home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "supervisor.lock").write_text('{"pid": 1, "url": "http://127.0.0.1:9"}')
    code, found = findings(tallyscan)
    assert code == 0
    assert found["service"]["state"] == found["broker"]["state"] == "note"
    assert "not running" in found["service"]["detail"]


def test_a_misspelt_setting_is_broken(tallyscan: Tallyscan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSCAN_TARGET_ERORR", "0.001")
    code, found = findings(tallyscan)
    assert code == 1
    assert "TALLYSCAN_TARGET_ERORR" in found["settings"]["detail"]
    assert "TALLYSCAN_TARGET_ERORR: TALLYSCAN_TARGET_ERROR?" in found["settings"]["remedy"]


def test_the_key_file_is_named(tallyscan: Tallyscan, home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "admin.key").touch(mode=0o600)
    assert str(home / "admin.key") in findings(tallyscan)[1]["home folder"]["detail"]


def test_the_table_names_every_check(tallyscan: Tallyscan) -> None:
    result = tallyscan("doctor")
    assert result.exit_code == 0
    assert all(check in result.stdout for check in CHECKS)


def test_a_home_open_to_others_and_an_open_key_are_told(tallyscan: Tallyscan, home: Path) -> None:
    home.mkdir(mode=0o755)
    assert findings(tallyscan)[1]["home folder"]["state"] == "note"
    home.chmod(0o700)
    (home / "admin.key").write_text("secret")
    (home / "admin.key").chmod(0o644)
    code, found = findings(tallyscan)
    assert code == 1
    assert "chmod 600" in found["home folder"]["remedy"]


def test_a_schema_that_is_behind_is_told(tallyscan: Tallyscan, home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "tallyscan.db").touch()
    code, found = findings(tallyscan)
    assert code == 1
    assert found["database"]["remedy"] == "Run: tallyscan db upgrade"


@pytest.mark.parametrize(
    ("variable", "value", "check"),
    [
        ("TALLYSCAN_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:9/none", "database"),
        ("TALLYSCAN_BROKER_URL", "redis://127.0.0.1:9/0", "broker"),
        ("TALLYSCAN_BLOB_URL", "file:///proc/nowhere", "blob store"),
        ("TALLYSCAN_MODEL", "nosuch", "network"),
        ("TALLYSCAN_URL", "http://127.0.0.1:9", "service"),
    ],
)
def test_what_is_away_is_broken_and_has_a_remedy(
    variable: str, value: str, check: str, tallyscan: Tallyscan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    code, found = findings(tallyscan)
    assert code == 1
    assert found[check]["state"] == "broken"
    assert found[check]["remedy"]


def test_a_calibration_of_other_networks_is_told(tallyscan: Tallyscan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSCAN_CALIBRATION", str(SHIPPED / "digits-open" / "calibration.json"))
    code, found = findings(tallyscan)
    assert (code, found["network"]["state"]) == (0, "note")
    assert "made for other networks" in found["network"]["detail"]
    assert "tallyscan calibrate" in found["network"]["remedy"]


def test_a_folder_of_scans_that_is_away_is_told_and_not_made_again(app: AppServer) -> None:
    with app.client() as client:
        client.submit(Upload(name="a.png", data=png_bytes("42"), idempotency_key="a", type_name="digits"))
    folder = app.settings.home / "blobs"
    away = folder.rename(folder.with_name("elsewhere"))
    finding = _blobs(app.settings)
    assert finding.state is State.BROKEN
    assert "holds no scans" in finding.detail
    assert not folder.exists()
    away.rename(folder)
    assert _blobs(app.settings).state is State.OK


def test_a_service_without_broker_is_not_ready(home: Path, app: AppServer) -> None:
    where = ["--url", app.endpoint.url, "--key", app.endpoint.key or ""]
    command = [sys.executable, "-m", "cli", "doctor", "--format", "json", *where]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    service = next(each for each in json.loads(result.stdout) if each["check"] == "service")
    assert "broker: broker_unavailable" in service["detail"]


def test_a_password_in_a_damaged_address_is_not_repeated(tallyscan: Tallyscan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSCAN_BROKER_URL", "redis://:SECRET/half@rack:6379/0")
    code, found = findings(tallyscan)
    assert (code, found["broker"]["state"]) == (1, "broken")
    assert "TALLYSCAN_BROKER_URL is no address" in found["broker"]["detail"]
    assert "SECRET" not in str(found)
