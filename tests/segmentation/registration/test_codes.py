"""A form's QR code: what it says, and what it must not be taken for."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.form_code import NAME
from core.types import Page
from segmentation.registration.codes import FormCode, parse_code, read_code
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


@given(st.from_regex(NAME, fullmatch=True), st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))
def test_what_is_written_is_read(name: str, version: int, page: int) -> None:
    code = FormCode(name=name, version=version, page=page)
    assert parse_code(code.text) == code


@pytest.mark.parametrize(
    "text", ["", "tallyscan:a:1", "tallyscan:a:x:1", "tallyscan::1:1", "Tallyscan:a:1:1", "tallyscan:a:1:1\n"]
)
def test_other_texts_are_no_codes(text: str) -> None:
    assert parse_code(text) is None
