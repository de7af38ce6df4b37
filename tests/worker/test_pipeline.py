"""From bytes to readings, with the network that ships."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ArtifactMissing, InputError, InvalidRequest
from core.settings import Settings
from core.types import Box, Page, PageReading, ReviewReason
from model.corpora import orand_strings
from tests import factories
from tests.factories import Background
from tests.segmentation.drawn import field
from worker.pipeline import Reader, ReadRequest

DIGITS = ReadRequest(type_name="digits")


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load(Settings())


def as_png(pixels: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def read_png(reader: Reader, pixels: NDArray[np.uint8], request: ReadRequest) -> PageReading:
    reading = reader.read(as_png(pixels), request=request)
    assert len(reading.pages) == 1
    return reading.pages[0]


@pytest.mark.parametrize("background", list(Background))
def test_drawn_fields_are_read(reader: Reader, background: Background) -> None:
    texts = ["42020", "1174", "350864", "90217", "68350", "7531"]
    drawn = [factories.field(text, seed=seed, background=background) for seed, text in enumerate(texts)]
    read = [read_png(reader, each.image, DIGITS).fields[0].text for each in drawn]
    assert sum(got == text for got, text in zip(read, texts, strict=True)) >= 4, read


def test_a_field_tells_all_about_its_digits(reader: Reader) -> None:
    drawn = factories.field("42020", seed=0)
    page = read_png(reader, drawn.image, DIGITS)
    reading = page.fields[0]
    height, width = drawn.image.shape[:2]
    assert (page.width, page.height) == (width, height)
    assert reading.box == Box(0, 0, width, height)
    assert (reading.name, reading.type) == ("digits", "digits")
    assert reading.value == reading.text == "".join(digit.char for digit in reading.digits)
    assert all(_overlap(digit.box, box) > 0.6 for digit, box in zip(reading.digits, drawn.boxes, strict=True))


@pytest.mark.parametrize("char", ["0", "1", "2", "4", "7"])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_single_digit_is_read_on_either_ground(reader: Reader, char: str, inverted: bool) -> None:
    grey = field(char, digit_height=20)[6:34, 12:40]
    page = read_png(reader, 255 - grey if inverted else grey, ReadRequest(type_name="digit"))
    assert page.fields[0].text == char


def test_a_typed_field_without_writing_says_so(reader: Reader) -> None:
    reading = read_png(reader, np.full((80, 200), 230, np.uint8), DIGITS).fields[0]
    assert reading.text == ""
    assert reading.review_reasons == (ReviewReason.EMPTY,)
    assert not reading.accepted


def test_a_page_without_writing_has_no_fields(reader: Reader) -> None:
    page = read_png(reader, np.full((600, 500), 250, np.uint8), ReadRequest())
    assert page.fields == ()
    assert page.failure is None


def test_numbers_on_a_page_are_found_and_read(reader: Reader) -> None:
    drawn = factories.ledger_page(("1203", "99481", "640"), seed=3)
    page = read_png(reader, drawn.image, ReadRequest())
    assert [reading.name for reading in page.fields] == [f"number_{i + 1}" for i in range(len(page.fields))]
    texts = {reading.text for reading in page.fields}
    assert len({"1203", "99481", "640"} & texts) >= 2, texts


def test_scribbles_are_never_accepted(reader: Reader) -> None:
    rng = np.random.default_rng(7)
    for _ in range(5):
        grey = np.full((90, 260), 225, np.uint8)
        points = rng.integers((5, 5), (255, 85), (25, 2)).astype(np.int32)
        cv2.polylines(grey, [points], False, 40, 3)
        reading = read_png(reader, grey, DIGITS).fields[0]
        assert not reading.accepted
        assert reading.review_reasons


def test_one_bad_page_does_not_spoil_the_others(reader: Reader) -> None:
    whole = factories.tiff_bytes(["42", "17"])
    reading = reader.read(whole, request=DIGITS)
    assert [page.index for page in reading.pages] == [0, 1]
    result = reader.read_page(whole, 5, request=DIGITS)
    assert result.preview is None
    assert result.reading.failure is not None
    assert result.reading.failure.code == "unreadable_image"
    assert result.reading.fields == ()


def test_a_file_that_is_no_image_is_refused(reader: Reader) -> None:
    with pytest.raises(InputError):
        reader.read(b"no image at all", request=DIGITS)


def test_an_unknown_type_is_refused(reader: Reader) -> None:
    with pytest.raises(InvalidRequest):
        reader.read(as_png(field("42")), request=ReadRequest(type_name="roman"))


def test_a_page_comes_with_its_picture(reader: Reader) -> None:
    result = reader.read_page(as_png(field("42")), 0, request=DIGITS)
    assert result.preview is not None
    assert result.preview[8:12] == b"WEBP"


def test_reading_twice_gives_the_same_and_names_the_network(reader: Reader) -> None:
    data = as_png(factories.field("90217", seed=2).image)
    first, second = reader.read(data, request=DIGITS), reader.read(data, request=DIGITS)
    assert first == second
    assert first.reader == reader.info
    assert {step.name for step in first.steps} >= {"locate", "normalise", "recognise", "judge"}


def test_skewed_pages_give_boxes_on_the_page_as_it_came(reader: Reader) -> None:
    drawn = factories.ledger_page(("1203", "99481", "640"), seed=3)
    height, width = drawn.image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 4.0, 1.0)
    turned = cv2.warpAffine(drawn.image, turn, (width, height), borderValue=(240.0, 240.0, 240.0))
    page = read_png(reader, np.asarray(turned, np.uint8), ReadRequest())
    assert page.skew_degrees == pytest.approx(4.0, abs=1.0)
    for number in drawn.fields:
        middle = turn @ (number.box.x + number.box.width / 2, number.box.y + number.box.height / 2, 1.0)
        assert any(_contains(reading.box, *middle) for reading in page.fields)
    for reading in page.fields:
        assert all(_contains(reading.box, digit.box.x, digit.box.y) for digit in reading.digits)


def test_the_stages_are_timed() -> None:
    reader = Reader.load(Settings())
    reader.read(as_png(field("1042")), request=DIGITS)
    seconds = reader.timings.as_dict()
    assert list(seconds) == ["decode", "segment", "network", "decode_field", "inspect"]
    assert all(each > 0 for each in seconds.values())


def test_a_number_on_a_large_sheet_is_read_as_one_field(reader: Reader) -> None:
    number = np.where(cv2.cvtColor(factories.field("70315", seed=1).image, cv2.COLOR_BGR2GRAY) < 128, 0, 255)
    sheet = np.full((3000, 3000), 255, np.uint8)
    sheet[1200 : 1200 + number.shape[0], 800 : 800 + number.shape[1]] = number
    field = reader.read(as_png(sheet), request=DIGITS).pages[0].fields[0]
    assert field.text == "70315"
    assert all(800 <= digit.box.x <= 800 + number.shape[1] for digit in field.digits)


def test_a_missing_network_is_named() -> None:
    with pytest.raises(ArtifactMissing):
        Reader.load(Settings(model="nowhere"))


def test_reading_loads_no_tensorflow() -> None:
    program = (
        "import sys, numpy as np, cv2\n"
        "from core.settings import Settings\n"
        "from worker.pipeline import Reader, ReadRequest\n"
        "data = cv2.imencode('.png', np.full((40, 90), 200, np.uint8))[1].tobytes()\n"
        "Reader.load(Settings()).read(data, request=ReadRequest('digits'))\n"
        "print(sorted(m for m in ('tensorflow', 'keras', 'celery', 'sklearn') if m in sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "[]"


def test_real_cheque_amounts_that_nothing_learnt_from_are_read(reader: Reader, shared_data: Path) -> None:
    strings = orand_strings(shared_data, training=False)
    fields = [reader.read(each.path.read_bytes(), request=DIGITS).pages[0].fields[0] for each in strings]
    right = [field.text == each.text for field, each in zip(fields, strings, strict=True)]
    assert sum(right) / len(right) >= 0.88
    # Confidence must tell right from wrong: of the surer half hardly any is wrong.
    order = sorted(range(len(fields)), key=lambda place: -fields[place].confidence)
    sure = order[: len(order) // 2]
    assert sum(right[place] for place in sure) / len(sure) >= 0.97
    assert 0.4 <= sum(field.accepted for field in fields) / len(fields) < 1.0


def test_no_real_page_breaks_the_reader(reader: Reader, shared_data: Path) -> None:
    files = sorted((shared_data / "forms" / "images").iterdir())
    files = files[:4] + sorted((shared_data / "idrbt_cheques" / "images").iterdir())[:2]
    for file in files:
        page = reader.read(file.read_bytes(), request=ReadRequest()).pages[0]
        assert page.failure is None
        for reading in page.fields:
            assert 0 <= reading.box.x < reading.box.right <= page.width
            assert 0 <= reading.box.y < reading.box.bottom <= page.height


def _contains(box: Box, x: float, y: float) -> bool:
    return box.x <= x <= box.right and box.y <= y <= box.bottom


def _overlap(one: Box, other: Box) -> float:
    width = min(one.right, other.right) - max(one.x, other.x)
    height = min(one.bottom, other.bottom) - max(one.y, other.y)
    common = max(0, width) * max(0, height)
    return common / (one.width * one.height + other.width * other.height - common)


def test_pixels_that_are_decoded_already_are_read(reader: Reader) -> None:
    page = Page(index=4, pixels=field("42"))
    reading = reader.read_pixels(page, request=DIGITS)
    assert reading.index == 4
    assert len(reading.fields) == 1
