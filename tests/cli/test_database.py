"""`keys` and `db` on a real database."""

import json
from pathlib import Path

import pytest

from core.settings import Settings
from storage.store import Store
from tests.cli.conftest import Tallyscan


@pytest.fixture
def database(tallyscan: Tallyscan, home: Path) -> Path:
    assert tallyscan("db", "upgrade").exit_code == 0
    return home


def test_db_upgrade_makes_the_database_and_does_nothing_the_second_time(tallyscan: Tallyscan, home: Path) -> None:
    first = tallyscan("db", "upgrade")
    assert first.exit_code == 0
    assert "brought from nothing" in first.stdout
    assert (home / "tallyscan.db").exists()
    assert "was up to date" in tallyscan("db", "upgrade").stdout


def test_db_current_tells_whether_it_is_behind(tallyscan: Tallyscan, home: Path) -> None:
    home.mkdir()
    assert tallyscan("db", "current").exit_code == 1
    tallyscan("db", "upgrade")
    result = tallyscan("db", "current", "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["up_to_date"] is True


def test_a_key_is_created_works_and_is_revoked(tallyscan: Tallyscan, database: Path) -> None:
    made = json.loads(tallyscan("keys", "create", "scanner", "--scope", "submit", "--format", "json").stdout)
    assert (made["owner"], made["scopes"]) == ("scanner", ["submit"])
    store = Store.open(Settings(home=database))
    try:
        verified = store.keys.verify(made["secret"])
        assert verified is not None
        assert verified.id == made["id"]
        assert tallyscan("keys", "revoke", made["id"]).exit_code == 0
        assert store.keys.verify(made["secret"]) is None
    finally:
        store.dispose()


def test_the_secret_is_shown_once_and_never_listed(tallyscan: Tallyscan, database: Path) -> None:
    created = tallyscan("keys", "create", "auditor", "--owner", "clearing")
    secret = created.stdout.strip()
    assert secret.startswith("ts_")
    assert "cannot be shown again" in created.stderr
    listed = tallyscan("keys", "list", "--format", "json").stdout
    assert secret not in listed
    assert [key["owner"] for key in json.loads(listed)] == ["clearing"]
    assert json.loads(tallyscan("keys", "list", "--owner", "nobody", "--format", "json").stdout) == []
    assert "auditor" in tallyscan("keys", "list").stdout


def test_an_unknown_key_cannot_be_revoked(tallyscan: Tallyscan, database: Path) -> None:
    result = tallyscan("keys", "revoke", "unknown")
    assert result.exit_code == 1
    assert result.stderr.endswith("(not_found)\n")


def test_keys_without_a_service_say_what_to_do(tallyscan: Tallyscan, home: Path) -> None:
    result = tallyscan("keys", "list")
    assert result.exit_code == 2
    assert "tallyscan up" in result.stderr
    (home / "models").mkdir(parents=True)
    assert "tallyscan up" in tallyscan("keys", "list").stderr, "a home may hold models alone"
    assert [path.name for path in home.iterdir()] == ["models"], "who only asks makes no database"
    (home / "tallyscan.db").touch()
    assert "tallyscan db upgrade" in tallyscan("keys", "list").stderr


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://me:SECRET@rack/tallyscan", "postgresql://me:half@rack:SECRET/tallyscan", "sqlite://"]
)
@pytest.mark.parametrize("command", ["db upgrade", "db current", "keys list", "keys create me", "doctor"])
def test_an_address_of_no_database_is_wrong_usage(
    command: str, url: str, tallyscan: Tallyscan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYSCAN_DATABASE_URL", url)
    result = tallyscan(*command.split())
    assert result.exit_code == 2
    assert result.stderr.startswith("error: Settings are not valid: TALLYSCAN_DATABASE_URL: it is no address of a")
    assert result.stderr.endswith("(invalid_request)\n")
    assert "SECRET" not in result.stderr


def test_keys_of_a_database_elsewhere_need_no_home(
    tallyscan: Tallyscan, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYSCAN_DATABASE_URL", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    assert tallyscan("db", "upgrade").exit_code == 0
    assert tallyscan("keys", "create", "scanner").exit_code == 0
    assert "scanner" in tallyscan("keys", "list").stdout
    assert not home.exists()
