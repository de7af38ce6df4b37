"""The page works without a mouse, on a phone, in the dark, and for people who listen to it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests import factories
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk, png

pytestmark = [pytest.mark.browser, pytest.mark.live]

PHONE = {"width": 360, "height": 780}

UNNAMED = """() => [...document.querySelectorAll("button, a[href], input, summary, [role=img]")].filter((element) => {
    if (!element.checkVisibility()) return false;
    const label = element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.textContent;
    return !label.trim();
}).map((element) => element.outerHTML)"""

REPEATED_IDS = """() => {
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    return ids.filter((id, at) => ids.indexOf(id) !== at);
}"""

BROKEN_REFERENCES = """() => ["aria-labelledby", "aria-describedby", "for"].flatMap((name) =>
    [...document.querySelectorAll(`[${name}]`)].flatMap((element) =>
        element.getAttribute(name).split(" ").filter((id) => !document.getElementById(id))))"""

# Every visible text against the ground it stands on: WCAG 2.2, 1.4.3 (4.5 to 1, or 3 to 1 for large text).
WEAK_TEXTS = """() => {
    const parse = (text) => {
        const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
        return {r, g, b, a};
    };
    const light = ({r, g, b}) => {
        const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        const [x, y, z] = [r, g, b].map((v) => linear(v / 255));
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.a === 1) return colour;
            if (colour.a > 0) throw new Error(`half transparent ground: ${at.className}`);
        }
        return {r: 255, g: 255, b: 255};
    };
    const weak = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const style = getComputedStyle(element);
        const unseen = !element.checkVisibility() || element.closest(".sr-only, .skip, :disabled, noscript");
        if (unseen || !walker.currentNode.data.trim()) continue;
        const [one, other] = [light(parse(style.color)), light(ground(element))];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        if (ratio < (large ? 3 : 4.5)) weak.push([walker.currentNode.data.trim(), ratio.toFixed(2)]);
    }
    return weak;
}"""


def chosen(desk: Desk) -> None:
    desk.choose(png("amount.png", factories.png_bytes("310", seed=3)))


def one_reading(desk: Desk) -> None:
    desk.read_one(png("amount.png", factories.png_bytes("40725", seed=3)))


def many_numbers(desk: Desk) -> None:
    page = factories.form_page(["4711", "90325", "128"], seed=6)
    desk.read_one(png("form.png", factories.page_png(page)), type_name="")


def batch(desk: Desk) -> None:
    damaged = png("damaged-with-quite-a-long-name-as-scanners-give-them-0000000001.png", b"\x89PNG\r\n\x1a\n")
    desk.choose(png("a.png", factories.png_bytes("12", seed=1)), damaged, type_name="digits")
    desk.read()
    desk.wait_for_rows()


def failed(desk: Desk) -> None:
    desk.choose(png("damaged.png", factories.png_bytes("12", seed=1)[:99]))
    desk.read()
    expect(desk.page.get_by_role("group", name="Failure")).to_be_visible()


STATES = [chosen, one_reading, many_numbers, batch, failed]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_is_named_and_in_good_contrast(open_desk: OpenDesk, scheme: str) -> None:
    desk = open_desk(color_scheme=scheme, reduced_motion="reduce")
    for reach in [lambda _: None, *STATES]:
        reach(desk)
        found = {check: desk.page.evaluate(check) for check in (UNNAMED, REPEATED_IDS, BROKEN_REFERENCES, WEAK_TEXTS)}
        assert [result for result in found.values() if result] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signing_in_is_in_good_contrast_too(open_desk: OpenDesk, scheme: str) -> None:
    desk = open_desk(sign_in=False, color_scheme=scheme)
    desk.complaints.expect(401)
    expect(desk.page.locator("#signin")).to_be_visible()
    assert desk.page.evaluate(WEAK_TEXTS) == []
    assert desk.page.evaluate(UNNAMED) == []


@pytest.mark.parametrize("reach", STATES)
def test_a_phone_shows_everything_without_scrolling_sideways(open_desk: OpenDesk, reach: Callable[[Desk], Any]) -> None:
    desk = open_desk(viewport=PHONE, has_touch=True)
    assert desk.overflow() <= 0
    reach(desk)
    assert desk.overflow() <= 0
    small = desk.page.evaluate(
        """() => [...document.querySelectorAll("button, .choice, .recent-item")].filter((e) => e.checkVisibility())
            .filter((e) => e.getBoundingClientRect().height < 24).map((e) => e.textContent)"""
    )
    assert small == []


def test_a_scan_is_read_without_a_mouse(desk: Desk) -> None:
    keys = desk.page.keyboard
    catch_file_dialogs(desk)
    press_until_focused(desk, "#drop")
    with desk.page.expect_file_chooser() as chooser:
        keys.press("Enter")
    chooser.value.set_files([png("keys.png", factories.png_bytes("6174", seed=5))])
    expect(desk.page.get_by_role("button", name="Read & Predict")).to_be_focused()
    keys.press("Shift+Tab")
    keys.press("ArrowDown")
    assert desk.page.evaluate("document.activeElement.value") == "digits"
    keys.press("Tab")
    keys.press("Enter")
    desk.wait_for_reading()
    digits = desk.document()["pages"][0]["fields"][0]["digits"]
    press_until_focused(desk, ".digit-tile")
    keys.press("Home")
    expect(desk.page.locator(".other")).to_contain_text(f"Digit 1 of {len(digits)}: reads {digits[0]['char']}")
    keys.press("ArrowRight")
    expect(desk.page.locator(".other")).to_contain_text(f"Digit 2 of {len(digits)}: reads {digits[1]['char']}")
    assert desk.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    keys.press("Escape")
    expect(desk.page.get_by_role("heading", name="Nothing open")).to_be_visible()
    expect(desk.page.locator("#drop")).to_be_focused()


def test_space_opens_the_file_dialog(desk: Desk) -> None:
    catch_file_dialogs(desk)
    press_until_focused(desk, "#drop")
    with desk.page.expect_file_chooser() as chooser:
        desk.page.keyboard.press("Space")
    assert chooser.value.is_multiple()


def test_progress_and_result_are_announced(desk: Desk) -> None:
    live = desk.page.locator("#live")
    assert live.get_attribute("aria-live") == "polite"
    document = desk.read_one(png("said.png", factories.png_bytes("271", seed=8)))
    expect(live).to_contain_text(f"Read {document['pages'][0]['fields'][0]['text']}.")


def test_a_result_that_is_there_at_once_is_announced_too(desk: Desk) -> None:
    def answer_late(route: Route) -> None:
        desk.service.ended(route.request.url.rpartition("/")[2])
        route.continue_()

    desk.page.route(re.compile(r"/v1/documents/\w+$"), answer_late)
    document = desk.read_one(png("quick.png", factories.png_bytes("271", seed=8)))
    expect(desk.page.locator("#live")).to_contain_text(f"Read {document['pages'][0]['fields'][0]['text']}.")


def test_nothing_moves_for_who_asked_for_stillness(open_desk: OpenDesk) -> None:
    desk = open_desk(reduced_motion="reduce")
    moving = desk.page.evaluate(
        """() => [...document.querySelectorAll("*")].map((element) => getComputedStyle(element))
            .filter((style) => style.animationName !== "none" || parseFloat(style.transitionDuration) > 0).length"""
    )
    assert moving == 0


def catch_file_dialogs(desk: Desk) -> None:
    """Catch the browser's file dialogs from now on: a listener that comes with the key press may come too late."""
    desk.page.on("filechooser", lambda _: None)
    expect(desk.page.locator("#drop")).to_be_visible()


def press_until_focused(desk: Desk, selector: str) -> None:
    """Press Tab until what `selector` finds has the focus, as far as a page has stops."""
    for _ in range(60):
        if desk.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        desk.page.keyboard.press("Tab")
    pytest.fail(f"{selector} cannot be reached with Tab")
