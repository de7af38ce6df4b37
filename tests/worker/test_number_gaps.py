"""What parts two numbers, and what is a comma, however tall."""

import pytest

from core.types import Box
from worker.number_gaps import are_parted, without_marks

TOP, HEIGHT = 100, 60
DIGITS = [Box(x, TOP, 36, HEIGHT) for x in (0, 60, 120, 180)]
MIDDLE = 48
"""Of the gap before the last three digits."""


def piece(begins: float, tall: float, wide: float) -> Box:
    """Return a piece of ink in that gap, in heights of a digit."""
    width = round(wide * HEIGHT)
    return Box(MIDDLE - width // 2, TOP + round(begins * HEIGHT), width, round(tall * HEIGHT))


@pytest.mark.parametrize(("begins", "tall"), [(0.35, 0.7), (0.4, 0.6), (0.45, 0.55), (0.5, 0.4), (0.6, 0.7)])
def test_a_tall_comma_parts_nothing(begins: float, tall: float) -> None:
    assert not are_parted(DIGITS, [*DIGITS, piece(begins, tall, 0.17)], HEIGHT)


@pytest.mark.parametrize(
    ("begins", "tall", "wide"),
    [(0.0, 1.0, 0.3), (0.2, 0.6, 0.5), (0.25, 0.5, 0.5), (0.45, 0.1, 0.5), (0.3, 0.45, 0.2)],
)
def test_a_stroke_a_cross_and_a_dash_part_two_numbers(begins: float, tall: float, wide: float) -> None:
    assert are_parted(DIGITS, [*DIGITS, piece(begins, tall, wide)], HEIGHT)


def test_a_one_that_shares_its_box_with_a_printed_sign_parts_nothing() -> None:
    printed, one = Box(0, TOP + 5, 26, 42), Box(41, TOP, 9, 57)
    wide = Box(0, TOP, 50, 57)
    assert without_marks(wide, [printed, one]) == wide
    comma = Box(52, TOP + 50, 8, 20)
    assert without_marks(Box(0, TOP, 60, 70), [Box(0, TOP, 40, 60), comma]) == Box(0, TOP, 40, 60)


def test_a_box_is_never_scaled_to_nothing() -> None:
    assert Box(10, 40, 3, 2).scaled(0.1) == Box(1, 4, 1, 1)
