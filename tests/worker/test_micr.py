"""Cheques go in, MICR fields come out: drawn ones at any scale and wear, and real ones where they are at hand."""

import csv
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import ArtifactMismatch, InvalidRequest
from core.types import Box, FieldReading, Page, ReviewReason
from model.artifacts import SHIPPED, load_manifest, save_manifest
from segmentation.micr_strip import MICR_VERSION
from tests.factories import blank_page, form_page
from tests.model.micr.cheques import BUSINESS, CTS, US, WITH_AMOUNT, Wear, cheque, micr_line
from worker.micr import MicrReader

INDIAN = {"cheque_number": "083654", "routing": "500025033", "account": "290062", "transaction_code": "31"}
AMERICAN = {"routing": "322271779", "account": "4192580377", "cheque_number": "1005"}
CROSSED = frozenset({"routing", "account"})


@pytest.fixture(scope="module")
def reader() -> MicrReader:
    return MicrReader.load()


def texts(readings: tuple[FieldReading, ...]) -> dict[str, str]:
    return {reading.name.removeprefix("micr_"): reading.text for reading in readings}


@pytest.mark.parametrize("width", [1000, 1200, 1600, 2400, 4800])
@pytest.mark.parametrize("degrees", [-4.0, 0.0, 1.0, 4.0])
def test_a_cheque_is_read_at_any_scale_and_a_few_degrees_askew(reader: MicrReader, width: int, degrees: float) -> None:
    readings = reader.read(cheque(CTS.format(**INDIAN), width=width, wear=Wear(degrees=degrees, blur=0.7, noise=3)))
    assert texts(readings) == INDIAN
    assert all(reading.accepted for reading in readings), readings


@pytest.mark.parametrize(
    "wear",
    [
        Wear(blur=2.5),
        Wear(ink=0.4, noise=4),
        Wear(broken=True, degrees=0.5),
        Wear(fat=True, blur=1.0),
        Wear(security=True, quality=45),
        Wear(stamp=True, noise=5),
    ],
    ids=["blur", "low ink", "breaks", "fat print", "security print", "stamp"],
)
@pytest.mark.parametrize(
    ("layout", "truth"), [(CTS, INDIAN), (US, AMERICAN), (BUSINESS, AMERICAN)], ids=["indian", "american", "business"]
)
def test_a_worn_cheque_is_read(reader: MicrReader, layout: str, truth: dict[str, str], wear: Wear) -> None:
    assert texts(reader.read(cheque(layout.format(**truth), wear=wear))) == truth


@pytest.mark.parametrize("seed", range(8))
def test_a_signature_across_the_line_breaks_nothing_that_it_does_not_hide(reader: MicrReader, seed: int) -> None:
    readings = reader.read(cheque(CTS.format(**INDIAN), wear=Wear(signature=True), seed=seed))
    read = texts(readings)
    assert {name: read[name] for name in INDIAN if name not in CROSSED} == {
        name: text for name, text in INDIAN.items() if name not in CROSSED
    }
    wrong = [reading for reading in readings if reading.text != INDIAN[reading.name.removeprefix("micr_")]]
    assert not any(reading.accepted for reading in wrong)


def test_no_drawn_field_is_accepted_wrongly(reader: MicrReader) -> None:
    rng = np.random.default_rng(11)
    accepted = 0
    for seed in range(40):
        truth = {name: "".join(rng.choice(list("0123456789"), len(text))) for name, text in INDIAN.items()}
        wear = Wear(
            degrees=float(rng.normal(0, 1)), blur=float(rng.uniform(0, 2)), noise=float(rng.uniform(0, 8)),
            ink=float(rng.uniform(0.35, 0.95)), security=bool(rng.integers(2)), signature=bool(rng.integers(2)),
            broken=bool(rng.integers(2)),
        )  # fmt: skip
        page = cheque(CTS.format(**truth), width=int(rng.integers(1000, 2600)), wear=wear, seed=seed)
        for reading in reader.read(page):
            if reading.accepted:
                accepted += 1
                assert reading.text == truth[reading.name.removeprefix("micr_")], (seed, reading)
    assert accepted > 100


def test_an_amount_is_a_field_where_one_is_printed(reader: MicrReader) -> None:
    truth = {**AMERICAN, "amount": "0000042020"}
    assert texts(reader.read(cheque(WITH_AMOUNT.format(**truth)))) == truth


def test_an_account_that_is_not_printed_is_empty(reader: MicrReader) -> None:
    readings = reader.read(cheque("⑈120612⑈ 500015048⑆        31"))
    account = next(reading for reading in readings if reading.name == "micr_account")
    assert (account.text, account.accepted, account.review_reasons) == ("", False, (ReviewReason.EMPTY,))
    assert texts(readings)["transaction_code"] == "31"


@pytest.mark.parametrize("degrees", [0.0, 2.0])
def test_boxes_lie_where_the_digits_were_printed(reader: MicrReader, degrees: float) -> None:
    text = CTS.format(**INDIAN)
    page = cheque(text, width=1600, wear=Wear(degrees=degrees))
    line = micr_line(text, width=1600, degrees=degrees)
    for reading in reader.read(page):
        first = text.index(reading.text)
        for place, digit in enumerate(reading.digits, start=first + 1):
            along = (place - 0.14) * line.pitch
            edge = line.x + np.cos(np.radians(degrees)) * along
            foot = line.y + np.sin(np.radians(degrees)) * along
            assert digit.box.right == pytest.approx(edge, abs=0.2 * line.pitch)
            assert digit.box.bottom == pytest.approx(foot, abs=0.25 * line.height)
        assert all(inside(digit.box, reading.box) for digit in reading.digits)
        assert inside(reading.box, Box(0, 0, page.width, page.height))
        assert [digit.char for digit in reading.digits] == list(reading.text)


def inside(part: Box, whole: Box) -> bool:
    return whole.x <= part.x and whole.y <= part.y and part.right <= whole.right and part.bottom <= whole.bottom


@pytest.mark.parametrize(
    ("page", "reasons"),
    [
        (blank_page(width=1200, height=500), (ReviewReason.EMPTY,)),
        (Page(0, form_page(["42", "1999", "730"]).image), (ReviewReason.EMPTY, ReviewReason.NOT_DIGITS)),
    ],
    ids=["blank", "form"],
)
def test_a_page_without_a_line_says_so(reader: MicrReader, page: Page, reasons: tuple[ReviewReason, ...]) -> None:
    readings = reader.read(page)
    assert texts(readings) == dict.fromkeys(INDIAN, "")
    assert all((reading.accepted, reading.review_reasons) == (False, reasons) for reading in readings)


def test_where_a_line_should_be_and_paper_is_nothing_was_printed(reader: MicrReader) -> None:
    page = cheque(CTS.format(**INDIAN), wear=Wear(security=True, noise=5))
    above = Box(0, round(0.86 * page.height), page.width, page.height - round(0.86 * page.height))
    page.pixels[above.y :] = page.pixels[above.y - 2 * above.height : above.y - above.height]
    readings = reader.read(page, region=above)
    assert all(reading.review_reasons == (ReviewReason.EMPTY,) for reading in readings)


def test_what_the_callers_line_has_is_missing_where_there_is_no_line(reader: MicrReader) -> None:
    page, expected = blank_page(width=1200, height=500), WITH_AMOUNT.format(**AMERICAN, amount="0000012345")
    reasons = {reading.name: reading.review_reasons for reading in reader.read(page, expected=expected)}
    assert reasons["micr_amount"] == reasons["micr_routing"] == (ReviewReason.EMPTY, ReviewReason.CHECK_FAILED)
    assert reasons["micr_transaction_code"] == (ReviewReason.EMPTY,)


def test_a_wrong_check_digit_goes_to_review(reader: MicrReader) -> None:
    wrong = {**AMERICAN, "routing": "322271770"}
    readings = {reading.name: reading for reading in reader.read(cheque(US.format(**wrong)))}
    routing = readings["micr_routing"]
    assert (routing.text, routing.value, routing.accepted) == ("322271770", None, False)
    assert ReviewReason.CHECK_FAILED in routing.review_reasons
    assert readings["micr_account"].accepted


def test_a_callers_own_line_is_compared(reader: MicrReader) -> None:
    page = cheque(CTS.format(**INDIAN))
    same = reader.read(page, expected="C083654C 500025033A 290062C 31")
    assert all(reading.accepted for reading in same)
    other = {
        reading.name: reading for reading in reader.read(page, expected=CTS.format(**{**INDIAN, "account": "290063"}))
    }
    assert other["micr_account"].review_reasons == (ReviewReason.CHECK_FAILED,)
    assert not other["micr_account"].accepted
    assert other["micr_routing"].accepted


def test_what_the_callers_line_has_and_the_cheque_lacks_goes_to_review(reader: MicrReader) -> None:
    page = cheque(US.format(**AMERICAN))
    expected = WITH_AMOUNT.format(**AMERICAN, amount="0000012345")
    readings = {reading.name: reading for reading in reader.read(page, expected=expected)}
    amount = readings["micr_amount"]
    assert (amount.text, amount.accepted) == ("", False)
    assert ReviewReason.CHECK_FAILED in amount.review_reasons
    assert readings["micr_routing"].accepted


def test_a_stricter_target_accepts_no_more(reader: MicrReader) -> None:
    page = cheque(CTS.format(**INDIAN), width=1000, wear=Wear(blur=1.5, noise=10, ink=0.5))
    strict, lax = (reader.read(page, target_error=target) for target in (1e-6, 0.2))
    assert not any(reading.accepted for reading in strict)
    assert sum(reading.accepted for reading in lax) >= 3


def test_only_the_families_asked_for_compete(reader: MicrReader) -> None:
    page = cheque(US.format(**AMERICAN))
    assert texts(reader.read(page, families=("us",))) == AMERICAN
    assert not any(reading.accepted for reading in reader.read(page, families=("cts2010",)))
    with pytest.raises(InvalidRequest, match="martian"):
        reader.read(page, families=("martian",))


def test_a_region_of_a_larger_page_is_enough(reader: MicrReader) -> None:
    drawn = cheque(CTS.format(**INDIAN), width=1500)
    sheet = np.full((2400, 1900), 250, np.uint8)
    sheet[300 : 300 + drawn.height, 200:1700] = drawn.pixels
    region = Box(200, 300, 1500, drawn.height)
    whole = reader.read(Page(0, sheet))
    assert texts(whole) == INDIAN
    readings = reader.read(Page(0, sheet), region=region)
    assert texts(readings) == INDIAN
    assert all(inside(reading.box, region) for reading in readings)


def test_colour_and_bright_ink_on_dark_paper_are_read_too(reader: MicrReader) -> None:
    page = cheque(CTS.format(**INDIAN), width=1400)
    coloured = Page(0, np.asarray(cv2.cvtColor(page.pixels, cv2.COLOR_GRAY2BGR), np.uint8))
    assert texts(reader.read(coloured)) == INDIAN
    assert texts(reader.read(Page(0, 255 - page.pixels))) == INDIAN


def test_a_network_for_other_strips_is_refused(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "micr", tmp_path / "micr")
    manifest = load_manifest("micr")
    assert manifest.normalisation_version == MICR_VERSION
    save_manifest(replace(manifest, normalisation_version="micr-0"), tmp_path / "micr")
    with pytest.raises(ArtifactMismatch, match="micr-0"):
        MicrReader.load(root=tmp_path)


def test_what_ships_says_how_it_came_about() -> None:
    manifest = load_manifest("micr")
    assert manifest.parameters <= 100_000
    assert "--recipe micr" in manifest.command
    assert f"--seed {manifest.seed}" in manifest.command
    assert all("drawn" in source.name for source in manifest.data)
    assert manifest.metrics["held_out"]["agreement"] > 0.98


FIELDS = {
    "micr_cheque_number": "micr_cheque_no",
    "micr_routing": "micr_city_bank_branch",
    "micr_account": "micr_account",
    "micr_transaction_code": "micr_tc",
}


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_real_cheques_are_read(reader: MicrReader, shared_data: Path, scale: float) -> None:
    home = shared_data / "idrbt_cheques"
    with (home / "labels.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    wrong: list[FieldReading] = []
    for row in rows:
        pixels = cv2.imread(str(home / "images" / row["file"]))
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        readings = reader.read(Page(0, np.asarray(pixels, np.uint8)))
        wrong += [reading for reading in readings if reading.text != row[FIELDS[reading.name]]]
    assert len(wrong) <= 1, wrong
    assert not any(reading.accepted for reading in wrong)


def test_phone_photos_are_read(reader: MicrReader, shared_data: Path) -> None:
    truth = {"routing": "000000000", "account": "000000000", "cheque_number": "1025"}
    paths = sorted((shared_data / "us_checks" / "images").glob("*.jpg"))
    right = 0
    for path in paths:
        readings = reader.read(Page(0, np.asarray(cv2.imread(str(path)), np.uint8)))
        right += texts(readings) == truth
    assert right >= len(paths) - 1


def test_specimens_with_other_typefaces_are_not_accepted(reader: MicrReader, shared_data: Path) -> None:
    """Their digits are of ordinary type, or their signs are of no layout."""
    for name in ("blank_check.jpg", "blank_check_spanish.jpg"):
        pixels = cv2.imread(str(shared_data / "wikimedia_checks" / name))
        assert not any(reading.accepted for reading in reader.read(Page(0, np.asarray(pixels, np.uint8)))), name


def test_a_line_costs_no_more_than_decoding_some_cheques(reader: MicrReader) -> None:
    page = cheque(CTS.format(**INDIAN), width=2400)
    coded = cv2.imencode(".jpg", cv2.cvtColor(page.pixels, cv2.COLOR_GRAY2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    reader.read(page)
    reading = min(_cpu(lambda: reader.read(page)) for _ in range(5))
    decoding = min(_cpu(lambda: cv2.imdecode(coded, cv2.IMREAD_COLOR)) for _ in range(5))
    assert reading < 20 * decoding


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
