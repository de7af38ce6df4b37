"""The PDF: what stands on it is where the template says, and can be read by machines and people."""

import json
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pytest

from core.form_code import FormCode
from core.types import Page
from examples.drawing.filled import PIXELS_IN_MM, print_pages
from forms.kit.drawing import MARKER_BITS, draw_form, marker_squares
from forms.kit.layout import MARKERS
from forms.kit.making import template_of
from forms.templates import parse_template
from segmentation.combs import find_comb
from segmentation.registration.codes import read_code
from segmentation.registration.markers import find_markers
from segmentation.registration.target import MarkerLayout
from tests.forms.kit.kit import EXAMPLES, SPECS, example, small, typeface


@pytest.mark.parametrize("number", range(4))
def test_the_markers_are_those_of_opencv(number: int) -> None:
    kind = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    black = cv2.aruco.generateImageMarker(kind, number, 6) == 0
    assert np.array_equal(np.array(marker_squares(MARKER_BITS[number])), black)


@pytest.mark.parametrize("name", SPECS)
def test_the_template_of_an_example_is_what_it_was(name: str) -> None:
    kept = json.loads((EXAMPLES / f"{name}.json").read_text())
    template = template_of(example(name))
    assert parse_template(kept) == template
    assert kept == template.as_json()


@pytest.mark.parametrize("name", SPECS)
def test_every_page_says_what_it_is_and_lies_where_its_markers_are(name: str) -> None:
    layout = example(name)
    for number, pixels in enumerate(print_pages(draw_form(layout, typeface(), version=7)), start=1):
        assert pixels.shape[:2] == (round(layout.height * PIXELS_IN_MM), round(layout.width * PIXELS_IN_MM))
        assert read_code(Page(0, pixels)) == FormCode(name, 7, number)
        size = (pixels.shape[1], pixels.shape[0])
        marks = MarkerLayout.at_corners(size, side=MARKERS.side * PIXELS_IN_MM, margin=MARKERS.margin * PIXELS_IN_MM)
        (found,) = find_markers(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), size, marks)
        assert np.abs(found.transform - np.eye(3)).max() < 1.5


@pytest.mark.parametrize("name", SPECS)
def test_every_row_of_boxes_is_found_where_the_template_has_it(name: str) -> None:
    layout, template = example(name), template_of(example(name))
    pages = print_pages(draw_form(layout, typeface(), version=1))
    for field in template.fields:
        if field.cells is None:
            continue
        grey = cv2.cvtColor(pages[field.page - 1], cv2.COLOR_BGR2GRAY)
        box = template.place(field, width=grey.shape[1], height=grey.shape[0])
        comb = find_comb(np.asarray(grey[box.slices]), cells=(field.cells,))
        assert comb is not None, field.name
        assert len(comb.cells) == field.cells


def test_the_words_can_be_read_and_searched() -> None:
    document = pypdfium2.PdfDocument(draw_form(example("water-meter"), typeface(), version=3))
    text = document[0].get_textpage().get_text_range()
    for words in ("Water meter reading", "Customer number", "m³", "Page 1 of 2", "water-meter · 3"):
        assert words in text
    document.close()


def test_the_same_form_is_the_same_file() -> None:
    assert draw_form(small(), typeface(), version=1) == draw_form(small(), typeface(), version=1)
    assert draw_form(small(), typeface(), version=1) != draw_form(small(), typeface(), version=2)


def test_a_form_that_is_stored_nowhere_names_no_version(tmp_path: Path) -> None:
    document = pypdfium2.PdfDocument(draw_form(small(), typeface(), version=0))
    text = document[0].get_textpage().get_text_range()
    assert "slip" in text
    assert "slip ·" not in text
    document.close()
