"""Settings come from the environment, refuse what they do not know, and fill in the embedded defaults."""

from pathlib import Path

import pytest
from fsspec.core import url_to_fs
from limits.util import parse_many
from pydantic import ValidationError
from sqlalchemy import make_url

from core.errors import DatabaseUnavailable
from core.settings import Settings
from storage.engine import make_engine
from storage.store import Store


def test_the_embedded_defaults_live_in_the_home(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.resolved_database_url == f"sqlite:///{tmp_path}/tallyscan.db"
    assert settings.resolved_broker_url == f"redis+socket://{tmp_path}/broker.sock"
    assert settings.resolved_blob_url == f"file://{tmp_path}/blobs"


def test_relative_paths_are_settled_where_they_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLYSCAN_HOME", "svc")
    monkeypatch.setenv("TALLYSCAN_DATABASE_URL", "sqlite+pysqlite:///own.db?timeout=3")
    settings = Settings()
    assert settings.home == tmp_path / "svc"
    assert settings.resolved_database_url == f"sqlite+pysqlite:///{tmp_path}/own.db?timeout=3"
    monkeypatch.setenv("TALLYSCAN_CALIBRATION", "mine.json")
    monkeypatch.setenv("TALLYSCAN_MODELS", "shelf")
    assert (Settings().calibration, Settings().models_folder) == (tmp_path / "mine.json", tmp_path / "shelf")
    monkeypatch.delenv("TALLYSCAN_DATABASE_URL")
    assert Settings().resolved_database_url == f"sqlite:///{tmp_path}/svc/tallyscan.db"


@pytest.mark.parametrize("name", ["hä us", "h%41 #x?", "a+b&c=d;e@f:g"])
def test_a_home_may_be_called_anything(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / name
    settings = Settings(home=home)
    assert make_url(settings.resolved_database_url).database == f"{home}/tallyscan.db"
    assert make_url(settings.resolved_database_url).query == {}
    assert url_to_fs(settings.resolved_blob_url)[1] == f"{home}/blobs"
    home.mkdir()
    monkeypatch.chdir(home)
    assert make_url(Settings(database_url="sqlite:///own%20.db").resolved_database_url).database == f"{home}/own .db"


def test_a_tilde_is_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings(home=Path("~/svc")).home == tmp_path / "svc"
    with pytest.raises(ValidationError, match="home"):
        Settings(home=Path("~nobody-of-that-name/svc"))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////srv/own.db",
        "sqlite+pysqlite:////srv/own.db?timeout=3",
        "sqlite:///file:/srv/own.db?uri=true",
        "postgres://host/tallyscan",
        "postgresql://u:p%40ss@[::1]/tallyscan?sslmode=require",
        "postgresql+psycopg://u:p@host:5432/tallyscan",
        "postgresql+psycopg://tallyscan@/postgres?host=/run/postgresql",
        "postgresql://",
    ],
)
def test_other_databases_are_taken_as_they_are(url: str) -> None:
    assert Settings(database_url=url).resolved_database_url == url
    make_engine(url).dispose()


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "/srv/own.db",
        "sqlite:/srv/own.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite+aiosqlite:///own.db",
        "mysql://u:hidden@host/tallyscan",
        "postgresql+psycopg2://u:hidden@host/tallyscan",
        "postgres+psycopg://u:hidden@host/tallyscan",
        "postgresql://u:hidden@host:port/tallyscan",
        "postgresql://u:hidden@host:/tallyscan",
        "sqlite:///file:own?mode=memory&uri=true",
        "postgresql:/u:hidden@host/tallyscan",
    ],
)
def test_a_database_of_no_known_kind_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValidationError, match="no address of a database") as caught:
        Settings(database_url=url)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "option",
    ["timeout=abc", "timeout=nan", "timeout=1&timeout=2", "detect_types=x", "cached_statements=-1",
     "check_same_thread=maybe", "uri=perhaps"],
)  # fmt: skip
def test_an_option_that_no_database_could_be_opened_with_is_refused(option: str) -> None:
    with pytest.raises(ValidationError, match=f"option '{option.partition('=')[0]}' must be"):
        Settings(database_url=f"sqlite:////srv/own.db?mode=hidden&{option}")


@pytest.mark.parametrize("option", ["timeout=3.5", "timeout=", "uri=TRUE", "cached_statements=9&detect_types=0"])
def test_other_options_are_taken(option: str) -> None:
    url = f"sqlite:////nowhere/own.db?{option}"
    with pytest.raises(DatabaseUnavailable):
        Store(make_engine(Settings(database_url=url).database_url)).ping()


@pytest.mark.parametrize("url", ["scans", "./scans", "file://scans", "file:scans", "local://scans"])
def test_a_relative_folder_of_scans_is_settled_where_it_was_given(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLYSCAN_BLOB_URL", url)
    settings = Settings(home=tmp_path / "svc")
    monkeypatch.chdir("/")
    assert url_to_fs(settings.resolved_blob_url)[1] == f"{tmp_path}/scans"


def test_a_tilde_in_a_folder_of_scans_is_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for url in ("~/scans", "file://~/scans"):
        assert Settings(blob_url=url).resolved_blob_url == f"file://{tmp_path}/scans"
    with pytest.raises(ValidationError, match="blob_url"):
        Settings(blob_url="~nobody-of-that-name/scans")


@pytest.mark.parametrize(
    "url",
    ["/srv/a b", "file:///srv/a b%20", "s3://bucket/scans", "memory://scans", "simplecache::s3://bucket/scans",
     "dir::file://scans", "file:/srv/scans", "local:/srv/scans", "file:/"]
)  # fmt: skip
def test_other_stores_of_scans_are_taken_as_they_are(url: str) -> None:
    assert Settings(blob_url=url).resolved_blob_url == url


def test_a_database_address_out_of_a_file_of_secrets_may_end_with_a_line() -> None:
    address = "postgresql+psycopg://me:x@rack/tallyscan?sslmode=require"
    assert Settings(database_url=f"{address}\n").database_url == address


def test_the_environment_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSCAN_MAX_PAGES", "7")
    monkeypatch.setenv("TALLYSCAN_CALLBACK_HOSTS", "a.example, b.example")
    settings = Settings()
    assert settings.max_pages == 7
    assert settings.callback_hosts == ("a.example", "b.example")


def test_a_log_level_is_a_known_one_however_it_is_spelt() -> None:
    assert Settings(log_level="debug").log_level == "DEBUG"
    with pytest.raises(ValidationError, match="'foo' is none of DEBUG, INFO"):
        Settings(log_level="foo")


@pytest.mark.parametrize(
    "rate", ["3/hour", "600 per 2 minutes", "20/second; 500/10 Minutes", "1/day,5/months|9/year", "foo", "", "0/second",
             "600", "600/s", "5/fortnight", "3/hour;", "3/hour foo"]
)  # fmt: skip
def test_a_rate_is_one_that_the_library_understands(rate: str) -> None:
    try:
        understood = all(limit.amount for limit in parse_many(rate))
    except ValueError:
        understood = False
    if understood:
        assert Settings(api_request_rate=rate).api_request_rate == rate
    else:
        with pytest.raises(ValidationError, match="is no rate"):
            Settings(api_request_rate=rate)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="max_pagse"):
        Settings(max_pagse=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("share", [0, -0.01, 0.51, float("nan")])
def test_a_target_error_is_a_share_below_one_half(share: float) -> None:
    assert Settings(target_error=0.5).target_error == 0.5
    with pytest.raises(ValidationError, match="target_error"):
        Settings(target_error=share)


@pytest.mark.parametrize(
    ("given", "at_odds"),
    [
        ({"soft_time_limit_seconds": 60}, ("hard_time_limit_seconds", "60 must be more than the 60 of")),
        ({"hard_time_limit_seconds": 120}, ("lease_seconds", "the 120 of TALLYSCAN_HARD_TIME_LIMIT_SECONDS")),
        ({"lease_seconds": 30.5}, ("lease_seconds", "30.5 must be more than the 60 of")),
        ({"lease_seconds": 600}, ("visibility_timeout_seconds", "the 600 of TALLYSCAN_LEASE_SECONDS")),
    ],
)
def test_times_out_of_order_are_refused(given: dict[str, float], at_odds: tuple[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(**given)  # type: ignore[arg-type]
    (fault,) = caught.value.errors()
    assert (fault["loc"], at_odds[1] in fault["msg"]) == ((at_odds[0],), True)


def test_times_may_be_shortened_together() -> None:
    settings = Settings(soft_time_limit_seconds=1, hard_time_limit_seconds=2, lease_seconds=2.5)
    assert settings.lease_seconds == 2.5


def test_the_broker_waits_longer_than_the_hard_limit() -> None:
    settings = Settings()
    assert settings.soft_time_limit_seconds < settings.hard_time_limit_seconds < settings.lease_seconds
    assert settings.lease_seconds < settings.visibility_timeout_seconds
