"""A person says what a field reads: stored beside the reading, told, and found again."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk, png
from tests.browser.test_signin import new_key, sign_in
from tests.live.running import RunningService

pytestmark = [pytest.mark.browser, pytest.mark.live]


def corrections(desk: Desk) -> list[tuple[str, str | None, bool]]:
    document: dict[str, Any] = desk.document()
    return [(each["truth"], each["text"], each["confirms"]) for each in document["corrections"]]


def test_a_field_is_corrected_and_the_reading_stays(desk: Desk) -> None:
    document = desk.read_one(png("amount.png", factories.png_bytes("40725", seed=31)))
    read = document["pages"][0]["fields"][0]["text"]
    desk.page.get_by_label("What it really reads").fill("90725")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator(".said")).to_contain_text("Corrected to 90725 by ")
    assert corrections(desk) == [("text", "90725", False)]
    expect(desk.page.locator(".value")).to_have_text(read)
    desk.page.reload()
    desk.wait_for_reading()
    expect(desk.page.get_by_label("What it really reads")).to_have_value("90725")
    expect(desk.page.locator(".said")).to_contain_text("Corrected to 90725")


def test_a_right_reading_is_confirmed(desk: Desk) -> None:
    document = desk.read_one(png("amount.png", factories.png_bytes("318", seed=32)))
    desk.page.get_by_role("button", name="Confirm").click()
    expect(desk.page.locator(".said")).to_contain_text("Confirmed by ")
    assert corrections(desk) == [("text", document["pages"][0]["fields"][0]["text"], True)]


def test_the_latest_word_counts(desk: Desk) -> None:
    desk.read_one(png("amount.png", factories.png_bytes("66", seed=33)))
    desk.page.get_by_role("button", name="Nobody can tell").click()
    expect(desk.page.locator(".said")).to_contain_text("Marked as unreadable")
    desk.page.get_by_role("button", name="Nothing stands there").click()
    expect(desk.page.locator(".said")).to_contain_text("Marked as empty")
    assert corrections(desk) == [("empty", None, False)]


def test_what_a_field_cannot_hold_is_told(desk: Desk) -> None:
    desk.read_one(png("amount.png", factories.png_bytes("7431", seed=34)))
    desk.complaints.expect(422)
    desk.page.get_by_label("What it really reads").fill("twelve")
    desk.page.get_by_role("button", name="Correct").click()
    expect(desk.page.locator(".correction .error")).not_to_be_empty()
    assert corrections(desk) == []
    desk.page.get_by_label("What it really reads").fill("")
    expect(desk.page.get_by_role("button", name="Correct")).to_be_disabled()


def test_each_number_of_a_page_has_its_own(desk: Desk) -> None:
    page = factories.form_page(["4711", "90325", "128"], seed=35)
    desk.read_one(png("form.png", factories.page_png(page)), type_name="")
    desk.page.locator(".field-item").nth(1).click()
    desk.page.get_by_role("button", name="Nothing stands there").click()
    expect(desk.page.locator(".said")).to_contain_text("Marked as empty")
    desk.page.locator(".field-item").nth(0).click()
    expect(desk.page.locator(".said")).to_be_empty()
    desk.page.locator(".field-item").nth(1).click()
    expect(desk.page.locator(".said")).to_contain_text("Marked as empty")


def test_a_key_that_may_only_read_has_no_place_to_say_it(open_desk: OpenDesk, browser_service: RunningService) -> None:
    places = []
    for scopes in (("read", "submit"), ("read",)):
        desk = open_desk(sign_in=False)
        desk.complaints.expect(401)
        sign_in(desk, new_key(browser_service, *scopes))
        if places:
            desk.page.goto(places[0])
        else:
            desk.read_one(png("amount.png", factories.png_bytes("52", seed=36)))
            places.append(desk.page.url)
        desk.wait_for_reading()
        expect(desk.page.locator("form.correction")).to_be_visible(visible="submit" in scopes)
