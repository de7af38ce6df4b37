"""Whole pages laid over their templates: scanned, photographed, turned, shaded, and of another form."""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import InvalidRequest
from core.types import Box, Page
from segmentation.registration.reference import Reference, prepare_reference
from segmentation.registration.register import register
from segmentation.registration.target import Method, Registered, RegistrationTarget
from tests.segmentation.registration.drawn import (
    A4,
    Capture,
    capture,
    corner_errors,
    draw_form,
    fill_in,
    phone,
    scanner,
    upright,
    with_markers,
    with_squares,
)

CORNER_PX = 2.0
"""Template pixels within which corners come to lie, at 200 dpi: a quarter of a millimetre."""


@cache
def form() -> NDArray[np.uint8]:
    return draw_form(1)


@cache
def reference() -> Reference:
    return prepare_reference(form(), A4)


def on(method: Method, **kwargs: object) -> RegistrationTarget:
    return RegistrationTarget(method, A4, **kwargs)  # type: ignore[arg-type]  # passed on as they are


def laid(shown: NDArray[np.uint8], how: Capture, target: RegistrationTarget) -> tuple[Registered, float]:
    pixels, corners = capture(fill_in(shown, how.seed), how)
    registered = register(Page(index=0, pixels=pixels), target)
    return registered, float(corner_errors(registered.transform, corners, A4).max())


@pytest.mark.parametrize("device", [scanner, phone])
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_features_find_a_filled_form_however_it_lies(device: Callable[[int], Capture], seed: int) -> None:
    how = device(seed)
    registered, error = laid(form(), how, on(Method.FEATURES, reference=reference()))
    assert not registered.poor
    assert error < CORNER_PX
    assert abs(registered.registration.residual_px - error) < 1.0
    assert registered.turned_degrees == 90 * how.quarter_turns
    assert registered.page.pixels.shape == (A4[1], A4[0], 3)


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_edges_find_a_sheet_on_a_table(seed: int) -> None:
    registered, error = laid(form(), upright(phone(seed)), on(Method.PAGE))
    assert not registered.poor
    assert error < CORNER_PX
    assert registered.turned_degrees is None


@pytest.mark.parametrize("seed", [21, 24])
def test_a_reference_tells_which_way_up_a_sheet_lies(seed: int) -> None:
    how = phone(seed)
    registered, error = laid(form(), how, on(Method.PAGE, reference=reference()))
    assert not registered.poor
    assert error < CORNER_PX
    assert registered.turned_degrees == 90 * how.quarter_turns


@pytest.mark.parametrize("device", [scanner, phone])
@pytest.mark.parametrize("seed", [31, 32])
def test_markers_find_a_form(device: Callable[[int], Capture], seed: int) -> None:
    marked, layout = with_markers(form())
    how = device(seed)
    registered, error = laid(marked, how, on(Method.MARKERS, markers=layout))
    assert not registered.poor
    assert error < CORNER_PX
    assert registered.registration.residual_px < 1.0
    assert registered.turned_degrees == 90 * how.quarter_turns


def test_three_of_four_markers_suffice_and_two_do_not() -> None:
    marked, layout = with_markers(form())
    marked[-300:, :300] = 255
    registered, error = laid(marked, phone(41), on(Method.MARKERS, markers=layout))
    assert not registered.poor
    assert error < 2 * CORNER_PX
    marked[-300:, -300:] = 255
    registered, _ = laid(marked, phone(41), on(Method.MARKERS, markers=layout))
    assert registered.poor


@pytest.mark.parametrize("seed", [51, 52])
def test_plain_squares_find_a_form_and_its_reference_the_way_up(seed: int) -> None:
    marked, layout = with_squares(form())
    how = phone(seed)
    target = on(Method.MARKERS, markers=layout, reference=prepare_reference(marked, A4))
    registered, error = laid(marked, how, target)
    assert not registered.poor
    assert error < CORNER_PX
    assert registered.turned_degrees == 90 * how.quarter_turns


def test_plain_squares_alone_never_guess_a_quarter_turn() -> None:
    marked, layout = with_squares(form())
    as_it_came, error = laid(marked, Capture(seed=3), on(Method.MARKERS, markers=layout))
    assert not as_it_came.poor
    assert error < CORNER_PX
    turned, _ = laid(marked, Capture(quarter_turns=1, seed=3), on(Method.MARKERS, markers=layout))
    assert turned.poor
    assert as_it_came.turned_degrees is turned.turned_degrees is None


@pytest.mark.parametrize("other", [60, 61, 62])
def test_another_form_is_refused(other: int) -> None:
    registered, _ = laid(draw_form(other), scanner(other), on(Method.FEATURES, reference=reference()))
    assert registered.poor
    assert registered.registration.residual_px > 1000
    assert registered.page.pixels.shape[:2] == (A4[1], A4[0])


@pytest.mark.parametrize("tone", [0, 255])
def test_an_empty_page_is_refused(tone: int) -> None:
    page = Page(index=0, pixels=np.full((2339, 1654), tone, np.uint8))
    layout = with_markers(form())[1]
    for target in (on(Method.FEATURES, reference=reference()), on(Method.MARKERS, markers=layout)):
        assert register(page, target).poor
    assert register(page, on(Method.PAGE, reference=reference())).poor


def test_a_form_of_nothing_but_repeated_boxes_is_found_rightly_or_refused() -> None:
    boxes = np.full((A4[1], A4[0]), 255, np.uint8)
    for row in range(200, 2100, 90):
        for left in range(150, 1450, 70):
            cv2.rectangle(boxes, (left, row), (left + 60, row + 70), 40, 2)
    target = on(Method.FEATURES, reference=prepare_reference(boxes, A4))
    for seed in (71, 72, 73):
        registered, error = laid(boxes, upright(scanner(seed)), target)
        assert registered.poor or error < CORNER_PX


def test_a_plain_scan_is_scaled_and_no_more() -> None:
    small = cv2.resize(form(), (827, 1170), interpolation=cv2.INTER_AREA)
    registered = register(Page(index=2, pixels=np.asarray(small, np.uint8), dpi=100.0), on(Method.NONE))
    assert not registered.poor
    assert registered.page.index == 2
    assert registered.page.dpi is None
    assert registered.registration.method == "none"
    assert registered.undo(Box(100, 200, 40, 60)) == Box(50, 100, 20, 31)


def test_a_frame_of_other_proportions_is_poor() -> None:
    assert register(Page(index=0, pixels=np.full((900, 1600), 250, np.uint8)), on(Method.NONE)).poor


def test_a_scan_upside_down_is_put_upright_by_its_reference() -> None:
    registered, error = laid(form(), Capture(quarter_turns=2, seed=5), on(Method.NONE, reference=reference()))
    assert not registered.poor
    assert registered.turned_degrees == 180
    assert error < CORNER_PX


def test_what_a_method_needs_is_asked_for() -> None:
    page = Page(index=0, pixels=form())
    with pytest.raises(InvalidRequest, match="markers"):
        register(page, on(Method.MARKERS))
    with pytest.raises(InvalidRequest, match="reference"):
        register(page, on(Method.FEATURES))


def test_boxes_on_the_template_come_back_to_the_page_as_it_came() -> None:
    shown, box = form().copy(), Box(700, 1200, 60, 40)
    shown[box.y - 20 : box.y + 60, box.x - 20 : box.x + 80] = 255
    shown[box.slices] = 0
    how = phone(81)
    pixels = capture(shown, how)[0]
    registered = register(Page(index=0, pixels=pixels), on(Method.FEATURES, reference=reference()))
    back = registered.undo(box)
    part = cv2.cvtColor(pixels[back.slices], cv2.COLOR_BGR2GRAY)
    dark = float((part < 90).sum())
    inked = box.width * box.height * how.scale**2
    assert dark == pytest.approx(inked, rel=0.12)


def test_a_reference_is_prepared_once() -> None:
    assert prepare_reference(form(), A4) is prepare_reference(Page(index=0, pixels=form().copy()), A4)
    assert prepare_reference(form(), (827, 1170)) is not reference()
