"""What goes wrong is said in a sentence, with a way on."""

import re
import time

import pytest
from playwright.sync_api import FilePayload, Route, expect

from tests import factories
from tests.browser.desk import Desk, png

pytestmark = [pytest.mark.browser, pytest.mark.live]


def test_a_text_file_is_refused_in_a_sentence(desk: Desk) -> None:
    desk.complaints.expect(415)
    notes: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"forty-two"}
    desk.choose(notes)
    desk.read()
    failure = desk.page.get_by_role("group", name="Failure")
    expect(failure).to_contain_text("The file is not a PNG, JPEG, BMP, WebP, TIFF or PDF")
    expect(failure.get_by_role("button", name="Try again")).to_be_visible()
    expect(desk.page.locator("#live")).to_contain_text("Not read.")


def test_a_damaged_scan_ends_as_failed_and_may_be_tried_again(desk: Desk) -> None:
    desk.choose(png("damaged.png", factories.png_bytes("4711", seed=1)[:300]), type_name="digits")
    desk.read()
    failure = desk.page.get_by_role("group", name="Failure")
    expect(failure).to_be_visible()
    document = desk.document()
    assert document["status"] == "failed"
    expect(failure).to_contain_text(document["failure"]["message"])
    expect(failure).to_contain_text(document["failure"]["code"])
    with desk.page.expect_response(f"**/v1/documents/{document['id']}/retry") as answer:
        failure.get_by_role("button", name="Try again").click()
    assert answer.value.status == 202
    expect(failure).to_contain_text(document["failure"]["message"])


def test_an_unknown_address_says_so(desk: Desk) -> None:
    desk.complaints.expect(404)
    desk.page.goto(f"{desk.service.url}/#/documents/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    expect(desk.page.get_by_role("group", name="Failure")).to_contain_text("not_found")


def test_a_service_that_is_away_is_waited_for(desk: Desk) -> None:
    desk.complaints.expect(0)
    desk.choose(png("away.png", factories.png_bytes("908", seed=9)), type_name="digits")
    desk.page.context.set_offline(offline=True)
    desk.read()
    expect(desk.page.locator("#progress")).to_be_visible()
    with desk.page.expect_response("**/v1/documents") as answer:
        desk.page.context.set_offline(offline=False)
    assert answer.value.status == 202
    desk.wait_for_reading()


def test_cancel_stops_an_upload(desk: Desk) -> None:
    desk.complaints.expect(0)
    desk.choose(png("stopped.png", factories.png_bytes("21", seed=1)), type_name="digits")
    desk.page.context.set_offline(offline=True)
    desk.read()
    desk.page.get_by_role("button", name="Cancel").click()
    expect(desk.page.locator("#progress")).to_be_hidden()
    expect(desk.page.get_by_text("Ready to read")).to_be_visible()
    expect(desk.page.locator("#live")).to_have_text("Sending was stopped.")


def test_what_arrived_without_an_answer_is_not_read_twice(desk: Desk) -> None:
    taken = desk.lose_first_answer()
    desk.choose(png("lost.png", factories.png_bytes("5150", seed=4)), type_name="digits")
    desk.read()
    desk.page.get_by_role("group", name="Failure").get_by_role("button", name="Try again").click()
    desk.wait_for_reading()
    assert taken == [desk.document_id()] * 2
    desk.read()
    desk.page.wait_for_function("(id) => !location.hash.endsWith(id)", arg=taken[0])
    desk.wait_for_reading()
    assert desk.document_id() == taken[2] != taken[0]


def test_answers_that_are_never_unchanged_are_not_asked_for_without_end(desk: Desk) -> None:
    waiting = {**desk.read_one(png("waits.png", factories.png_bytes("62", seed=6))), "status": "queued", "pages": []}
    asked: list[float] = []

    def answer_at_once(route: Route) -> None:
        asked.append(time.monotonic())
        route.fulfill(json=waiting, headers={"ETag": 'W/"v1"'})

    desk.page.route(re.compile(rf"/v1/documents/{waiting['id']}(\?|$)"), answer_at_once)
    desk.page.reload()
    with desk.page.expect_response(lambda _: len(asked) >= 4):
        expect(desk.page.locator("#progress-text")).to_contain_text("Waiting")
    assert asked[3] - asked[1] > 1.5
