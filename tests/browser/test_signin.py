"""Who may use the page: the one-time link, an API key, and nobody else."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk, png
from tests.live.running import RunningService

pytestmark = [pytest.mark.browser, pytest.mark.live]


def new_link(service: RunningService) -> str:
    with service.store() as store:
        (key,) = [key for key in store.keys.list() if key.owner == "admin"][:1]
        token = store.login_tokens.create(key.id, ttl_seconds=timedelta(minutes=1).total_seconds())
    return f"{service.url}/login?token={token}"


def new_key(service: RunningService, *scopes: str) -> str:
    with service.store() as store:
        return store.keys.create(owner="clinic", name="page", scopes=scopes)[1]


def sign_in(desk: Desk, key: str) -> None:
    desk.page.get_by_label("API key").fill(key)
    desk.page.get_by_role("button", name="Sign in").click()


def test_a_stranger_sees_how_to_sign_in_and_nothing_else(open_desk: OpenDesk) -> None:
    desk = open_desk(sign_in=False)
    desk.complaints.expect(401)
    expect(desk.page.get_by_role("heading", name="Sign in to Tallyscan")).to_be_visible()
    expect(desk.page.locator("#signin")).to_contain_text("tallyscan up")
    expect(desk.page.locator("#work")).to_be_hidden()
    expect(desk.page.get_by_label("API key")).to_be_focused()


def test_the_one_time_link_signs_in_once(open_desk: OpenDesk, browser_service: RunningService) -> None:
    link = new_link(browser_service)
    desk = open_desk(sign_in=False)
    desk.complaints.expect(401)
    desk.page.goto(link)
    expect(desk.page.locator("#who")).to_contain_text("admin")
    assert "token" not in desk.page.url
    desk.read_one(png("after-link.png", factories.png_bytes("33", seed=3)))
    stranger = open_desk(sign_in=False)
    stranger.complaints.expect(401)
    stranger.page.goto(link)
    assert stranger.page.context.cookies() == []
    expect(stranger.page.locator("#signin")).to_be_visible()
    expect(stranger.page.locator("#key-error")).to_contain_text("used already")


def test_a_key_signs_in_for_this_tab_only(open_desk: OpenDesk, browser_service: RunningService) -> None:
    desk = open_desk(sign_in=False)
    desk.complaints.expect(401)
    key = new_key(browser_service, "submit", "read")
    sign_in(desk, key)
    expect(desk.page.locator("#who")).to_contain_text("clinic")
    desk.choose(png("keyed.png", factories.png_bytes("64", seed=2)), type_name="digits")
    desk.read()
    desk.wait_for_reading()
    assert key in desk.page.evaluate("Object.values(sessionStorage)")
    assert desk.page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    assert key not in desk.page.content()
    desk.page.get_by_role("button", name="Sign out").click()
    expect(desk.page.locator("#signin")).to_be_visible()
    assert desk.page.evaluate("sessionStorage.length") == 0


def test_a_links_session_ends_at_sign_out(open_desk: OpenDesk, browser_service: RunningService) -> None:
    desk = open_desk(sign_in=False)
    desk.complaints.expect(401)
    desk.page.goto(new_link(browser_service))
    expect(desk.page.locator("#who")).to_contain_text("admin")
    desk.page.get_by_role("button", name="Sign out").click()
    expect(desk.page.locator("#signin")).to_be_visible()
    assert desk.page.context.cookies() == []
    desk.page.reload()
    expect(desk.page.locator("#signin")).to_be_visible()


def test_a_wrong_key_is_refused_in_words(open_desk: OpenDesk) -> None:
    desk = open_desk(sign_in=False)
    desk.complaints.expect(401)
    sign_in(desk, "ts_nobody_nothing")
    expect(desk.page.locator("#key-error")).to_have_text("The service does not know this key, or it was revoked.")
    assert desk.page.evaluate("sessionStorage.length") == 0


def test_a_key_that_may_only_read_cannot_send(open_desk: OpenDesk, browser_service: RunningService) -> None:
    desk = open_desk(sign_in=False)
    desk.complaints.expect(401)
    sign_in(desk, new_key(browser_service, "read"))
    expect(desk.page.get_by_role("button", name="Read & Predict")).to_be_disabled()
    expect(desk.page.locator("#send-error")).to_contain_text("may look at readings")


def test_a_key_that_may_only_send_is_told_so(open_desk: OpenDesk, browser_service: RunningService) -> None:
    desk = open_desk(sign_in=False)
    desk.complaints.expect(401)
    sign_in(desk, new_key(browser_service, "submit"))
    expect(desk.page.locator("#key-error")).to_contain_text("This key may not read.")
    expect(desk.page.locator("#work")).to_be_hidden()
    assert desk.page.evaluate("sessionStorage.length") == 0


def test_nothing_comes_from_elsewhere(desk: Desk, browser_service: RunningService) -> None:
    answer = desk.page.reload()
    assert answer is not None
    policy = answer.header_value("content-security-policy") or ""
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    addresses = desk.page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(addresses) > 5
    assert [address for address in addresses if not address.startswith(browser_service.url)] == []


def test_the_policy_holds_in_this_browser(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = true'}))"
    )
    assert desk.page.evaluate("window.ran") is None
    assert [line for line in desk.complaints.unexpected() if "Content Security Policy" in line]
    desk.complaints.forget()
