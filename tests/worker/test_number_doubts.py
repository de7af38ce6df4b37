"""Numbers whose ink may mean another value: cents told from whole units, points and signs that nobody reads."""

from dataclasses import replace
from itertools import accumulate

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.settings import Settings
from core.types import Box, DigitReading, FieldCrop, FieldReading, Page, ReviewReason
from forms.field_specs import AmountSpec, DateSpec, DigitsSpec, IntegerSpec
from forms.field_types import FieldType
from forms.templates import parse_template
from segmentation.decoding import DecodeLimits
from segmentation.prepare import ink_map
from tests.factories import field
from worker.form_reading import open_form
from worker.number_doubts import (
    Place,
    doubt_cents,
    doubt_number,
    doubt_parts,
    doubt_point,
    doubt_sign,
    doubt_units,
    doubt_unread_cents,
    leaves_cents_open,
    settle_cents,
)
from worker.number_ink import NumberInk
from worker.pipeline import Reader, ReadRequest

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


def ink_of(reading: FieldReading, crop: FieldCrop) -> NumberInk:
    return NumberInk([digit.box for digit in reading.digits], crop)


def settled(reading: FieldReading) -> FieldReading:
    """Return the reading of a field whose picture shows nothing that could be a point."""
    paper = np.full((reading.box.height, reading.box.width), 240, np.uint8)
    return settle_cents(reading, CENTS, ink_of(reading, FieldCrop("amount", "amount", reading.box, paper)))


@pytest.mark.parametrize("text", ["23300", "100", "4202056", "000"])
def test_cents_behind_a_point_are_left_alone(text: str) -> None:
    reading = written(text, wide_before=(len(text) - 2,))
    assert settled(reading) == reading


def test_raised_cents_need_no_point() -> None:
    reading = written("23300", raised=20)
    assert settled(reading) == reading


@pytest.mark.parametrize("text", ["400", "23300", "111"])
def test_whole_units_alone_are_not_read_as_cents(text: str) -> None:
    found = settled(written(text))
    assert (found.text, found.value, found.accepted) == (text, None, False)
    assert found.review_reasons == (ReviewReason.INVALID_FORMAT,)


def test_a_gap_elsewhere_is_no_point() -> None:
    assert settled(written("12300", wide_before=(2,))).value is None


@pytest.mark.parametrize(("text", "value"), [("40056100", "400.56"), ("4200100", "42.00")])
def test_the_hundred_of_a_fraction_is_no_part_of_the_amount(text: str, value: str) -> None:
    found = settled(written(text, wide_before=(len(text) - 5,)))
    assert (found.text, found.value, found.accepted) == (text[:-3], value, True)
    assert len(found.digits) == len(found.text)


def test_an_amount_that_ends_in_one_hundred_cents_is_no_fraction() -> None:
    reading = written("4256100", wide_before=(5,))
    assert settled(reading).value == "42561.00"


def test_two_digits_alone_are_no_amount_with_cents() -> None:
    assert settled(written("56")).value is None


def test_nothing_stays_nothing() -> None:
    empty = FieldReading("amount", "amount", Box(0, 0, 9, 9), "", None, 0.0, accepted=False)
    paper = FieldCrop("amount", "amount", empty.box, np.full((9, 9), 240, np.uint8))
    assert doubt_number(empty, CENTS, paper, Place(of_cheque=True)) == empty


def test_rupees_have_no_cents() -> None:
    assert CENTS.has_cents
    assert not AmountSpec().field_type().has_cents
    assert not AmountSpec(decimals=0).field_type().has_cents


OPEN = AmountSpec().field_type()
CORNER = (300, 700)
"""Where the fields below lie on their page."""


def penned(text: str, *, seed: int = 0) -> tuple[FieldReading, FieldCrop]:
    """Return an amount written with its separators, as it is read when all of it is right, and its field.

    Args:
        text: digits, with a `.`, `,` or space where that stands.
        seed: whose hand it is.
    """
    digits = "".join(char for char in text if char.isdigit())
    drawn = field(digits, seed=seed)
    height = int(np.median([box.height for box in drawn.boxes]))
    gaps = [
        (sum(char.isdigit() for char in text[:place]), char) for place, char in enumerate(text) if not char.isdigit()
    ]
    image, moved = drawn.image if drawn.image.ndim == 2 else cv2.cvtColor(drawn.image, cv2.COLOR_BGR2GRAY), 0
    shifts = [0] * len(digits)
    for before, char in gaps:
        left, right = drawn.boxes[before - 1], drawn.boxes[before]
        x, wide = (left.right + right.x) // 2 + moved, height // 2
        paper = np.full((image.shape[0], wide), int(np.median(image)), np.uint8)
        image = np.concatenate([image[:, :x], paper, image[:, x:]], axis=1)
        _pen(image, char, x + wide // 2, left.bottom, height)
        moved, shifts[before] = moved + wide, shifts[before] + wide
    boxes = [
        Box(box.x + shift + CORNER[0], box.y + CORNER[1], box.width, box.height)
        for box, shift in zip(drawn.boxes, accumulate(shifts), strict=True)
    ]
    box = Box(*CORNER, image.shape[1], image.shape[0])
    readings = tuple(DigitReading(char, 0.99, box) for char, box in zip(digits, boxes, strict=True))
    reading = FieldReading("a", "amount", box, digits, OPEN.value(digits), 0.99, accepted=True, digits=readings)
    return reading, FieldCrop("a", "amount", box, np.ascontiguousarray(image))


def _pen(image: NDArray[np.uint8], char: str, x: int, foot: int, height: int) -> None:
    thick = max(3, height // 10)
    if char == ".":
        cv2.circle(image, (x, foot - thick), thick // 2 + 1, 40, -1)
    elif char == ",":
        cv2.line(image, (x + thick, foot - height // 6), (x - thick, foot + height // 5), 40, thick)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load(Settings())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("text", ["12.50", "9,81", "1,250.00", "26,30,000.00", "4677,70"])
def test_cents_that_the_type_knows_nothing_of_are_not_whole_units(text: str, seed: int) -> None:
    reading, crop = penned(text, seed=seed)
    doubted = doubt_units(reading, OPEN, ink_of(reading, crop))
    assert (doubted.text, doubted.value, doubted.accepted) == (reading.text, None, False)
    assert doubted.review_reasons == (ReviewReason.INVALID_FORMAT,)


def test_cents_behind_a_wide_gap_alone_are_not_whole_units() -> None:
    reading, crop = penned("1250  00", seed=1)
    assert doubt_units(reading, OPEN, ink_of(reading, crop)).value is None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("text", ["1250", "1,250", "26,30,000", "2,60,000", "305,000", "1.250.000", "100", "1 250"])
def test_separators_of_thousands_leave_whole_units(text: str, seed: int) -> None:
    reading, crop = penned(text, seed=seed)
    assert doubt_units(reading, OPEN, ink_of(reading, crop)) == reading


@pytest.mark.parametrize(("text", "value"), [("0.50", "0.50"), ("7", "7.00"), ("1.5", "15.00")])
def test_what_cannot_be_units_with_cents_is_left_alone(text: str, value: str) -> None:
    reading, crop = penned(text)
    assert doubt_units(reading, OPEN, ink_of(reading, crop)) == reading
    assert reading.value == value


@pytest.mark.parametrize(
    "kind",
    [AmountSpec(decimals=2), AmountSpec(decimals=0), DigitsSpec(), DateSpec()],
    ids=["cents", "whole units", "digits", "date"],
)
def test_what_a_type_states_is_believed(kind: AmountSpec | DigitsSpec | DateSpec) -> None:
    assert not leaves_cents_open(kind.field_type())
    reading, crop = penned("12.50")
    assert doubt_units(reading, kind.field_type(), ink_of(reading, crop)) == reading


@pytest.mark.parametrize("kind", [OPEN, AmountSpec(maximum=5000).field_type(), AmountSpec().field_type(cells=6)])
def test_an_amount_by_itself_leaves_open_whether_it_has_cents(kind: FieldType) -> None:
    assert leaves_cents_open(kind)


def test_a_rule_below_an_amount_is_no_point() -> None:
    reading, crop = penned("1250")
    last = reading.digits[-3].box
    foot = last.bottom - CORNER[1]
    crop.pixels[foot + 2 : foot + 4] = 60
    assert doubt_units(reading, OPEN, ink_of(reading, crop)) == reading


@pytest.mark.parametrize(("text", "value"), [("12.50", None), ("1,250", "1250.00"), ("1250", "1250.00")])
def test_a_reader_takes_no_cents_for_whole_units(reader: Reader, text: str, value: str | None) -> None:
    _, crop = penned(text, seed=3)
    reading = reader.read_pixels(Page(0, crop.pixels), request=ReadRequest("amount")).fields[0]
    assert (reading.text, reading.value) == ("1250", value)
    assert (ReviewReason.INVALID_FORMAT in reading.review_reasons) == (value is None)
    stated = reader.read_pixels(Page(0, crop.pixels), request=ReadRequest("digits")).fields[0]
    assert stated.value == "1250"


def widened(text: str, *, seed: int) -> tuple[FieldReading, FieldCrop, int, int, int]:
    """Return an amount with paper behind it; where that begins, the digits' tops, and their height."""
    reading, crop = penned(text, seed=seed)
    height = int(np.median([digit.box.height for digit in reading.digits]))
    paper = np.full((crop.box.height, 2 * height), int(np.median(crop.pixels)), np.uint8)
    pixels = np.ascontiguousarray(np.concatenate([crop.pixels, paper], axis=1))
    last = reading.digits[-1].box
    wider = replace(crop, box=replace(crop.box, width=pixels.shape[1]), pixels=pixels)
    return reading, wider, last.right - CORNER[0], last.y - CORNER[1], height


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", [OPEN, CENTS], ids=["decimals not stated", "two decimals"])
def test_small_raised_cents_that_nobody_read_leave_no_value(kind: FieldType, seed: int) -> None:
    reading, crop, end, top, height = widened("1250", seed=seed)
    assert doubt_unread_cents(reading, kind, ink_of(reading, crop)) == reading
    for place in range(2):
        left = end + height // 5 + place * height // 2
        cv2.ellipse(crop.pixels, (left + height // 6, top + height // 8), (height // 7, height // 5), 0, 0, 360, 40, 3)
    assert doubt_unread_cents(reading, kind, ink_of(reading, crop)).review_reasons == (ReviewReason.INVALID_FORMAT,)


@pytest.mark.parametrize("tail", ["=", "/-", "-", "."])
def test_tails_that_close_an_amount_are_no_cents(tail: str) -> None:
    reading, crop, end, top, height = widened("1250", seed=1)
    x, middle, thick = end + height // 4, top + height // 2, max(3, height // 12)
    if "=" in tail:
        for y in (middle - height // 6, middle + height // 6):
            cv2.line(crop.pixels, (x, y + height // 12), (x + height // 2, y - height // 12), 40, thick)
    if "/" in tail:
        cv2.line(crop.pixels, (x, top + height), (x + height // 3, top), 40, thick)
    if "-" in tail:
        cv2.line(crop.pixels, (x + height // 2, middle), (x + height, middle), 40, thick)
    if "." in tail:
        cv2.circle(crop.pixels, (x, top + height), thick, 40, -1)
    assert doubt_unread_cents(reading, OPEN, ink_of(reading, crop)) == reading


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.50", "12.50"), ("1250", "12.50"), ("1,250.00", "1250.00"), ("26,30,000", None), ("12,500", None)],
)
def test_thousands_are_not_read_as_cents_on_a_form(reader: Reader, text: str, value: str | None) -> None:
    _, crop = penned(text, seed=3)
    box = {"x": 0, "y": 0, "width": crop.box.width, "height": crop.box.height}
    fields = [{"name": "fee", "type": {"name": "amount", "decimals": 2}, "box": box}]
    body = {"name": "bill", "page": {"width": crop.box.width, "height": crop.box.height}, "fields": fields}
    form = open_form(parse_template(body), reference=None, limits=DecodeLimits.from_settings(Settings()))
    field = reader.read_pixels(Page(0, crop.pixels), request=ReadRequest(form=form)).fields[0]
    assert field.value == value
    assert (ReviewReason.INVALID_FORMAT in field.review_reasons) == (value is None)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("text", "kept"), [("1,250", False), ("305,000", False), ("1,250.00", True), ("400", True)])
def test_a_comma_before_three_digits_contradicts_cents(text: str, kept: bool, seed: int) -> None:
    reading, crop = penned(text, seed=seed)
    assert (doubt_cents(reading, ink_of(reading, crop)) == reading) is kept


WHOLE = IntegerSpec(maximum=10**7).field_type()
WHOLE_UNITS = AmountSpec(decimals=0).field_type()
ALL_NUMBERS = pytest.mark.parametrize(
    "kind", [WHOLE, OPEN, CENTS, WHOLE_UNITS], ids=["integer", "amount", "two decimals", "no decimals"]
)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("text", ["12,5", "8.0", "1,234.5", "4677,7"])
@ALL_NUMBERS
def test_one_decimal_is_lost_by_no_number(kind: FieldType, text: str, seed: int) -> None:
    reading, crop = penned(text, seed=seed)
    if "," in text and "." in text and kind is not WHOLE:
        # Marks in both places: the first one may part thousands.
        reading, crop = penned(text.replace(",", ""), seed=seed)
    doubted = doubt_point(reading, kind, ink_of(reading, crop))
    assert (doubted.text, doubted.value, doubted.accepted) == (reading.text, None, False)
    assert doubted.review_reasons == (ReviewReason.INVALID_FORMAT,)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("text", ["12.50", "1,250.00", "3,1415"])
def test_an_integer_has_no_decimals_at_all(text: str, seed: int) -> None:
    reading, crop = penned(text, seed=seed)
    assert doubt_point(reading, WHOLE, ink_of(reading, crop)).value is None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("text", ["7", "1250", "1,250", "26,30,000", "2,60,000", "305.000", "1.250.000", "1 2 5"])
@ALL_NUMBERS
def test_thousands_part_a_number_as_they_like(kind: FieldType, text: str, seed: int) -> None:
    reading, crop = penned(text, seed=seed)
    assert doubt_point(reading, kind, ink_of(reading, crop)) == reading


@pytest.mark.parametrize("text", ["12.50", "1,250.00"])
@pytest.mark.parametrize("kind", [OPEN, CENTS], ids=["decimals not stated", "two decimals"])
def test_two_decimals_of_an_amount_are_anothers_business(kind: FieldType, text: str) -> None:
    reading, crop = penned(text)
    assert doubt_point(reading, kind, ink_of(reading, crop)) == reading


@pytest.mark.parametrize("kind", [DigitsSpec(), DateSpec()], ids=["digits", "date"])
def test_digits_that_are_no_number_may_be_parted_and_dashed(kind: DigitsSpec | DateSpec) -> None:
    for reading, crop in (penned("12,5"), dashed("125")):
        assert doubt_number(reading, kind.field_type(), crop) == reading


def test_pieces_of_a_ruled_line_and_of_pale_digits_are_no_points() -> None:
    reading, crop = penned("1250")
    left, right = (digit.box for digit in reading.digits[-2:])
    x, foot = (left.right + right.x) // 2 - CORNER[0], max(left.bottom, right.bottom) - CORNER[1]
    height = int(np.median([digit.box.height for digit in reading.digits]))
    line, edge = crop.pixels.copy(), crop.pixels.copy()
    line[foot + height // 10 : foot + height // 10 + 2, x - 2 : x + 2] = 40
    edge[foot - height // 4 : foot - height // 8, x : x + 1] = 40
    for pixels in (line, edge):
        assert doubt_point(reading, WHOLE, ink_of(reading, replace(crop, pixels=pixels))) == reading


def parted(text: str, sign: str, *, seed: int = 0) -> tuple[FieldReading, FieldCrop]:
    """Return a number with a sign where `text` has a space."""
    reading, crop = penned(text, seed=seed)
    place = text.index(" ")
    left, right = (reading.digits[number].box for number in (place - 1, place))
    tall = int(np.median([digit.box.height for digit in reading.digits]))
    x, y, half = (left.right + right.x) // 2 - CORNER[0], left.y - CORNER[1] + tall // 2, tall // 5
    image, pen = crop.pixels.copy(), max(3, tall // 12)
    strokes = {
        "-": [((-half, 0), (half, 0))],
        "+": [((-half, 0), (half, 0)), ((0, -half), (0, half))],
        "x": [((-half, -half), (half, half)), ((-half, half), (half, -half))],
        ":": [((0, -half), (0, -half)), ((0, 2 * half), (0, 2 * half))],
    }
    for start, end in strokes[sign]:
        cv2.line(image, (x + start[0], y + start[1]), (x + end[0], y + end[1]), 40, pen, cv2.LINE_AA)
    return reading, replace(crop, pixels=image)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sign", ["-", "+", "x", ":"])
@ALL_NUMBERS
def test_a_sign_between_digits_makes_two_numbers_of_one(kind: FieldType, sign: str, seed: int) -> None:
    reading, crop = parted("12 50", sign, seed=seed)
    ink = ink_of(reading, crop)
    assert doubt_parts(reading, ink).review_reasons == (ReviewReason.INVALID_FORMAT,)
    assert doubt_number(reading, kind, crop).value is None
    assert doubt_parts(*penned_ink("12 50", seed=seed)).accepted


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("text", ["1,250", "26,30,000", "1.250.000", "70.497", "1 2 5", "7"])
def test_commas_and_gaps_part_no_number(text: str, seed: int) -> None:
    assert doubt_parts(*penned_ink(text, seed=seed)).accepted


def test_short_dashes_before_three_digits_are_points_of_thousands() -> None:
    reading, crop = parted("47 506", "-")
    left = reading.digits[1].box
    short = crop.pixels.copy()
    x = (left.right + reading.digits[2].box.x) // 2 - CORNER[0]
    y, tall = left.y - CORNER[1] + left.height // 2, left.height
    paper = int(np.median(short))
    short[y - tall // 4 : y + tall // 4, x - tall // 4 : x + tall // 4] = paper
    cv2.line(short, (x - tall // 9, y), (x + tall // 9, y), 40, max(3, tall // 14))
    assert doubt_parts(reading, ink_of(reading, replace(crop, pixels=short))).accepted


def penned_ink(text: str, *, seed: int = 0) -> tuple[FieldReading, NumberInk]:
    reading, crop = penned(text, seed=seed)
    return reading, ink_of(reading, crop)


@pytest.mark.parametrize("seed", range(4))
def test_a_point_below_a_leaning_digit_stands_in_its_box_and_is_one(seed: int) -> None:
    reading, crop = penned("12.50", seed=seed)
    left, right = reading.digits[1].box, reading.digits[2].box
    # As it is boxed where its top leans over the point.
    wide = replace(reading.digits[1], box=replace(left, width=(left.right + right.x) // 2 - left.x + left.height // 6))
    reading = replace(reading, digits=(reading.digits[0], wide, *reading.digits[2:]))
    assert doubt_units(reading, OPEN, ink_of(reading, crop)).value is None


def dashed(
    text: str,
    *,
    seed: int = 0,
    long: float = 0.4,
    gap: float = 0.3,
    level: float = 0.5,
    tail: bool = False,
    slope: float = 0,
) -> tuple[FieldReading, FieldCrop]:
    """Return a number with a stroke in front of it, perhaps one behind it too.

    Args:
        text: its digits.
        seed: whose hand it is.
        long: heights of a digit that the stroke is long.
        gap: the same between it and the number.
        level: the same between the number's top and the stroke.
        tail: whether one like it stands behind the number.
        slope: heights of a digit by which it rises.
    """
    reading, crop = penned(text, seed=seed)
    height = int(np.median([digit.box.height for digit in reading.digits]))
    room = 3 * height
    paper = np.full((crop.box.height, room), int(np.median(crop.pixels)), np.uint8)
    pixels = np.ascontiguousarray(np.concatenate([paper, crop.pixels, paper], axis=1))
    box = Box(crop.box.x - room, crop.box.y, pixels.shape[1], crop.box.height)
    first, last = reading.digits[0].box, reading.digits[-1].box
    y, length, thick = round(first.y - box.y + level * height), round(long * height), max(2, height // 14)
    starts = [first.x - box.x - round((gap + long) * height)]
    if tail:
        starts.append(last.right - box.x + round(gap * height))
    for x in starts:
        cv2.line(pixels, (x, y), (x + length, y - round(slope * height)), 40, thick)
    return reading, FieldCrop("a", "amount", box, pixels)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("long", "gap"), [(0.3, 0.1), (0.45, 0.3), (0.7, 0.6)])
@ALL_NUMBERS
def test_a_number_below_nought_has_no_value(kind: FieldType, long: float, gap: float, seed: int) -> None:
    reading, crop = dashed("125", seed=seed, long=long, gap=gap)
    doubted = doubt_number(reading, kind, crop)
    assert (doubted.text, doubted.value, doubted.accepted) == ("125", None, False)
    assert doubted.review_reasons == (ReviewReason.INVALID_FORMAT,)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "how",
    [
        {"tail": True},
        {"long": 1.4},
        {"long": 0.08},
        {"gap": 1.2},
        {"level": 1.05},
        {"level": 0.0},
        {"slope": 0.6},
    ],
    ids=["on both sides", "long", "a point", "far", "at the foot", "at the top", "slanted"],
)
def test_other_strokes_in_front_are_no_minus(how: dict[str, float], seed: int) -> None:
    reading, crop = dashed("125", seed=seed, **how)  # type: ignore[arg-type]
    assert doubt_sign(reading, ink_of(reading, crop)) == reading


def test_a_reader_loses_neither_point_nor_sign(reader: Reader) -> None:
    for crop, value in (
        (penned("12,5", seed=3)[1], None),
        (dashed("125", seed=3)[1], None),
        (penned("1,250", seed=3)[1], "1250"),
        (penned("125", seed=3)[1], "125"),
    ):
        field = read_as({"name": "integer", "maximum": 9999}, crop, reader)
        assert field.text == ("1250" if value == "1250" else "125")
        assert field.value == value
        assert field.accepted is (value is not None)


def read_as(kind: dict[str, object], crop: FieldCrop, reader: Reader) -> FieldReading:
    """Return the reading of a field that fills its page, on a form."""
    page = {"width": crop.box.width, "height": crop.box.height}
    fields = [{"name": "fee", "type": kind, "box": {"x": 0, "y": 0, **page}}]
    form = open_form(
        parse_template({"name": "bill", "page": page, "fields": fields}),
        reference=None,
        limits=DecodeLimits.from_settings(Settings()),
    )
    return reader.read_pixels(Page(0, crop.pixels), request=ReadRequest(form=form)).fields[0]


@pytest.mark.parametrize(("beside_sign", "kept"), [(True, True), (False, False)])
def test_strokes_beside_a_printed_sign_fill_the_room(*, beside_sign: bool, kept: bool) -> None:
    reading, crop = dashed("1250")
    assert (doubt_number(reading, WHOLE, crop, Place(beside_sign=beside_sign)) == reading) is kept


def test_a_cheques_cents_are_told_in_more_ways_than_any_others() -> None:
    reading, crop = penned("400")
    assert doubt_number(reading, CENTS, crop) == reading
    assert doubt_number(reading, CENTS, crop, Place(of_cheque=True)).value is None


def test_the_ink_around_a_number_is_mapped_once_for_all_that_points_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts: list[tuple[int, ...]] = []

    def counted(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
        parts.append(grey.shape)
        return ink_map(grey)

    monkeypatch.setattr("worker.number_ink.ink_map", counted)
    doubt_number(*penned_as("4250", OPEN))
    assert len(parts) == len({"points", "raised cents", "minus"})
    parts.clear()
    doubt_number(*penned_as("4250", CENTS), Place(of_cheque=True))
    assert len(parts) == len({"points", "raised cents", "minus"})


def penned_as(text: str, kind: FieldType) -> tuple[FieldReading, FieldType, FieldCrop]:
    reading, crop = penned(text)
    return reading, kind, crop
