"""Many files at once: rows fill in, nothing freezes, and the CSV comes back."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Route, expect

from tests import factories
from tests.browser.desk import Desk, field_texts, png

pytestmark = [pytest.mark.browser, pytest.mark.live]

# How long the page's own thread was busy at a stretch: the gaps between ticks of a timer that asks for 20 ms.
START_TICKS = """() => {
    let last = performance.now();
    window.longestGap = 0;
    setInterval(() => {
        const now = performance.now();
        window.longestGap = Math.max(window.longestGap, now - last);
        last = now;
    }, 20);
}"""


def scans(count: int) -> list[FilePayload]:
    return [
        png(f"scan-{number:03}.png", factories.png_bytes(str(1000 + number), seed=number)) for number in range(count)
    ]


def results(desk: Desk) -> list[dict[str, str]]:
    answer = desk.service.client.get(f"/v1/batches/{desk.batch_id()}/results.csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_many_files_fill_rows_as_the_service_has_them(desk: Desk) -> None:
    desk.choose(*scans(8), type_name="digits")
    assert desk.texts(".rows .name") == [f"scan-{number:03}.png" for number in range(8)]
    desk.read()
    desk.wait_for_rows()
    read = {row["file"]: row["text"] for row in results(desk)}
    assert len(read) == 8
    shown = dict(zip(desk.texts(".rows .name"), desk.texts(".rows .read"), strict=True))
    assert shown == {name: text or "–" for name, text in read.items()}


def test_a_batch_comes_back_as_csv(desk: Desk) -> None:
    desk.choose(*scans(3), type_name="digits")
    desk.read()
    desk.wait_for_rows()
    with desk.page.expect_download() as download:
        desk.page.get_by_role("button", name="Download CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    content = Path(download.value.path()).read_bytes().decode()
    assert list(csv.DictReader(io.StringIO(content))) == results(desk)


def test_rows_lead_to_readings_and_back(desk: Desk) -> None:
    desk.choose(*scans(3), type_name="digits")
    desk.read()
    desk.wait_for_rows()
    batch_id = desk.batch_id()
    desk.page.locator(".rows").get_by_role("link", name="scan-001.png").click()
    desk.wait_for_reading()
    expect(desk.page.locator(".where")).to_have_text("File 2 of 3")
    assert desk.texts(".value") == field_texts(desk.document())
    desk.page.get_by_role("link", name="Next", exact=True).click()
    expect(desk.page.get_by_role("heading", name="scan-002.png")).to_be_visible()
    desk.page.get_by_role("link", name="Back to the batch").click()
    expect(desk.page.locator(".rows tbody tr")).to_have_count(3)
    assert desk.batch_id() == batch_id


def test_a_batch_is_found_again_among_the_recent(desk: Desk) -> None:
    desk.choose(*scans(2), type_name="digits")
    desk.read()
    desk.wait_for_rows()
    shown = dict(zip(desk.texts(".rows .name"), desk.texts(".rows .read"), strict=True))
    desk.page.get_by_role("button", name="Clear").click()
    desk.page.reload()
    desk.page.locator("#recent-batches a").first.click()
    expect(desk.page.locator(".rows tbody tr")).to_have_count(2)
    # Files that are sent at the same time may arrive in another order.
    assert dict(zip(desk.texts(".rows .name"), desk.texts(".rows .read"), strict=True)) == shown
    expect(desk.page.locator(".rows .thumb canvas")).to_have_count(2)


def test_a_look_at_another_batch_stops_no_sending(desk: Desk) -> None:
    desk.choose(*scans(2), type_name="digits")
    desk.read()
    desk.wait_for_rows()
    other = desk.batch_id()
    held: list[Route] = []
    holding = True

    def hold(route: Route) -> None:
        if holding:
            held.append(route)
        else:
            route.continue_()

    desk.page.route("**/v1/documents", hold)
    desk.choose(*scans(4), type_name="digits")
    desk.read()
    desk.page.wait_for_function("(id) => location.hash.includes('batches') && !location.hash.endsWith(id)", arg=other)
    mine = desk.batch_id()
    desk.page.goto(f"{desk.service.url}/#/batches/{other}")
    expect(desk.page.locator(".rows tbody tr")).to_have_count(2)
    holding = False
    for route in held:
        route.continue_()
    desk.page.goto(f"{desk.service.url}/#/batches/{mine}")
    expect(desk.page.locator(".rows tbody tr")).to_have_count(4)
    desk.wait_for_rows()
    assert sorted(row["file"] for row in results(desk)) == [f"scan-{number:03}.png" for number in range(4)]


def test_a_row_tried_again_is_the_same_request(desk: Desk) -> None:
    taken = desk.lose_first_answer()
    desk.choose(*scans(2), type_name="digits")
    desk.read()
    desk.wait_for_rows()
    desk.page.locator(".rows").get_by_role("button", name="again").click()
    expect(desk.page.locator(".rows").get_by_role("button", name="again")).to_have_count(0)
    desk.wait_for_rows()
    assert taken[2] == taken[0]
    expect(desk.page.locator(".rows tbody tr")).to_have_count(2)
    assert len(results(desk)) == 2


def test_one_bad_file_spoils_no_other(desk: Desk) -> None:
    desk.complaints.expect(415)
    damaged = png("damaged.png", factories.png_bytes("77", seed=1)[:200])
    text: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"four two zero"}
    desk.choose(*scans(2), damaged, text, type_name="digits")
    desk.read()
    desk.wait_for_rows()
    states = dict(zip(desk.texts(".rows .name"), desk.texts(".rows .outcome .state"), strict=True))
    assert states["damaged.png"] == states["notes.txt"] == "Failed"
    assert {states["scan-000.png"], states["scan-001.png"]} <= {"Accepted", "Needs a look"}
    expect(desk.page.locator("tr").filter(has_text="notes.txt").locator(".why")).to_contain_text("PNG, JPEG")
    desk.page.get_by_role("button", name="Failed 2").click()
    assert sorted(desk.texts(".rows .name")) == ["damaged.png", "notes.txt"]
    desk.page.get_by_role("button", name="Try damaged.png again").click()
    desk.wait_for_rows()
    expect(desk.page.get_by_role("button", name="Try damaged.png again")).to_be_visible()


def test_a_row_that_fails_again_at_once_is_failed_again(desk: Desk) -> None:
    def answer_late(route: Route) -> None:
        answer = route.fetch()
        desk.service.ended(answer.json()["id"])
        route.fulfill(response=answer)

    damaged = png("damaged.png", factories.png_bytes("77", seed=1)[:200])
    desk.choose(*scans(1), damaged, type_name="digits")
    desk.read()
    desk.wait_for_rows()
    desk.page.locator(".rows").get_by_role("link", name="scan-000.png").click()
    desk.wait_for_reading()
    with desk.page.expect_response("**/results.jsonl"):
        desk.page.get_by_role("link", name="Back to the batch").click()
    desk.page.route("**/retry", answer_late)
    again = desk.page.get_by_role("button", name="Try damaged.png again")
    with desk.page.expect_response("**/results.jsonl"):
        again.click()
    expect(again).to_be_visible()
    desk.wait_for_rows()


def test_a_zip_becomes_a_batch(desk: Desk) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        for number in range(3):
            files.writestr(f"in/{number}.png", factories.png_bytes(str(40 + number), seed=number))
    desk.choose({"name": "three.zip", "mimeType": "application/zip", "buffer": archive.getvalue()}, type_name="digits")
    desk.read()
    expect(desk.page.locator(".rows tbody tr")).to_have_count(3)
    desk.wait_for_rows()
    assert desk.texts(".rows .read") == [row["text"] or "–" for row in results(desk)]


@pytest.mark.slow
def test_two_hundred_files_leave_the_page_awake(desk: Desk, tmp_path: Path) -> None:
    few = [factories.png_bytes(str(1000 + number), seed=number) for number in range(10)]
    files = [tmp_path / f"many-{number:03}.png" for number in range(200)]
    for number, file in enumerate(files):
        file.write_bytes(few[number % len(few)])
    desk.page.evaluate(START_TICKS)
    desk.choose(*files, type_name="digits")
    desk.read()
    expect(desk.page.locator("#progress-text")).to_contain_text("of 200")
    desk.page.get_by_role("button", name="Needs a look").click()
    desk.page.get_by_role("button", name="All").click()
    desk.wait_for_rows()
    expect(desk.page.locator(".rows tbody tr")).to_have_count(200)
    assert len(results(desk)) == 200
    assert desk.page.evaluate("window.longestGap") < 1000
