"""Writing that stands outside its field, in part or as a whole: no field passes for empty, or for another number."""

import hashlib
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.settings import Settings
from core.types import Box, FieldCrop, FieldReading, Page, ReviewReason
from forms.decoder import Decoded
from forms.field_specs import DigitsSpec
from forms.field_types import FieldType
from forms.templates import parse_template
from segmentation.decoding import DecodeLimits
from tests import factories
from worker.form_reading import open_form
from worker.inspecting import inspect_ink
from worker.pipeline import Reader, ReadRequest
from worker.preparing import prepare_field

Grey = NDArray[np.uint8]
SIZE = (900, 450)
LEFT, RIGHT = Box(200, 160, 240, 100), Box(440, 160, 240, 100)
"""Two cells side by side, with a printed line around each."""

HEIGHT = 56
"""Pixels of the writing."""


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load(Settings())


def blank(cells: Sequence[Box], *, parts: int = 1) -> Grey:
    """Return an empty page with the cells' lines, each cell in so many parts."""
    page = np.full((SIZE[1], SIZE[0]), 245, np.uint8)
    cv2.putText(page, "Daily record", (60, 70), cv2.FONT_HERSHEY_COMPLEX, 1.2, 60, 2, cv2.LINE_AA)
    cv2.putText(page, "Keep for ten years", (420, 400), cv2.FONT_HERSHEY_COMPLEX, 0.9, 60, 1, cv2.LINE_AA)
    for cell in cells:
        for part in range(parts):
            left, right = (cell.x + cell.width * end // parts for end in (part, part + 1))
            cv2.rectangle(page, (left, cell.y), (right, cell.bottom), 80, 2)
    return page


def number(text: str, *, seed: int = 3) -> Grey:
    """Return the number as it is written, without paper around it."""
    drawn = factories.field(text, seed=seed, background=None).image
    grey = drawn if drawn.ndim == 2 else np.asarray(cv2.cvtColor(drawn, cv2.COLOR_BGR2GRAY), np.uint8)
    rows, columns = np.nonzero(grey < 160)
    tight = grey[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    width = round(tight.shape[1] * HEIGHT / tight.shape[0])
    return np.asarray(cv2.resize(tight, (width, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def write(page: Grey, text: str, *, x: int, y: int) -> Grey:
    """Write the number with its upper left corner at (x, y)."""
    ink = number(text)
    height, width = ink.shape
    part = page[y : y + height, x : x + width]
    np.minimum(part, ink, out=part)
    return page


def read(
    reader: Reader, page: Grey, empty: Grey, cells: Sequence[Box], *, known: bool = True, parts: int | None = None
) -> dict[str, FieldReading]:
    """Return the readings of the cells, none of which is required."""
    reference = cv2.imencode(".png", empty)[1].tobytes()
    kind: dict[str, Any] = {} if parts is None else {"cells": parts}
    fields = [
        {
            "name": f"cell_{place}",
            "type": "digits",
            "required": False,
            "box": {"x": cell.x, "y": cell.y, "width": cell.width, "height": cell.height},
        }
        | kind
        for place, cell in enumerate(cells)
    ]
    registration = {
        "method": "features",
        "reference": hashlib.sha256(reference).hexdigest(),
        "filled": not known,
    }
    body = {"name": "cells", "page": {"width": SIZE[0], "height": SIZE[1]}, "fields": fields}
    template = parse_template({**body, "registration": registration})
    form = open_form(template, reference=reference, limits=DecodeLimits.from_settings(Settings()))
    found = reader.read_pixels(Page(0, page), request=ReadRequest(form=form)).fields
    return {reading.name: reading for reading in found}


def inside(cell: Box, margin: int = 4) -> Box:
    return Box(cell.x + margin, cell.y + margin, cell.width - 2 * margin, cell.height - 2 * margin)


@pytest.mark.parametrize("known", [True, False])
def test_cells_without_writing_are_accepted_as_empty_and_a_number_inside_as_it_is(
    reader: Reader, *, known: bool
) -> None:
    empty, cells = blank([LEFT, RIGHT]), [inside(LEFT), inside(RIGHT)]
    assert all(each.accepted and not each.text for each in read(reader, empty, empty, cells, known=known).values())
    page = write(write(empty.copy(), "427", x=280, y=185), "38", x=500, y=185)
    found = read(reader, page, empty, cells, known=known)
    assert [(each.text, each.accepted) for each in found.values()] == [("427", True), ("38", True)]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("x", [330, 350, 370, 390])
def test_a_number_written_over_two_cells_is_not_accepted_as_two(reader: Reader, x: int, *, known: bool) -> None:
    empty, cells = blank([LEFT, RIGHT]), [inside(LEFT), inside(RIGHT)]
    found = read(reader, write(empty.copy(), "4270", x=x, y=185), empty, cells, known=known)
    assert all(ReviewReason.CUT_OFF in each.review_reasons for each in found.values())


@pytest.mark.parametrize("x", [150, 170, 180, 350, 370])
def test_a_digit_across_or_behind_the_printed_side_of_a_frame_is_missed(reader: Reader, x: int) -> None:
    empty, around = blank([LEFT]), Box(190, 150, 260, 120)
    found = read(reader, write(empty.copy(), "427", x=x, y=185), empty, [around], known=False)["cell_0"]
    assert ReviewReason.CUT_OFF in found.review_reasons
    whole = read(reader, write(empty.copy(), "427", x=260, y=185), empty, [around], known=False)["cell_0"]
    assert (whole.text, whole.accepted) == ("427", True)


@pytest.mark.parametrize("y", [112, 115, 124])
def test_a_comb_passes_for_empty_only_without_writing(reader: Reader, y: int) -> None:
    row = Box(200, 160, 400, 80)
    empty = blank([row], parts=5)
    assert read(reader, empty, empty, [row], known=False, parts=5)["cell_0"].accepted
    page = empty.copy()
    for place, char in enumerate("42791"):
        write(page, char, x=row.x + 30 + 80 * place, y=y)
    found = read(reader, page, empty, [row], known=False, parts=5)["cell_0"]
    assert found.text == ""
    assert ReviewReason.NOT_DIGITS in found.review_reasons


@pytest.mark.parametrize("kind", [DigitsSpec().field_type(), DigitsSpec().field_type(cells=5)])
def test_of_a_field_in_which_nothing_was_read_the_ink_tells_whether_something_is_written(kind: FieldType) -> None:
    row = Box(200, 160, 400, 80)
    cells = blank([row], parts=5) if kind.comb_cells else blank([])
    around = Box(190, 150, 420, 100)

    def unread(page: Grey) -> bool:
        crop = FieldCrop("field", kind.name, around, np.ascontiguousarray(page[around.slices]))
        return inspect_ink(prepare_field(crop, with_line=True, kind=kind), Decoded("")).unread

    assert not unread(cells)
    dash = cells.copy()
    cv2.line(dash, (300, 200), (330, 197), 50, 4)
    assert not unread(dash)
    assert unread(write(cells.copy(), "7", x=225, y=170))


@pytest.mark.parametrize(
    ("x", "y"), [(260, 275), (300, 90), (465, 185), (110, 190)], ids=["below", "above", "right", "left"]
)
@pytest.mark.parametrize("parts", [None, 4], ids=["plain", "comb"])
def test_a_number_right_beside_an_empty_field_is_not_lost(reader: Reader, x: int, y: int, parts: int | None) -> None:
    empty, cells = blank([LEFT], parts=parts or 1), [inside(LEFT)]
    assert read(reader, empty, empty, cells, parts=parts)["cell_0"].accepted
    found = read(reader, write(empty.copy(), "27", x=x, y=y), empty, cells, parts=parts)["cell_0"]
    assert found.text == ""
    assert ReviewReason.CUT_OFF in found.review_reasons


def test_writing_far_from_an_empty_field_or_held_by_another_one_is_not_its_own(reader: Reader) -> None:
    empty, cells = blank([LEFT, RIGHT]), [inside(LEFT), inside(RIGHT)]
    page = write(write(empty.copy(), "38", x=500, y=185), "27", x=240, y=345)
    found = read(reader, page, empty, cells)
    assert [(each.text, each.accepted) for each in found.values()] == [("", True), ("38", True)]


def test_what_leads_out_of_a_field_and_is_read_there_is_no_empty_neighbours(reader: Reader) -> None:
    left, right = Box(160, 160, 160, 100), Box(410, 160, 240, 100)
    empty, cells = blank([left, right]), [inside(left), inside(right)]
    found = read(reader, write(empty.copy(), "4270", x=372, y=185), empty, cells)
    assert [(each.text, each.accepted) for each in found.values()] == [("", True), ("4270", True)]


@pytest.mark.parametrize("y", [94, 250], ids=["above", "below"])
def test_a_digit_that_replaces_a_struck_out_one_beside_the_comb_is_not_lost(reader: Reader, y: int) -> None:
    row = Box(200, 160, 400, 80)
    empty, around = blank([row], parts=5), Box(190, 150, 420, 100)
    page = empty.copy()
    for cell, char in enumerate("42791"):
        write(page, char, x=row.x + 24 + 80 * cell, y=172)
    whole = read(reader, page, empty, [around], known=False, parts=5)["cell_0"]
    assert (whole.text, whole.accepted) == ("42791", True)
    cv2.line(page, (374, 220), (426, 178), 50, 4, cv2.LINE_AA)
    found = read(reader, write(page, "6", x=384, y=y), empty, [around], known=False, parts=5)["cell_0"]
    assert found.review_reasons == (ReviewReason.OVERWRITTEN,)


def test_what_the_empty_form_has_beside_a_comb_replaces_no_digit(reader: Reader) -> None:
    row, around = Box(200, 160, 400, 80), Box(190, 150, 420, 100)
    empty = blank([row], parts=5)
    cv2.putText(empty, "No", (205, 150), cv2.FONT_HERSHEY_COMPLEX, 1.6, 60, 2, cv2.LINE_AA)
    reasons = []
    for seed in range(12):
        page = empty.copy()
        for cell, char in enumerate("42791"):
            digit = number(char, seed=seed * 7 + cell)
            part = page[172 : 172 + digit.shape[0], row.x + 24 + 80 * cell :][:, : digit.shape[1]]
            np.minimum(part, digit, out=part)
        reasons += read(reader, page, empty, [around], parts=5)["cell_0"].review_reasons
    assert ReviewReason.OVERWRITTEN not in reasons
