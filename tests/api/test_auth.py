"""Who may do what: keys, scopes, owners, and the page's cookie."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api import auth
from api.web import read_secret
from tests.api.conftest import Caller, Service, StartService

PAGE = {"X-Requested-With": "tallyscan"}


def paths_of(document_id: str) -> Iterator[tuple[str, str]]:
    path = f"/v1/documents/{document_id}"
    yield from (("GET", path), ("GET", f"{path}?wait=1"), ("POST", f"{path}/cancel"), ("POST", f"{path}/retry"))
    yield from (("GET", f"{path}/pages/0.webp"), ("GET", f"{path}/pages/0/overlay.svg"), ("GET", f"{path}/overlay.svg"))
    yield "DELETE", path


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi", "Bearer ts_x_y", "Bearer ä"]
)
def test_without_a_valid_key_nothing_is_shown(header: str, service: Service) -> None:
    for method, path in (("GET", "/v1/documents"), ("POST", "/v1/documents"), ("GET", "/v1/limits")):
        answer = service.client.open(path, method=method, headers={"Authorization": header})
        assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_with_one_wrong_character_is_wrong(caller: Caller) -> None:
    caller.secret = caller.secret[:-1] + ("A" if caller.secret[-1] != "A" else "B")
    assert caller.get("/v1/session").status_code == 401


def test_scopes_are_kept_to(service: Service) -> None:
    reader, submitter = service.caller("clearing", "read"), service.caller("clearing", "submit")
    assert reader.submit().json["code"] == "forbidden"
    document = submitter.submit().json
    assert submitter.get(f"/v1/documents/{document['id']}").status_code == 403
    assert reader.get(f"/v1/documents/{document['id']}").status_code == 200
    for method in ("cancel", "retry"):
        assert reader.post(f"/v1/documents/{document['id']}/{method}").status_code == 403
    assert reader.call("DELETE", f"/v1/documents/{document['id']}").status_code == 403


@pytest.mark.parametrize("scope", ["submit", "read", "admin"])
def test_any_key_may_ask_what_it_may_send_and_whose_it_is(scope: str, service: Service) -> None:
    caller = service.caller("clearing", scope)
    assert caller.get("/v1/limits").json["max_file_bytes"] > 0
    assert caller.get("/v1/session").json == {"owner": "clearing", "scopes": [scope]}


def test_nobody_sees_another_owners_documents(service: Service, caller: Caller, stranger: Caller) -> None:
    document = caller.submit().json
    service.read(document["id"])
    for method, path in paths_of(document["id"]):
        assert stranger.call(method, path).status_code == 404, path
    batch = caller.batch({"a.png": b"x"}).json
    for path in ("", "/results.csv", "/results.jsonl"):
        assert stranger.get(f"/v1/batches/{batch['id']}{path}").status_code == 404
    assert stranger.get(f"/v1/documents?batch={batch['id']}").json == {"documents": []}
    assert caller.get(f"/v1/documents/{document['id']}").json["status"] == "done"


def test_an_administrator_sees_everything(service: Service, caller: Caller) -> None:
    document = caller.submit().json
    service.read(document["id"])
    admin = service.caller("office", "admin")
    assert admin.get("/v1/session").json == {"owner": "office", "scopes": ["admin"]}
    for method, path in paths_of(document["id"]):
        assert admin.call(method, path).status_code in {200, 202, 204, 409}, path


def test_two_keys_of_one_owner_see_the_same(service: Service, caller: Caller) -> None:
    document = caller.submit().json
    assert service.caller("clearing").get(f"/v1/documents/{document['id']}").json["id"] == document["id"]


def test_a_revoked_key_ends_within_seconds(service: Service, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    assert auth.CACHE_SECONDS <= 5
    monkeypatch.setattr(auth, "CACHE_SECONDS", 0.0)
    assert caller.get("/v1/session").status_code == 200
    service.services.store.keys.revoke(caller.key_id)
    assert caller.get("/v1/session").status_code == 401


def test_keys_are_not_asked_for_again_at_once(service: Service, caller: Caller) -> None:
    assert caller.get("/v1/session").status_code == 200
    service.services.store.keys.revoke(caller.key_id)
    assert caller.get("/v1/session").status_code == 200  # for at most CACHE_SECONDS


def page_of(service: Service, caller: Caller) -> FlaskClient:
    """Return a browser that has followed a one-time link."""
    browser = service.client.application.test_client()
    token = service.services.store.login_tokens.create(caller.key_id, 60)
    answer = browser.get(f"/login?token={token}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    return browser


def test_a_one_time_link_signs_in_once(service: Service, caller: Caller) -> None:
    token = service.services.store.login_tokens.create(caller.key_id, 60)
    browser, other = (service.client.application.test_client() for _ in range(2))
    answer = browser.get(f"/login?token={token}")
    cookie = answer.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "tallyscan_session="))
    assert token not in cookie
    assert browser.get("/v1/session").json == {"owner": "clearing", "scopes": ["read", "submit"]}
    assert other.get(f"/login?token={token}").json["code"] == "unauthorized"
    assert other.get("/login").status_code == 401


def test_a_look_at_the_link_does_not_use_it_up(service: Service, caller: Caller) -> None:
    token = service.services.store.login_tokens.create(caller.key_id, 60)
    looked = service.client.head(f"/login?token={token}")
    assert (looked.status_code, looked.headers["Allow"]) == (405, "GET")
    assert "Set-Cookie" not in looked.headers
    assert service.client.get(f"/login?token={token}").status_code == 303


def test_signing_out_takes_the_cookie_away(service: Service, caller: Caller) -> None:
    browser = page_of(service, caller)
    assert browser.get("/logout").status_code == 405
    forged = browser.post("/logout")
    assert (forged.status_code, forged.json["code"]) == (403, "forbidden")
    assert browser.get("/v1/session").status_code == 200
    assert browser.post("/logout", headers=PAGE).status_code == 204
    assert browser.get_cookie("tallyscan_session") is None
    assert browser.get("/v1/session").status_code == 401
    assert service.client.post("/logout", headers=PAGE).status_code == 204


def test_signing_out_ends_every_copy_of_the_cookie(service: Service, caller: Caller) -> None:
    browser, elsewhere = page_of(service, caller), page_of(service, caller)
    copy = copied(browser)
    assert copy.get("/v1/session").status_code == 200
    assert browser.post("/logout", headers=PAGE).status_code == 204
    assert copy.get("/v1/session").status_code == 401
    assert elsewhere.get("/v1/session").status_code == 200, "another browser of the same key stays signed in"


def test_signing_out_ends_the_cookie_in_other_processes_within_seconds(
    start_service: StartService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "CACHE_SECONDS", 0.0)
    first, second = start_service(), start_service()
    browser = page_of(first, first.caller("clearing"))
    copy = copied(browser, second.client.application.test_client())
    assert copy.get("/v1/session").status_code == 200
    browser.post("/logout", headers=PAGE)
    assert copy.get("/v1/session").status_code == 401


def test_a_session_that_cannot_be_ended_now_stays(service: Service, caller: Caller) -> None:
    browser = page_of(service, caller)
    path = service.services.settings.home / "tallyscan.db"
    service.services.store.dispose()
    path.rename(path.with_suffix(".gone"))
    assert browser.post("/logout", headers=PAGE).status_code == 503
    service.services.store.dispose()
    path.unlink(missing_ok=True)
    path.with_suffix(".gone").rename(path)
    assert browser.get("/v1/session").status_code == 200
    assert browser.post("/logout", headers=PAGE).status_code == 204


def copied(browser: FlaskClient, other: FlaskClient | None = None) -> FlaskClient:
    """Return another browser that has a copy of the cookie."""
    cookie = browser.get_cookie("tallyscan_session")
    assert cookie is not None
    other = other or browser.application.test_client()
    other.set_cookie("tallyscan_session", cookie.value)
    return other


def test_the_cookie_is_for_https_where_the_page_is(service: Service, caller: Caller) -> None:
    tokens = [service.services.store.login_tokens.create(caller.key_id, 60) for _ in range(2)]
    plain, secure = (
        service.client.application.test_client().get(f"/login?token={token}", base_url=f"{scheme}://localhost")
        for token, scheme in zip(tokens, ("http", "https"), strict=True)
    )
    assert "Secure" not in plain.headers["Set-Cookie"]
    assert "Secure" in secure.headers["Set-Cookie"]


def test_under_the_cookie_a_change_needs_the_pages_header(service: Service, caller: Caller) -> None:
    browser = page_of(service, caller)
    forged = browser.post("/v1/batches", data={"name": "x"})
    assert (forged.status_code, forged.json["code"]) == (403, "forbidden")
    assert (
        browser.post("/v1/batches", data={"name": "x"}, headers={"X-Requested-With": "XMLHttpRequest"}).status_code
        == 403
    )
    assert browser.post("/v1/batches", data={"name": "x"}, headers=PAGE).status_code == 202


def test_a_wrong_key_is_not_covered_by_the_cookie(service: Service, caller: Caller) -> None:
    browser = page_of(service, caller)
    assert browser.get("/v1/session", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_cookie_ends_with_its_key(service: Service, caller: Caller) -> None:
    browser = page_of(service, caller)
    service.services.store.keys.revoke(caller.key_id)
    assert browser.get("/v1/session").status_code == 401


def test_a_forged_cookie_is_worth_nothing(service: Service, caller: Caller) -> None:
    browser = page_of(service, caller)
    cookie = browser.get_cookie("tallyscan_session")
    assert cookie is not None
    browser.set_cookie("tallyscan_session", cookie.value[:-2] + "xx")
    assert browser.get("/v1/session").status_code == 401


def test_cookies_outlive_the_process(start_service: StartService) -> None:
    first = start_service()
    cookie = page_of(first, first.caller("clearing")).get_cookie("tallyscan_session")
    second = start_service().client
    assert cookie is not None
    second.set_cookie("tallyscan_session", cookie.value)
    assert second.get("/v1/session").json["owner"] == "clearing"


def test_the_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "home" / "secret.key"
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: read_secret(path), range(16)))
    assert len(secrets) == 1
    assert len(secrets.pop()) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["secret.key"]  # noqa: PTH208 - names are enough


def test_an_empty_secret_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.touch(mode=0o600)
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: read_secret(path), range(16)))
    assert [len(secret) for secret in secrets] == [64]
    assert path.read_text() in secrets


def test_a_secret_is_on_disk_before_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    path = tmp_path / "home" / "secret.key"
    read_secret(path)
    assert synced == [path.stat().st_ino, path.parent.stat().st_ino]


def test_no_secret_is_made_before_somebody_signs_in(service: Service, caller: Caller) -> None:
    caller.get("/v1/session")
    assert not (service.services.settings.home / "secret.key").exists()
