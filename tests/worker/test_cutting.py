"""Fields of a form whose print is known, and of one with coloured guides."""

import hashlib
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.forms import FIELDS as DRAWN
from benchmarks.forms import GREY, ORANGE, SIZE, draw_blank, drawn_pages
from core.settings import Settings
from core.types import Box, Page, ReviewReason
from forms.field_types import field_type
from forms.templates import Template, parse_template
from segmentation.decoding import DecodeLimits
from segmentation.prepare import ink_map
from worker.cutting import Sheet
from worker.form_reading import open_form
from worker.pipeline import Reader, ReadRequest

LIMITS = DecodeLimits.from_settings(Settings())


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load(Settings())


def template(reference: bytes, *, filled: bool = False, guides: str | None = None) -> Template:
    fields = [
        {"name": name, "type": "digits", "box": dict(zip(("x", "y", "width", "height"), box, strict=True))}
        | ({"cells": 8} if kind == "comb" else {})
        for name, kind, box, _ in DRAWN
    ]
    digest = hashlib.sha256(reference).hexdigest()
    body: dict[str, Any] = {
        "name": "drawn",
        "page": {"width": SIZE[0], "height": SIZE[1]},
        "fields": fields,
        "registration": {"method": "features", "reference": digest, "filled": filled},
    }
    return parse_template(body | ({"guides": guides} if guides else {}))


def read_all(reader: Reader, wanted: Template, reference: bytes, colour: tuple[int, int, int], pages: int) -> int:
    """Return how many of five fields a page were read right as a whole."""
    form = open_form(wanted, reference=reference, limits=LIMITS)
    right = 0
    for (data, truths), _ in zip(drawn_pages(colour), range(pages), strict=False):
        found = {field.name: field for field in reader.read(data, request=ReadRequest(form=form)).pages[0].fields}
        right += sum(found[name].text == truth for name, truth in truths.items())
        assert not any(found[name].accepted and found[name].text != truth for name, truth in truths.items())
    return right


def test_a_known_form_is_read_without_its_print(reader: Reader) -> None:
    blank = cv2.imencode(".png", draw_blank(GREY))[1].tobytes()
    # A 7's foot that ends on a rule goes with the rule.
    assert read_all(reader, template(blank), blank, GREY, 3) >= 14


def test_coloured_guides_drop_out(reader: Reader) -> None:
    blank = cv2.imencode(".png", draw_blank(ORANGE))[1].tobytes()
    wanted = template(blank, filled=True, guides="#ff9060")
    assert read_all(reader, wanted, blank, ORANGE, 2) >= 9


def test_a_filled_reference_takes_nothing_away() -> None:
    filled = next(drawn_pages(GREY))[0]
    assert open_form(template(filled, filled=True), reference=filled, limits=LIMITS).blank is None
    assert open_form(template(filled), reference=filled, limits=LIMITS).blank is not None


def test_an_empty_field_of_a_known_form_is_blank_paper() -> None:
    grey = np.asarray(cv2.cvtColor(draw_blank(GREY), cv2.COLOR_BGR2GRAY), np.uint8)
    sheet = Sheet(Page(0, grey), grey, blank=grey)
    for _, kind, box, _ in DRAWN:
        crop = sheet.cut("field", field_type("date" if kind == "comb" else "digits"), Box(*box)).crop
        assert ink_map(crop.pixels).mean() < 0.002


def test_a_comb_is_kept_beside_the_clean_field_so_that_its_boxes_are_found() -> None:
    grey = np.asarray(cv2.cvtColor(draw_blank(GREY), cv2.COLOR_BGR2GRAY), np.uint8)
    box = Box(*DRAWN[2][2])
    cut = Sheet(Page(0, grey), grey, blank=grey).cut("code", field_type("date"), box)
    assert cut.as_it_came is not None
    assert ink_map(cut.as_it_came.pixels).any()
    assert cut.crop.box == cut.as_it_came.box == box


def test_a_form_of_which_nothing_is_known_is_cut_as_it_came() -> None:
    grey = np.asarray(cv2.cvtColor(draw_blank(GREY), cv2.COLOR_BGR2GRAY), np.uint8)
    crop = Sheet(Page(0, grey), grey).cut("id", field_type("digits"), Box(*DRAWN[0][2])).crop
    x, y, width, height = DRAWN[0][2]
    assert np.array_equal(crop.pixels, grey[y : y + height, x : x + width])


def moved(reference: bytes, places: dict[str, tuple[int, int]]) -> Template:
    """Return the drawn form with its numbers on lines cut out from one column to another; its print is not known."""
    body = template(reference, filled=True).model_dump(mode="json", exclude_none=True)
    fields = []
    for field in body["fields"]:
        if field["name"] in places:
            left, right = places[field["name"]]
            fields.append({**field, "box": {**field["box"], "x": left, "width": right - left}})
    return parse_template({**body, "fields": fields})


def test_a_box_that_cuts_a_digit_through_is_noticed_by_the_page_around_it(reader: Reader) -> None:
    blank = cv2.imencode(".png", draw_blank(GREY))[1].tobytes()
    names = ("id", "reading")
    wide = dict.fromkeys(names, (360, 780))
    cut = 0
    for (data, truths), _ in zip(drawn_pages(GREY), range(3), strict=False):
        form = open_form(moved(blank, wide), reference=blank, limits=LIMITS)
        laid = form.lay(reader.decode_page(data, 0))
        whole = reader.read_pixels(laid.page, request=ReadRequest(form=form)).fields
        assert all(field.text == truths[field.name] for field in whole)
        assert not any(ReviewReason.CUT_OFF in field.review_reasons for field in whole)
        for share in (0.35, 0.65):
            ends = {field.name: round(field.digits[-1].box.x + share * field.digits[-1].box.width) for field in whole}
            short = open_form(
                moved(blank, {name: (360, end) for name, end in ends.items()}), reference=blank, limits=LIMITS
            )
            for field in reader.read_pixels(laid.page, request=ReadRequest(form=short)).fields:
                cut += ReviewReason.CUT_OFF in field.review_reasons
                assert not field.accepted or field.text == truths[field.name]
    assert cut >= 11
