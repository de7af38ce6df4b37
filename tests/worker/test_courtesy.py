"""Cents of a courtesy amount: told from the whole units by a point, a gap, their height or a fraction."""

import pytest

from core.types import Box, DigitReading, FieldReading, ReviewReason
from forms.field_specs import AmountSpec
from worker.courtesy import has_cents, settle_cents

CENTS = AmountSpec(decimals=2).field_type()
HEIGHT, WIDTH, GAP = 40, 26, 6


def written(text: str, *, wide_before: tuple[int, ...] = (), gap: int = 22, raised: int = 0) -> FieldReading:
    """Return a reading whose digits stand side by side, with a wider gap before some; the last ones may be raised."""
    digits, x = [], 100
    for place, char in enumerate(text):
        x += gap if place in wide_before else GAP
        up = raised if raised and place >= len(text) - 2 else 0
        height = HEIGHT // 2 if up else HEIGHT
        digits.append(DigitReading(char, 0.99, Box(x, 50, WIDTH, height)))
        x += WIDTH
    return FieldReading(
        "amount", "amount", Box(90, 40, x, 60), text, CENTS.value(text), 0.99, accepted=True, digits=tuple(digits)
    )


@pytest.mark.parametrize("text", ["23300", "100", "4202056", "000"])
def test_cents_behind_a_point_are_left_alone(text: str) -> None:
    reading = written(text, wide_before=(len(text) - 2,))
    assert settle_cents(reading, CENTS) == reading


def test_raised_cents_need_no_point() -> None:
    reading = written("23300", raised=20)
    assert settle_cents(reading, CENTS) == reading


@pytest.mark.parametrize("text", ["400", "23300", "111"])
def test_whole_units_alone_are_not_read_as_cents(text: str) -> None:
    settled = settle_cents(written(text), CENTS)
    assert (settled.text, settled.value, settled.accepted) == (text, None, False)
    assert settled.review_reasons == (ReviewReason.INVALID_FORMAT,)


def test_a_gap_elsewhere_is_no_point() -> None:
    assert settle_cents(written("12300", wide_before=(2,)), CENTS).value is None


@pytest.mark.parametrize(("text", "value"), [("40056100", "400.56"), ("4200100", "42.00")])
def test_the_hundred_of_a_fraction_is_no_part_of_the_amount(text: str, value: str) -> None:
    settled = settle_cents(written(text, wide_before=(len(text) - 5,)), CENTS)
    assert (settled.text, settled.value, settled.accepted) == (text[:-3], value, True)
    assert len(settled.digits) == len(settled.text)


def test_an_amount_that_ends_in_one_hundred_cents_is_no_fraction() -> None:
    reading = written("4256100", wide_before=(5,))
    assert settle_cents(reading, CENTS).value == "42561.00"


def test_two_digits_alone_are_no_amount_with_cents() -> None:
    assert settle_cents(written("56"), CENTS).value is None


def test_nothing_stays_nothing() -> None:
    empty = FieldReading("amount", "amount", Box(0, 0, 9, 9), "", None, 0.0, accepted=False)
    assert settle_cents(empty, CENTS) == empty


def test_rupees_have_no_cents() -> None:
    assert has_cents(CENTS)
    assert not has_cents(AmountSpec().field_type())
    assert not has_cents(AmountSpec(decimals=0).field_type())
