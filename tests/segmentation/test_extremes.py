"""Pictures that nobody writes numbers on, through the whole reader: each ends as a reading, and soon."""

import time

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.settings import Settings
from core.types import Page
from segmentation.cuts import MAX_COMPONENTS, find_components, largest
from segmentation.fields import MAX_RUNS, find_numbers
from segmentation.lattice import build_lattice
from segmentation.prepare import shrink
from tests.segmentation.drawn import crop_of
from worker.pipeline import Reader, ReadRequest

REQUESTS = [ReadRequest(), ReadRequest(type_name="digits")]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load(Settings())


def strip(width: int, height: int) -> NDArray[np.uint8]:
    """Return a picture with a dark stroke every hundred pixels along its longer side."""
    longer = np.arange(max(width, height)) % 100 < 4
    across = longer[None] if width > height else longer[:, None]
    return np.where(np.broadcast_to(across, (height, width)), 30, 230).astype(np.uint8)


@pytest.mark.parametrize("request_", REQUESTS, ids=["numbers", "digits"])
@pytest.mark.parametrize("size", [(20_000, 10), (20_000, 1), (1, 20_000), (10, 20_000)])
def test_a_page_far_longer_than_wide_is_read(reader: Reader, size: tuple[int, int], request_: ReadRequest) -> None:
    data = cv2.imencode(".png", strip(*size))[1].tobytes()

    result = reader.read_page(data, 0, request=request_)

    assert result.reading.failure is None
    assert (result.reading.width, result.reading.height) == size
    assert result.preview


def test_no_side_is_shrunk_to_nothing() -> None:
    assert shrink(np.zeros((3, 9000), np.uint8), 0.1).shape == (1, 900)
    assert shrink(np.zeros((9000, 3), np.float32), 0.1).shape == (900, 1)
    assert shrink(np.zeros((300, 200), np.uint8), 0.1).shape == (30, 20)


def dots(side: int, *, size: int, apart: int) -> NDArray[np.uint8]:
    """Return a square picture of square dots, all of one size."""
    rows, columns = np.indices((side, side))
    return np.where((rows % apart < size) & (columns % apart < size), 30, 230).astype(np.uint8)


def zigzag(width: int, height: int) -> NDArray[np.uint8]:
    """Return one stroke that goes up and down from end to end."""
    xs = np.arange(0, width, 5)
    ys = np.where(np.arange(len(xs)) % 2, height - 6, 5)
    grey = np.full((height, width), 230, np.uint8)
    cv2.polylines(grey, [np.stack([xs, ys], axis=1).astype(np.int32)], False, 30, 2)
    return grey


@pytest.mark.parametrize(
    ("grey", "request_"),
    [
        pytest.param(dots(900, size=6, apart=12), ReadRequest(type_name="digits"), id="dots"),
        pytest.param(zigzag(20_000, 50), ReadRequest(type_name="digits"), id="zigzag"),
        pytest.param(dots(2000, size=10, apart=14), ReadRequest(), id="page of rows of dots"),
        pytest.param(dots(2000, size=10, apart=31), ReadRequest(), id="page of lone dots"),
    ],
)
def test_texture_is_soon_done_with_and_never_accepted(
    reader: Reader, grey: NDArray[np.uint8], request_: ReadRequest
) -> None:
    started = time.process_time()

    reading = reader.read_pixels(Page(0, grey), request=request_)

    assert time.process_time() - started < 6
    assert not any(field.accepted for field in reading.fields)


def test_of_equal_specks_no_more_are_kept_than_allowed() -> None:
    ink = dots(900, size=6, apart=12) < 128
    assert find_components(ink).pieces.count == MAX_COMPONENTS
    assert len(find_numbers(Page(0, dots(2000, size=10, apart=31)))) == MAX_RUNS


def test_a_dense_ledger_loses_no_digit() -> None:
    page = np.full((3400, 2400), 240, np.uint8)
    rows, columns = 85, 20
    for row in range(rows):
        for column in range(columns):
            cv2.putText(page, "1471", (20 + 118 * column, 36 + 39 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 40, 2)
    runs = find_numbers(Page(0, page))
    assert len(runs) == rows * columns
    assert np.ptp([run.box.width for run in runs]) <= 3, "all have their 1s"


def test_the_largest_are_kept_and_of_equals_the_first() -> None:
    areas = np.array([5, 9, 5, 7, 5, 9])
    keep = np.array([True, True, True, True, True, False])
    assert np.flatnonzero(largest(areas, keep, most=3)).tolist() == [0, 1, 3]
    assert largest(areas, keep, most=5) is keep


def test_a_stroke_cut_into_more_pieces_than_any_number_is_left_unread() -> None:
    lattice = build_lattice(crop_of(zigzag(20_000, 50)))
    assert (lattice.cuts, lattice.candidates) == (1, ())
