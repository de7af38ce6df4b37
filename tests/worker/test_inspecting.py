"""Through the whole reader: a number that was struck out is void, and empty boxes with letters in them hold none."""

import cv2
import numpy as np
import pytest

from benchmarks.nonfields import empty_boxes
from core.settings import Settings
from core.types import FieldReading, ReviewReason
from tests import factories
from worker.pipeline import Reader, ReadRequest


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load(Settings())


def read(reader: Reader, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> FieldReading:
    data = cv2.imencode(".png", pixels)[1].tobytes()
    return reader.read(data, request=ReadRequest("digits")).pages[0].fields[0]


def test_numbers_that_were_struck_out_are_not_accepted_and_most_are_void(reader: Reader) -> None:
    void = 0
    for seed, text in enumerate(("4212", "70358", "8846", "95", "301472", "660")):
        pixels = factories.field(text, seed=seed).image.copy()
        height, width = pixels.shape[:2]
        cv2.line(pixels, (4, height // 2 + seed), (width - 4, height // 2 - seed), (60, 50, 50), 4, cv2.LINE_AA)
        reading = read(reader, pixels)
        assert not reading.accepted
        void += ReviewReason.VOID in reading.review_reasons
    assert void >= 3


def test_numbers_as_they_are_written_are_not_void(reader: Reader) -> None:
    for seed, text in enumerate(("4212", "70358", "8846", "95", "301472", "660")):
        assert ReviewReason.VOID not in read(reader, factories.field(text, seed=seed).image).review_reasons


def test_letters_printed_in_empty_boxes_are_no_number(reader: Reader) -> None:
    found = [read(reader, empty_boxes(np.random.default_rng((31, number)))) for number in range(60)]
    assert not any(reading.accepted and reading.text for reading in found)
    assert any(ReviewReason.COMB_MISFIT in reading.review_reasons for reading in found)


def test_a_digit_that_the_pictures_edge_leaves_half_is_seen_to_be_cut_off(reader: Reader) -> None:
    said = 0
    for seed, text in enumerate(("4212", "70358", "8846", "9503", "301472", "6608")):
        pixels = factories.field(text, seed=seed).image
        whole = read(reader, pixels)
        assert ReviewReason.CUT_OFF not in whole.review_reasons
        last = whole.digits[-1].box
        cut = read(reader, np.ascontiguousarray(pixels[:, : last.x + round(0.45 * last.width)]))
        said += ReviewReason.CUT_OFF in cut.review_reasons
    assert said >= 3


def test_a_ring_and_a_hole_are_seen_through_the_whole_reader(reader: Reader) -> None:
    drawn = factories.field("4212", seed=3).image
    grey = drawn if drawn.ndim == 2 else cv2.cvtColor(drawn, cv2.COLOR_BGR2GRAY)
    paper = int(np.median(grey))
    pixels = np.full((grey.shape[0] + 120, grey.shape[1] + 120), paper, np.uint8)
    pixels[60:-60, 60:-60] = grey
    plain = read(reader, pixels)
    assert plain.accepted
    boxes = [digit.box for digit in plain.digits]
    left, right = boxes[0].x, boxes[-1].right
    top, foot = min(box.y for box in boxes), max(box.bottom for box in boxes)
    ring, hole = pixels.copy(), pixels.copy()
    middle = (left + right) // 2, (top + foot) // 2
    cv2.ellipse(ring, middle, ((right - left) // 2 + 40, (foot - top) // 2 + 30), 0, 0, 360, 40, 4, cv2.LINE_AA)
    cv2.circle(hole, (boxes[1].x + boxes[1].width // 2, top + 10), (foot - top) * 2 // 5, 20, -1, cv2.LINE_AA)
    assert ReviewReason.NOT_A_DIGIT in read(reader, ring).review_reasons
    assert ReviewReason.OVERWRITTEN in read(reader, hole).review_reasons
