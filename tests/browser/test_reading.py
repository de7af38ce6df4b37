"""A scan goes in by every door, and its reading stands there as the service has it."""

import base64
import csv
import io
import math
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from core.codec import from_json
from core.rows import COLUMNS, csv_lines, document_rows
from core.types import PageReading
from tests import factories
from tests.browser.desk import Desk, field_texts, png
from tests.live.running import eventually

pytestmark = [pytest.mark.browser, pytest.mark.live]

HAND_OVER = """([kind, name, type, base64]) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, {type}));
    const event = kind === "drop" ? new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true})
        : new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
    document.body.dispatchEvent(event);
}"""


def shown_percent(probability: float) -> str:
    if probability >= 0.999:
        return "≥ 99.9 %"
    return "< 0.1 %" if probability < 0.001 else f"{math.floor(probability * 1000) / 10:.1f} %"


def digits_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [digit for page in document["pages"] for field in page["fields"] for digit in field["digits"]]


def test_a_chosen_scan_is_read_and_shown_as_the_service_has_it(desk: Desk) -> None:
    document = desk.read_one(png("amount.png", factories.png_bytes("40725", seed=3)))
    (field,) = document["pages"][0]["fields"]
    assert field["text"]
    expect(desk.page.locator(".value")).to_have_text(field["text"])
    assert desk.texts(".digit-tile .char") == [digit["char"] for digit in field["digits"]]
    shown = [text.removeprefix("? ") for text in desk.texts(".digit-tile .percent")]
    assert shown == [shown_percent(digit["confidence"]) for digit in field["digits"]]
    state = "Accepted" if field["accepted"] else "Needs a look"
    expect(desk.page.locator(".value-row .chip")).to_have_text(state)


def test_a_value_that_needs_a_look_says_why(desk: Desk) -> None:
    document = desk.read_one(png("blank.png", factories.blank_png()))
    (field,) = document["pages"][0]["fields"]
    assert field["review_reasons"] == ["empty"]
    expect(desk.page.locator(".reasons")).to_have_text("No digits were found here.")


def test_boxes_lie_where_the_digits_are(desk: Desk) -> None:
    document = desk.read_one(png("amount.png", factories.png_bytes("1938", seed=5)))
    page = document["pages"][0]
    drawn = desk.page.evaluate(
        """() => {
            const scan = document.querySelector(".scan-picture canvas").getBoundingClientRect();
            return [...document.querySelectorAll(".scan-boxes .digit")].map((box) => {
                const place = box.getBBox(), shown = box.getBoundingClientRect();
                return [place.x, place.y, place.width, place.height, (shown.x - scan.x) / scan.width];
            });
        }"""
    )
    boxes = [digit["box"] for digit in page["fields"][0]["digits"]]
    assert [box[:4] for box in drawn] == [[box["x"], box["y"], box["width"], box["height"]] for box in boxes]
    for box, (*_, share) in zip(boxes, drawn, strict=True):
        assert share == pytest.approx(box["x"] / page["width"], abs=0.01)


def test_each_digit_stands_beside_its_crop(desk: Desk) -> None:
    desk.read_one(png("amount.png", factories.png_bytes("58", seed=8)))
    ink = desk.page.evaluate(
        """() => [...document.querySelectorAll(".digit-tile canvas")].map((canvas) => {
            const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return data.filter((value, at) => at % 4 === 0 && value < 128).length / (canvas.width * canvas.height);
        })"""
    )
    assert len(ink) == len(desk.texts(".digit-tile"))
    assert all(0.01 < share < 0.6 for share in ink)


def test_alternatives_show_at_a_digit_that_is_pointed_at(desk: Desk) -> None:
    document = desk.read_one(png("amount.png", factories.png_bytes("736", seed=11)))
    last = digits_of(document)[-1]
    desk.page.locator(".digit-tile").last.hover()
    other = desk.page.locator(".other")
    expect(other).to_contain_text(f"reads {last['char']}, {shown_percent(last['confidence'])} sure")
    for alternative in [one for one in last["alternatives"] if one["confidence"] >= 0.0005][:4]:
        expect(other).to_contain_text(f"{alternative['char']} {shown_percent(alternative['confidence'])}")


@pytest.mark.parametrize("door", ["drop", "paste"])
def test_a_scan_may_be_dropped_or_pasted(desk: Desk, door: str) -> None:
    data = factories.png_bytes("2604", seed=2)
    desk.page.evaluate(HAND_OVER, [door, f"{door}.png", "image/png", base64.b64encode(data).decode()])
    expect(desk.page.locator("#drop-title")).to_have_text(f"{door}.png")
    expect(desk.page.locator(".scan-picture canvas")).to_be_visible()
    desk.page.locator("input[name=type][value=digits]").check()
    desk.read()
    desk.wait_for_reading()
    assert desk.texts(".value") == field_texts(desk.document())


def test_one_digit_is_read_as_one(desk: Desk) -> None:
    document = desk.read_one(png("seven.png", factories.png_bytes("7", seed=4)), type_name="digit")
    assert document["type"] == "digit"
    assert len(desk.texts(".digit-tile")) == 1


def test_numbers_on_a_page_are_listed_and_selected(desk: Desk) -> None:
    page = factories.form_page(["4711", "90325", "128"], seed=6)
    document = desk.read_one(png("form.png", factories.page_png(page)), type_name="")
    assert document["type"] is None
    texts = field_texts(document)
    assert len(texts) > 1
    assert desk.texts(".field-item b") == texts
    desk.page.locator(".field-item").nth(1).click()
    expect(desk.page.locator(".value")).to_have_text(texts[1])
    desk.page.locator(".scan-boxes .field").nth(0).click()
    expect(desk.page.locator(".value")).to_have_text(texts[0])


def test_pages_of_a_long_document_are_turned(desk: Desk) -> None:
    tiff = factories.tiff_bytes(["315", "4420", "87"], seed=9)
    desk.choose({"name": "three.tif", "mimeType": "image/tiff", "buffer": tiff}, type_name="digits")
    desk.read()
    desk.wait_for_reading()
    texts = field_texts(desk.document())
    assert len(texts) == 3
    for index, text in enumerate(texts):
        expect(desk.page.locator(".pages")).to_contain_text(f"Page {index + 1} of 3")
        expect(desk.page.locator(".value")).to_have_text(text or "No digits found")
        if index < 2:
            desk.page.get_by_role("button", name="Next page").click()
    expect(desk.page.get_by_role("button", name="Next page")).to_be_disabled()
    desk.page.get_by_role("button", name="Previous page").click()
    expect(desk.page.locator(".pages")).to_contain_text("Page 2 of 3")


def test_clear_empties_the_page(desk: Desk) -> None:
    desk.read_one(png("amount.png", factories.png_bytes("66", seed=1)))
    desk.page.get_by_role("button", name="Clear").click()
    expect(desk.page.get_by_role("heading", name="Nothing open")).to_be_visible()
    expect(desk.page.locator("#drop-title")).to_contain_text("Choose scans")
    assert desk.page.locator(".value").count() == 0
    desk.read()
    expect(desk.page.locator("#send-error")).to_have_text("Choose a scan first.")


def test_the_csv_is_the_one_that_the_service_would_write(desk: Desk) -> None:
    document = desk.read_one(png('sum, "net".png', factories.png_bytes("9071", seed=7)))
    with desk.page.expect_download() as download:
        desk.page.get_by_role("button", name="Download CSV").click()
    pages = [from_json(PageReading, page) for page in document["pages"]]
    rows = [COLUMNS, *document_rows(document["filename"], pages=pages, failure=None)]
    content = Path(download.value.path()).read_bytes().decode()
    assert content == "".join(csv_lines(rows))
    assert len(list(csv.reader(io.StringIO(content)))) == 2


def test_a_reading_is_found_again_by_its_address_and_among_the_recent(desk: Desk) -> None:
    document = desk.read_one(png("found-again.png", factories.png_bytes("505", seed=12)))
    desk.page.reload()
    desk.wait_for_reading()
    expect(desk.page.locator(".value")).to_have_text(document["pages"][0]["fields"][0]["text"])
    desk.page.get_by_role("button", name="Clear").click()
    desk.page.locator("#recent-documents a").filter(has_text="found-again.png").first.click()
    desk.wait_for_reading()
    assert desk.document_id() == document["id"]


def test_read_again_reads_again(desk: Desk) -> None:
    document = desk.read_one(png("twice.png", factories.png_bytes("812", seed=13)))
    desk.page.get_by_role("button", name="Read again").click()
    eventually(
        lambda: (desk.document()["finished_at"] or "") > document["finished_at"], seconds=20, what="the second reading"
    )
    desk.wait_for_reading()
    expect(desk.page.locator(".value")).to_have_text(field_texts(document)[0])


def test_the_same_scan_again_leads_to_the_earlier_reading(desk: Desk) -> None:
    scan = png("same.png", factories.png_bytes("3141", seed=14))
    first = desk.read_one(scan)
    desk.page.get_by_role("button", name="Clear").click()
    second = desk.read_one(scan)
    assert second["duplicate_of"] == first["id"]
    desk.page.get_by_role("link", name="Open the earlier reading").click()
    desk.page.wait_for_url(f"**/#/documents/{first['id']}")


def test_what_a_file_is_called_is_never_markup(desk: Desk) -> None:
    name = "<img src=x onerror=document.title='broken'>.png"
    desk.read_one(png(name, factories.png_bytes("12", seed=15)))
    expect(desk.page.locator("#reading h2")).to_have_text(name)
    assert desk.page.locator("#reading h2 img").count() == 0
    assert desk.page.title() == "Tallyscan"
