"""Forms and cheques on the page: a clerk names the template, and reads the fields by their names."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.desk import Desk, png
from tests.live.running import RunningService

pytestmark = [pytest.mark.browser, pytest.mark.live]

NAME = "meter-strip"

STRIP = {
    "name": NAME,
    "description": "A strip with one reading.",
    "page": {"width": 100, "height": 40, "unit": "px"},
    "fields": [{"name": "meter_reading", "type": "digits", "box": {"x": 0, "y": 0, "width": 100, "height": 40}}],
}


@pytest.fixture(autouse=True)
def strip(browser_service: RunningService) -> Iterator[None]:
    """A template that the service knows before the page asks for them."""
    browser_service.client.put(f"/v1/templates/{NAME}", json=STRIP).raise_for_status()
    yield
    browser_service.client.delete(f"/v1/templates/{NAME}").raise_for_status()


def choose_template(desk: Desk, name: str) -> None:
    desk.page.locator("input[name=type][value=template]").check()
    desk.page.get_by_label("Which form").select_option(name)


def test_templates_are_offered_where_a_form_is_chosen(desk: Desk) -> None:
    templates = desk.page.get_by_label("Which form")
    expect(templates).to_be_hidden()
    choose_template(desk, "auto")
    expect(templates).to_be_visible()
    offered = desk.texts("#template option")
    assert offered[0] == "The one that fits each page"
    assert {NAME, "cheque", "cheque-us"} <= set(offered)
    desk.page.locator("input[name=type][value=digits]").check()
    expect(templates).to_be_hidden()


def test_a_form_is_read_by_its_template_and_names_its_fields(desk: Desk) -> None:
    desk.choose(png("strip.png", factories.png_bytes("4711", seed=4)))
    choose_template(desk, NAME)
    desk.read()
    desk.wait_for_reading()
    document = desk.document()
    assert document["template"]["name"] == NAME
    assert document["type"] is None
    expect(desk.page.locator(".answer .field-name")).to_have_text("meter reading")
    expect(desk.page.locator(".doc-meta")).to_contain_text(f"{NAME} v{document['template']['version']}")


def test_a_template_counts_for_each_file_of_many(desk: Desk) -> None:
    desk.choose(*(png(f"{number}.png", factories.png_bytes(number)) for number in ("4711", "815")))
    choose_template(desk, NAME)
    desk.read()
    desk.wait_for_rows()
    found = desk.service.client.get("/v1/documents", params={"batch": desk.batch_id()}).json()["documents"]
    assert [each["template"]["name"] for each in found] == [NAME, NAME]
    assert desk.overflow() == 0
