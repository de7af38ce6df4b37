"""Which address and which key a command takes, and that no secret of them is ever repeated."""

import traceback
from pathlib import Path

import pytest

from cli.client import Client
from cli.endpoint import Endpoint, find_endpoint
from cli.supervisor.home import first_key, locked, ready_store
from core.errors import InvalidRequest
from core.settings import Settings
from tests.cli.app_server import AppServer
from tests.cli.conftest import Tallyscan


def test_a_line_end_after_the_key_does_not_count(
    tallyscan: Tallyscan, app: AppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYSCAN_KEY", f" {app.endpoint.key}\r\n")
    result = tallyscan("status", "01JUNKNOWN", "--url", f"{app.endpoint.url}/\r\n")
    assert (result.exit_code, result.stderr.split("(")[-1]) == (1, "not_found)\n")


@pytest.mark.parametrize("key", ["ts_SECRET\rmore", "ts_SECRETü", "ts_SECRET more", "ts_SECRET\x7f", "ts_SECRET\udce9"])
def test_a_key_that_cannot_be_one_is_wrong_usage_and_not_repeated(tallyscan: Tallyscan, key: str) -> None:
    result = tallyscan("status", "some-id", "--url", "http://127.0.0.1:9", "--key", key)
    assert result.exit_code == 2
    assert result.stderr == "error: The key holds characters that no key has. (invalid_request)\n"


def test_the_librarys_words_on_a_header_are_not_repeated(app: AppServer) -> None:
    with Client(Endpoint(app.endpoint.url, "ts_SECRET\r")) as client:
        for call in (client.limits, lambda: list(client.batch_documents("some-id"))):
            with pytest.raises(InvalidRequest) as caught:
                call()
            assert "SECRET" not in "".join(traceback.format_exception(caught.value))


def test_a_key_file_that_is_no_text_holds_no_key(tmp_path: Path) -> None:
    (tmp_path / "admin.key").write_bytes(b"ts_\xff\n")
    with locked(tmp_path) as announce:
        announce("http://127.0.0.1:4711")
        assert find_endpoint(Settings(home=tmp_path)).key is None


def test_a_key_file_that_is_no_text_is_made_anew(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.admin_key_file.write_bytes(b"ts_\xff\n")
    store = ready_store(settings)
    try:
        made = first_key(store, settings)
        assert first_key(store, settings).id == made.id
    finally:
        store.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "http://me:SECRET@127.0.0.1:9",
        "me:SECRET@127.0.0.1:9",
        "http://127.0.0.1:9/login?token=SECRET",
        "http://127.0.0.1:9/#SECRET",
        "ts_SECRET",
    ],
)
def test_secrets_in_an_address_are_refused_and_not_repeated(tallyscan: Tallyscan, url: str) -> None:
    result = tallyscan("status", "some-id", "--url", url)
    assert result.exit_code == 2
    assert "SECRET" not in result.output


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///x",
        "http://[::1",
        "http://::1:8080",
        "http://127.0.0.1:x",
        "http://127.0.0.1:99999",
        "http://a\x01",
    ],
)
def test_an_address_that_is_none_is_wrong_usage(tallyscan: Tallyscan, url: str) -> None:
    result = tallyscan("status", "some-id", "--url", url)
    assert (result.exit_code, result.stderr.split("(")[-1]) == (2, "invalid_request)\n")


def test_the_usual_address_may_be_of_the_sixth_version(tmp_path: Path) -> None:
    assert find_endpoint(Settings(home=tmp_path, host="::1", port=8099)).url == "http://[::1]:8099"


@pytest.mark.parametrize(
    "odd", ["../../healthz", "../batches", "..", ".", "", "a/b", "a?b=c", "a#b", "\t", "caf\udce9"]
)
def test_an_id_leads_nowhere_else(tallyscan: Tallyscan, app: AppServer, odd: str) -> None:
    where = ("--url", app.endpoint.url, "--key", app.endpoint.key or "")
    for command in (("status", odd), ("results", odd), ("templates", "remove", odd)):
        result = tallyscan(*command, *where)
        assert (result.exit_code, result.stderr.split("(")[-1]) == (1, "not_found)\n"), command
