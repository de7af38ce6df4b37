"""Cheques however they lie: found by their MICR line, on drawn ones and on real photos."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.settings import Settings
from core.types import Page, ReviewReason
from forms.builtins import builtin_template
from segmentation.decoding import DecodeLimits
from segmentation.registration.geometry import map_points, rectangle
from segmentation.registration.target import Method, RegistrationTarget
from tests.model.micr import cheques
from tests.segmentation.registration import drawn
from worker.cheque_laying import lay_cheque
from worker.form_reading import Form, open_form
from worker.micr import MicrReader
from worker.pipeline import Reader, ReadRequest

SIZE = (1600, 720)
TEXT = cheques.US.format(routing="322271779", account="4192580", cheque_number="1005")


@pytest.fixture(scope="module")
def micr() -> MicrReader:
    return MicrReader.load()


def picture() -> NDArray[np.uint8]:
    return cheques.cheque(TEXT, width=SIZE[0]).pixels


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("table", [False, True])
def test_a_cheque_is_laid_however_it_lies(turns: int, micr: MicrReader, *, table: bool) -> None:
    how = drawn.Capture(quarter_turns=turns, table=table, perspective=0.02 * table, shadow=0.3 * table, seed=turns)
    photo, corners = drawn.capture(picture(), how)
    laid = lay_cheque(Page(0, photo), RegistrationTarget(Method.CHEQUE, SIZE, max_residual_px=24), micr)
    assert not laid.poor
    assert laid.turned_degrees == 90 * turns
    off = np.hypot(*(map_points(laid.transform, rectangle(SIZE)) - corners).T)
    assert float(off.max()) < 0.01 * SIZE[0]


def test_a_cheque_without_seen_edges_is_laid_by_its_micr_line_alone(micr: MicrReader) -> None:
    inside = picture()
    # The same paper all around: no edge to see.
    sheet = np.full((1500, 2000), int(np.median(inside)), np.uint8)
    sheet[500 : 500 + inside.shape[0], 200 : 200 + inside.shape[1]] = inside
    laid = lay_cheque(Page(0, sheet), RegistrationTarget(Method.CHEQUE, SIZE, max_residual_px=24), micr)
    assert not laid.poor
    left, right = map_points(laid.transform, np.array([[0.0, SIZE[1]], [float(SIZE[0]), SIZE[1]]]))
    # A personal cheque is 48 symbols wide, and this one's are a 64th of its width.
    assert abs((right[0] - left[0]) / SIZE[0] - 48 / 64) < 0.03


def test_a_page_without_a_micr_line_is_poor(micr: MicrReader) -> None:
    form = cv2.resize(drawn.draw_form(1, size=(1600, 720)), SIZE)
    laid = lay_cheque(Page(0, np.asarray(form, np.uint8)), RegistrationTarget(Method.CHEQUE, SIZE), micr)
    assert laid.poor
    assert laid.turned_degrees is None


def opened(name: str) -> Form:
    return open_form(builtin_template(name), reference=None, limits=DecodeLimits.from_settings(Settings()))


def test_without_a_sign_nothing_is_accepted_for_the_amount() -> None:
    page = Reader.load(Settings()).read_pixels(Page(0, picture()), request=ReadRequest(form=opened("cheque")))
    amount = next(field for field in page.fields if field.name == "amount")
    assert ReviewReason.REGISTRATION_POOR in amount.review_reasons
    assert not amount.accepted


@pytest.mark.parametrize("template", ["cheque-us", "cheque"])
@pytest.mark.parametrize("table", [False, True])
def test_real_amounts_are_read(template: str, shared_data: Path, *, table: bool) -> None:
    home = shared_data / "us_checks"
    with (home / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::4]
    reader, form, right = Reader.load(Settings()), opened(template), 0
    for seed, row in enumerate(rows):
        pixels = np.asarray(cv2.imread(str(home / "images" / row["file"])), np.uint8)
        if table:
            pixels = drawn.capture(pixels, drawn.phone(seed))[0]
        fields = reader.read_pixels(Page(0, pixels), request=ReadRequest(form=form)).fields
        amount = next(field for field in fields if field.name == "amount")
        right += amount.text == row["amount_digits"]
        assert amount.text == row["amount_digits"] or not amount.accepted
    assert right >= len(rows) - 1
