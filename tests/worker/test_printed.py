"""Fields in ordinary type go in, readings come out: drawn ones of any kind, and real account numbers where they are."""

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ArtifactMismatch
from core.settings import Settings
from core.types import Box, FieldCrop, FieldReading, Page, ReviewReason
from forms.builtins import builtin_template
from forms.field_specs import DateSpec, DigitsSpec
from forms.field_types import FieldType
from forms.templates import parse_template
from model.artifacts import SHIPPED
from model.line_artifacts import load_line_manifest
from model.printed.fonts import Font, fonts_here
from model.printed.lettering import Setting, hollow, in_dots, set_line
from model.printed.scenes import lay_ink
from segmentation.decoding import DecodeLimits
from segmentation.printed import PRINT_VERSION
from worker.form_reading import open_form
from worker.pipeline import Reader, ReadRequest
from worker.printed import PrintReader

ACCOUNT = DigitsSpec(min_length=9, max_length=18).field_type()
NUMBER = "30002010108841"
SHAPE = (170, 1100)

Grey = NDArray[np.uint8]


@pytest.fixture(scope="module")
def reader() -> PrintReader:
    return PrintReader.load()


@pytest.fixture(scope="module")
def font() -> Font:
    found = {each.name: each for each in fonts_here()}
    if "LiberationSans-Regular.ttf" not in found:
        pytest.skip("Liberation Sans is not installed: apt-get install fonts-liberation")
    return found["LiberationSans-Regular.ttf"]


def paper(level: float = 238.0) -> NDArray[np.float32]:
    return np.full(SHAPE, level, np.float32)


def put(page: NDArray[np.float32], text: str, setting: Setting, *, at: tuple[float, float], ink: float = 0.85) -> None:
    lay_ink(page, set_line(text, setting, np.random.default_rng(1)), at=at, strength=ink)


def grey(page: NDArray[np.float32]) -> Grey:
    noisy = cv2.GaussianBlur(page, (0, 0), 0.7) + np.random.default_rng(2).normal(0, 3, page.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def read(reader: PrintReader, pixels: Grey, kind: FieldType = ACCOUNT, *, x: int = 0, y: int = 0) -> FieldReading:
    crop = FieldCrop("account_number", kind.name, Box(x, y, pixels.shape[1], pixels.shape[0]), pixels)
    threshold = reader.calibration.threshold(0.05)
    return reader.read(crop, kind, accept_confidence=threshold)


@pytest.mark.parametrize("height", [14.0, 22.0, 40.0, 56.0])
@pytest.mark.parametrize("text", ["630801551452", "911010049001545", "6308 0155 1452", "6308-0155-1452"])
def test_a_number_is_read_at_any_size_and_in_groups(reader: PrintReader, font: Font, height: float, text: str) -> None:
    page = paper()
    put(page, text, Setting(font, height), at=(240, 60))
    reading = read(reader, grey(page))
    assert reading.text == "".join(char for char in text if char.isdigit())
    assert reading.accepted, reading.review_reasons
    assert reading.value == reading.text


@pytest.mark.parametrize("name", [font.name for font in fonts_here()])
def test_every_font_is_read(reader: PrintReader, name: str) -> None:
    page = paper()
    put(page, "2854101006937", Setting(next(each for each in fonts_here() if each.name == name), 34.0), at=(200, 60))
    assert read(reader, grey(page)).text == "2854101006937"


def test_a_label_a_frame_and_words_around_it_are_passed_by(reader: PrintReader, font: Font) -> None:
    page = paper()
    put(page, "A/c. No.", Setting(font, 34.0), at=(50, 58))
    put(page, NUMBER, Setting(font, 40.0, tracking=0.5, dance=0.08), at=(320, 55))
    put(page, "SAPPM     426160", Setting(font, 26.0), at=(320, 125))
    cv2.rectangle(page, (35, 42), (780, 105), 60, 2)
    cv2.line(page, (240, 42), (240, 105), 60, 2)
    reading = read(reader, grey(page))
    assert reading.text == NUMBER
    assert reading.accepted, reading.review_reasons


def test_digits_have_boxes_on_the_page(reader: PrintReader, font: Font) -> None:
    page = paper()
    put(page, NUMBER, Setting(font, 40.0, tracking=0.4), at=(320, 55))
    reading = read(reader, grey(page), x=1000, y=500)
    middles = [digit.box.x + digit.box.width / 2 for digit in reading.digits]
    assert len(middles) == len(NUMBER)
    assert np.diff(middles) == pytest.approx(np.full(len(NUMBER) - 1, 40 * (0.4 + 0.78)), abs=16)
    for digit in reading.digits:
        assert digit.box.y == pytest.approx(555, abs=6)
        assert digit.box.height == pytest.approx(40, abs=8)
    assert middles[0] == pytest.approx(1320 + 14, abs=9)


def test_figures_in_dots_and_stamped_ones_are_read(reader: PrintReader, font: Font) -> None:
    inked = set_line(NUMBER, Setting(font, 40.0, tracking=0.35, dance=0.06), np.random.default_rng(4))
    for coverage in (in_dots(inked.coverage, pitch=40 / 9, size=0.95), hollow(inked.coverage, height=40.0, left=0.5)):
        page = paper()
        page[10 : 10 + coverage.shape[0], 100 : 100 + coverage.shape[1]] *= 1 - 0.8 * coverage[: SHAPE[0] - 10]
        assert read(reader, grey(page)).text == NUMBER


def test_an_empty_field_is_empty(reader: PrintReader) -> None:
    reading = read(reader, grey(paper()))
    assert (reading.text, reading.value, reading.accepted, reading.digits) == ("", None, False, ())
    assert reading.review_reasons == (ReviewReason.EMPTY,)


def test_words_are_no_number(reader: PrintReader, font: Font) -> None:
    page = paper()
    put(page, "PERSONAL BANKING", Setting(font, 36.0), at=(200, 60))
    reading = read(reader, grey(page))
    assert reading.text == ""
    assert reading.review_reasons == (ReviewReason.EMPTY, ReviewReason.NOT_DIGITS)


def test_print_too_short_for_the_field_does_not_leave_it_empty(reader: PrintReader, font: Font) -> None:
    page = paper()
    put(page, "47", Setting(font, 36.0), at=(200, 60))
    assert read(reader, grey(page)).review_reasons == (ReviewReason.EMPTY, ReviewReason.NOT_DIGITS)


def test_a_number_that_the_field_may_not_hold_is_shown_and_not_accepted(reader: PrintReader, font: Font) -> None:
    page = paper()
    put(page, "426160", Setting(font, 36.0), at=(200, 60))
    reading = read(reader, grey(page))
    assert (reading.text, reading.value, reading.accepted) == ("426160", None, False)
    assert ReviewReason.INVALID_FORMAT in reading.review_reasons


def test_several_numbers_go_to_a_person(reader: PrintReader, font: Font) -> None:
    page = paper()
    put(page, NUMBER, Setting(font, 36.0), at=(60, 30))
    put(page, "911010049", Setting(font, 36.0), at=(60, 110))
    reading = read(reader, grey(page))
    assert reading.text == NUMBER
    assert ReviewReason.SEVERAL_NUMBERS in reading.review_reasons
    assert not reading.accepted


def test_a_letter_in_a_number_goes_to_a_person(reader: PrintReader, font: Font) -> None:
    page = paper()
    put(page, "91101K0049001545", Setting(font, 36.0), at=(200, 60))
    reading = read(reader, grey(page))
    assert not reading.accepted
    assert ReviewReason.NOT_A_DIGIT in reading.review_reasons


def test_a_number_that_may_go_on_outside_the_field_goes_to_a_person(reader: PrintReader, font: Font) -> None:
    page = paper()
    put(page, "63080155145263080155", Setting(font, 36.0), at=(700, 60))
    reading = read(reader, grey(page))
    assert not reading.accepted


def test_a_wrong_check_digit_is_a_conflict(reader: PrintReader, font: Font) -> None:
    kind = parse_template(
        {
            "name": "card",
            "page": {"width": 10, "height": 10},
            "fields": [
                {
                    "name": "card",
                    "type": {"name": "luhn", "length": 16},
                    "box": {"x": 0, "y": 0, "width": 10, "height": 10},
                    "writing": "printed",
                }
            ],
        }
    ).fields[0].field_type()  # fmt: skip
    for text, accepted in (("4539578763621486", True), ("4539578763621487", False)):
        page = paper()
        put(page, text, Setting(font, 36.0), at=(200, 60))
        reading = read(reader, grey(page), kind)
        assert reading.accepted is accepted
        if not accepted:
            assert {ReviewReason.RULE_CONFLICT, ReviewReason.INVALID_FORMAT} & set(reading.review_reasons)


def test_a_printed_date_is_read_without_its_separators(reader: PrintReader, font: Font) -> None:
    page = paper()
    put(page, "Date: 27/02/2016", Setting(font, 36.0), at=(200, 60))
    reading = read(reader, grey(page), DateSpec(order="dmy", year_digits=4).field_type())
    assert (reading.text, reading.value) == ("27022016", "2016-02-27")


def test_a_field_in_print_is_read_as_part_of_its_form(font: Font) -> None:
    template = builtin_template("cheque-cts2010")
    form = open_form(template, reference=None, limits=DecodeLimits.from_settings(Settings()))
    page = np.full((1087, 2386), 238, np.float32)
    put(page, "A/c No.", Setting(font, 32.0), at=(130, 550))
    put(page, NUMBER, Setting(font, 38.0), at=(420, 550))
    request = ReadRequest(form=form, target_error=0.05)
    reader = Reader.load(Settings())
    fields = reader.read_pixels(Page(0, grey(page)), request=request).fields
    assert [field.name for field in fields][:3] == ["date", "amount", "account_number"]
    assert (fields[2].text, fields[2].accepted) == (NUMBER, True)
    models = {
        step.settings["model"]: step.settings for step in reader.steps(request, form=form) if step.name == "recognise"
    }
    assert list(models) == ["digits", "printed", "micr"]
    assert models["printed"]["version"] == load_line_manifest("printed").version
    assert models["micr"]["sha256"] != models["printed"]["sha256"]


def test_the_network_is_loaded_for_fields_in_print_alone() -> None:
    reader = Reader.load(Settings())
    reader.read_pixels(Page(0, grey(paper())), request=ReadRequest("digits"))
    assert "_print" not in vars(reader)
    assert [step.name for step in reader.steps(ReadRequest("digits"), form=None)].count("recognise") == 1


def test_an_altered_network_is_refused(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "printed", tmp_path / "printed")
    network = tmp_path / "printed" / "line-1.tflite"
    network.write_bytes(network.read_bytes() + b"\0")
    with pytest.raises(ArtifactMismatch, match=r"line-1\.tflite"):
        PrintReader.load(root=tmp_path)


def test_the_manifest_says_what_the_network_is() -> None:
    manifest = load_line_manifest("printed")
    assert manifest.line_version == PRINT_VERSION
    assert manifest.parameters <= 250_000
    (network,) = manifest.networks
    assert network.command.startswith("tallyscan train --arch line --recipe printed --seed ")
    assert network.metrics["agreement"] >= 0.99
    assert len(manifest.data) >= 40
    assert all("free fonts" in source.terms for source in manifest.data)


def test_real_account_numbers_are_read(reader: PrintReader, shared_data: Path) -> None:
    home = shared_data / "idrbt_cheques"
    form = open_form(builtin_template("cheque-cts2010"), reference=None, limits=DecodeLimits.from_settings(Settings()))
    with (home / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["file"])
    right = 0
    for row in rows:
        pixels = np.asarray(cv2.imread(str(home / "images" / row["file"])), np.uint8)
        (cut,) = [
            each for each in form.cut_fields(form.lay(Page(0, pixels)).page) if each.field.name == "account_number"
        ]
        reading = reader.read(cut.crop, cut.kind, accept_confidence=reader.calibration.threshold(0.01))
        right += reading.text == row["account_no_printed"]
        assert reading.text == row["account_no_printed"] or not reading.accepted, row["file"]
    assert right >= 0.97 * len(rows)
