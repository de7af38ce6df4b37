"""A blank composed of filled pages: print stays, writing goes."""

import cv2
import numpy as np
import pytest

from core.errors import InvalidRequest
from core.types import Page
from segmentation.registration.blank import compose_blank
from segmentation.registration.reference import prepare_reference
from segmentation.registration.target import Method, RegistrationTarget
from tests.segmentation.registration.drawn import Capture, capture, draw_form, fill_in

SIZE = (1100, 1200)


def test_print_stays_and_writing_goes() -> None:
    form = draw_form(9, size=SIZE)
    filled = [fill_in(form, seed, marks=10) for seed in range(6)]
    pages = [
        Page(index=0, pixels=capture(each, Capture(skew_degrees=2, seed=seed))[0]) for seed, each in enumerate(filled)
    ]
    reference = prepare_reference(filled[0], SIZE)
    blank = compose_blank(pages, RegistrationTarget(Method.FEATURES, SIZE, reference=reference))
    print_, ink = form < 128, blank < 170
    written = np.any([cv2.cvtColor(each, cv2.COLOR_BGR2GRAY) < 128 for each in filled], axis=0)
    beside_print = cv2.dilate(print_.view(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert ink[print_].mean() > 0.8
    assert ink[written & ~beside_print].mean() < 0.01


def test_too_few_pages_of_the_form_make_no_blank() -> None:
    form = draw_form(9, size=SIZE)
    target = RegistrationTarget(Method.FEATURES, SIZE, reference=prepare_reference(form, SIZE))
    others = [Page(index=0, pixels=draw_form(20 + seed, size=SIZE)) for seed in range(5)]
    with pytest.raises(InvalidRequest, match="at least"):
        compose_blank([*others, Page(index=0, pixels=form)], target)
