"""A form's QR code: what it says, and what it must not be taken for."""

from collections.abc import Callable, Iterator
from itertools import product

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.form_code import NAME
from core.types import Page
from segmentation.registration import codes
from segmentation.registration.codes import MAX_OUTLINES, FormCode, parse_code, read_code
from segmentation.registration.crowds import CROWD, find_squares
from tests.segmentation.registration.drawn import Capture, capture, draw_form, fill_in, phone, scanner, with_code

CODE = FormCode(name="exam-2026", version=3, page=2)


@pytest.mark.parametrize("device", [scanner, phone])
@pytest.mark.parametrize("seed", [301, 302, 303])
def test_a_code_is_read_off_scans_and_photos(device: Callable[[int], Capture], seed: int) -> None:
    shown = fill_in(with_code(draw_form(seed), CODE.text), seed)
    assert read_code(Page(index=0, pixels=capture(shown, device(seed))[0])) == CODE


def test_a_page_without_a_code_says_nothing() -> None:
    assert read_code(Page(index=0, pixels=draw_form(4))) is None
    assert read_code(Page(index=0, pixels=np.full((40, 30), 255, np.uint8))) is None


def test_another_code_says_nothing() -> None:
    assert read_code(Page(index=0, pixels=with_code(draw_form(4), "https://example.org/1"))) is None


def test_two_forms_on_one_page_are_not_guessed_between() -> None:
    both = np.vstack([with_code(draw_form(4), CODE.text), with_code(draw_form(5), "tallyscan:other:1:1")])
    assert read_code(Page(index=0, pixels=both)) is None


def boxes(form: NDArray[np.uint8], *, side: int, step: int, inner: int = 0) -> NDArray[np.uint8]:
    """Return the form with its lower part full of little boxes, in each of them a black one of `inner` pixels."""
    crowded, gap = form.copy(), (side - inner) // 2
    for y, x in product(range(form.shape[0] // 3, form.shape[0] - 60, step), range(60, form.shape[1] - 60, step)):
        cv2.rectangle(crowded, (x, y), (x + side, y + side), (0, 0, 0), side // 7 if inner else 2)
        if inner:
            cv2.rectangle(crowded, (x + gap, y + gap), (x + side - gap, y + side - gap), (0, 0, 0), -1)
    return crowded


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many squares the thorough detector is given."""
    given: list[int] = []
    seen = codes._texts

    def counting(picture: NDArray[np.uint8], detector: object) -> Iterator[str]:
        if isinstance(detector, cv2.QRCodeDetectorAruco):
            given.append(len(find_squares(picture).outlines))
        return seen(picture, detector)  # type: ignore[arg-type]

    monkeypatch.setattr(codes, "_texts", counting)
    return given


@pytest.mark.parametrize("device", [None, scanner, phone])
@pytest.mark.parametrize("seed", [305, 306, 309])
def test_a_code_above_two_thousand_boxes_is_read_without_a_look_at_each(
    device: Callable[[int], Capture] | None, seed: int, searched: list[int]
) -> None:
    shown = boxes(fill_in(with_code(draw_form(seed), CODE.text), seed), side=16, step=28)
    pixels = shown if device is None else capture(shown, device(seed))[0]
    assert read_code(Page(index=0, pixels=pixels)) == CODE
    assert sum(searched) < CROWD


@pytest.mark.parametrize("inner", [0, 12])
def test_a_page_full_of_little_squares_without_a_code_says_nothing_soon(inner: int, searched: list[int]) -> None:
    page = Page(index=0, pixels=boxes(draw_form(4), side=28, step=60, inner=inner))
    assert len(find_squares(page.pixels).outlines) > CROWD
    assert read_code(page) is None
    assert sum(searched) < CROWD


def test_few_of_the_outlines_that_look_like_codes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any three of a few dozen nested squares can look like one."""

    class Taken:
        def detectMulti(self, _: NDArray[np.uint8]) -> tuple[bool, NDArray[np.float32]]:  # noqa: N802 - OpenCV's
            return True, np.zeros((80, 4, 2), np.float32)

    read: list[int] = []
    monkeypatch.setattr(codes, "_read", lambda *_: read.append(1) or "")
    monkeypatch.setattr(cv2, "QRCodeDetectorAruco", Taken)
    monkeypatch.setattr(cv2, "QRCodeDetector", Taken)
    assert read_code(Page(index=0, pixels=draw_form(4))) is None
    assert 0 < len(read) <= 4 * MAX_OUTLINES


def test_no_memory_left_is_not_taken_for_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def short_of_memory(*_: object, **__: object) -> None:
        cv2.resize(np.zeros((2, 2), np.uint8), (1 << 30, 1 << 30))

    monkeypatch.setattr(codes, "_straight", short_of_memory)
    with pytest.raises(cv2.error, match="memory"):
        read_code(Page(index=0, pixels=with_code(draw_form(4), CODE.text)))


@given(st.from_regex(NAME, fullmatch=True), st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))
def test_what_is_written_is_read(name: str, version: int, page: int) -> None:
    code = FormCode(name=name, version=version, page=page)
    assert parse_code(code.text) == code


@pytest.mark.parametrize(
    "text", ["", "tallyscan:a:1", "tallyscan:a:x:1", "tallyscan::1:1", "Tallyscan:a:1:1", "tallyscan:a:1:1\n"]
)
def test_other_texts_are_no_codes(text: str) -> None:
    assert parse_code(text) is None
