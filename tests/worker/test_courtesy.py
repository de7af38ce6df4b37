"""Where a cheque's courtesy amount stands, and what that says of what it may hold."""

import numpy as np
import pytest

from core.types import Box
from forms.templates import parse_template
from segmentation.courtesy import Sign
from worker.courtesy import locate

PAGE, AREA = np.full((900, 1200), 240, np.uint8), Box(100, 650, 1000, 200)

CHEQUE: dict[str, object] = {
    "name": "cheque",
    "page": {"width": 1200, "height": 900},
    "fields": [
        {
            "name": "amount",
            "type": "amount",
            "locate": "courtesy_amount",
            "box": {"x": 100, "y": 650, "width": 1000, "height": 200},
        }
    ],
}


@pytest.mark.parametrize(("char", "has_cents"), [("$", True), ("₹", False)])
def test_an_amount_stands_right_of_its_sign_which_tells_its_cents(
    char: str, monkeypatch: pytest.MonkeyPatch, *, has_cents: bool
) -> None:
    sign = Sign(char, Box(240, 700, 20, 40), 0.95)
    monkeypatch.setattr("worker.courtesy.find_sign", lambda *_: sign)
    box, kind, found = locate(parse_template(CHEQUE).fields[0], PAGE, AREA)
    assert found
    assert box.x >= sign.box.right
    assert kind.has_cents is has_cents


def test_without_a_sign_the_amount_is_anywhere_in_its_area() -> None:
    box, kind, found = locate(parse_template(CHEQUE).fields[0], PAGE, AREA)
    assert (box, kind.has_cents, found) == (AREA, False, False)
