"""Preprint taken away: what is printed goes, what is written stays."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from segmentation.prepare import ink_map
from segmentation.preprint import drop_out, paint_out, subtract_blank
from tests.segmentation.drawn import draw_digit

PAPER = 245
GUIDES = {"orange": "#ff9060", "green": "#80d090", "red": "#ff7070", "blue": "#90c0ff"}
PENS = {"black": (60, 60, 60), "blue": (150, 60, 30), "pencil": (110, 110, 110)}


def blank_field(colour: tuple[int, ...] = (70, 70, 70)) -> NDArray[np.uint8]:
    """Return a comb of eight boxes with a label above and a hint in each: BGR."""
    field = np.full((110, 600, 3), PAPER, np.uint8)
    cv2.rectangle(field, (20, 20), (580, 92), colour, 2)
    for x in range(90, 580, 70):
        cv2.line(field, (x, 20), (x, 92), colour, 2)
        cv2.putText(field, "d", (x - 40, 84), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
    cv2.putText(field, "AMOUNT IN FIGURES", (30, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
    return field


def written(seed: int) -> NDArray[np.uint8]:
    """Return seven digits, some of them across the boxes' lines: grey, pen 0 on 255."""
    rng = np.random.default_rng(seed)
    pen = np.full((110, 600), 255, np.uint8)
    for place in range(7):
        at = (35 + 70 * place + rng.uniform(-14, 10), 20 + rng.uniform(-8, 12))
        draw_digit(pen, str(rng.choice(list("01247"))), at, digit_height=62, tone=0)
    return pen


def filled(field: NDArray[np.uint8], pen: NDArray[np.uint8], ink: tuple[int, ...], *, seed: int) -> NDArray[np.uint8]:
    """Return the field written over, blurred, noisy and coded as JPEG."""
    rng = np.random.default_rng(seed)
    share = (255 - pen[..., None].astype(np.float32)) / 255
    over = field * (1 - share) + share * field / 255 * np.array(ink)
    soft = cv2.GaussianBlur((0.9 * over).astype(np.float32), (0, 0), 0.7) + rng.normal(0, 3, field.shape)
    coded = cv2.imencode(".jpg", np.clip(soft, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def kept_and_left(clean: NDArray[np.uint8], pen: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the share of the writing that is still ink, and ink beside the writing as a share of it."""
    ink, truth = ink_map(clean), pen < 128
    near = cv2.dilate(truth.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return float((ink & truth).sum() / truth.sum()), float((ink & ~near).sum() / truth.sum())


def beside(field: NDArray[np.uint8], dx: float, dy: float) -> NDArray[np.uint8]:
    move = np.array([[1, 0.002, dx], [0.001, 1, dy]])
    return np.asarray(cv2.warpAffine(field, move, (600, 110), borderValue=(PAPER,) * 3), np.uint8)


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (2, 0), (-1.5, 1.5), (0.5, -2), (1, 2)])
def test_the_blank_goes_though_the_page_lies_beside_it(dx: float, dy: float) -> None:
    blank, pen = blank_field(), written(1)
    page = filled(beside(blank, dx, dy), pen, PENS["black"], seed=2)
    clean = subtract_blank(*(np.asarray(cv2.cvtColor(each, cv2.COLOR_BGR2GRAY), np.uint8) for each in (page, blank)))
    kept, left = kept_and_left(clean, pen)
    assert kept > 0.95
    assert left < 0.01


def test_a_field_that_is_left_empty_is_empty() -> None:
    blank = np.asarray(cv2.cvtColor(blank_field(), cv2.COLOR_BGR2GRAY), np.uint8)
    page = filled(beside(blank_field(), 1.3, -0.7), np.full((110, 600), 255, np.uint8), PENS["black"], seed=3)
    clean = subtract_blank(np.asarray(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), np.uint8), blank)
    assert ink_map(clean).mean() < 0.001


def test_what_is_painted_out_leaves_no_faint_edges() -> None:
    field = np.full((90, 250), PAPER, np.uint8)
    cv2.putText(field, "None", (20, 60), cv2.FONT_HERSHEY_COMPLEX, 1.2, (60,), 1)
    printed = cv2.dilate((field < 200).view(np.uint8), np.ones((5, 5), np.uint8))
    assert paint_out(field, printed).min() >= PAPER - 2


def test_an_empty_blank_takes_nothing() -> None:
    page = np.asarray(
        cv2.cvtColor(filled(blank_field(), written(1), PENS["blue"], seed=4), cv2.COLOR_BGR2GRAY), np.uint8
    )
    assert np.array_equal(subtract_blank(page, np.full_like(page, PAPER)), page)


@pytest.mark.parametrize("ink", PENS)
@pytest.mark.parametrize("guide", GUIDES)
def test_a_stated_guide_drops_out_and_the_pen_stays(guide: str, ink: str) -> None:
    colour = tuple(int(GUIDES[guide][place : place + 2], 16) for place in (5, 3, 1))
    pen = written(5)
    kept, left = kept_and_left(drop_out(filled(blank_field(colour), pen, PENS[ink], seed=6), guide=GUIDES[guide]), pen)
    assert kept > 0.93
    assert left < 0.01


@pytest.mark.parametrize("ink", PENS)
@pytest.mark.parametrize("guide", ["orange", "green", "red"])
def test_a_guide_is_found_in_hues_that_no_pen_has(guide: str, ink: str) -> None:
    colour = tuple(int(GUIDES[guide][place : place + 2], 16) for place in (5, 3, 1))
    pen = written(7)
    kept, left = kept_and_left(
        drop_out(filled(blank_field(colour), pen, PENS[ink], seed=8), guide="auto")[18:], pen[18:]
    )
    assert kept > 0.93
    assert left < 0.01


def test_without_a_guide_blue_writing_is_left_alone() -> None:
    pen = written(9)
    kept, _ = kept_and_left(drop_out(filled(np.full((110, 600, 3), PAPER, np.uint8), pen, PENS["blue"], seed=1)), pen)
    assert kept > 0.98
