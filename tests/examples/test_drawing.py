"""The drawings: the same for a seed, true about where the ink is, and equal to the scans in the repository."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.types import Box
from examples.draw import COLUMNS, write_scans
from examples.drawing.hand import draw_hand, write
from examples.drawing.scans import draw_scans
from examples.drawing.scenes import Background, draw_cheque, draw_field, draw_form, draw_ledger
from examples.drawing.strokes import FORMS, curve_through
from segmentation.decoding import DecodeLimits, decode_page, inspect

LIMITS = DecodeLimits(max_pixels=10_000_000, max_side=5_000, max_pages=20, pdf_dpi=200)
DIGITS = st.text("0123456789", min_size=1, max_size=12)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def committed(project_root: Path) -> Path:
    return project_root / "examples" / "scans"


def test_the_committed_scans_are_what_the_generator_draws(committed: Path) -> None:
    drawn = list(draw_scans(7))

    assert {scan.name for scan in drawn} == {path.name for path in committed.iterdir()} - {"truth.csv"}
    for scan in drawn:
        kept = (committed / scan.name).read_bytes()
        assert inspect(kept, LIMITS) == inspect(scan.data, LIMITS), scan.name
        for index in range(inspect(kept, LIMITS).pages):
            old, new = (decode_page(data, index, limits=LIMITS).pixels for data in (kept, scan.data))
            assert old.shape == new.shape, scan.name
            # Codecs of other versions round differently; another drawing differs by far more.
            assert np.abs(old.astype(int) - new.astype(int)).mean() < 1.0, scan.name


def test_the_committed_truth_is_what_the_generator_writes(committed: Path, tmp_path: Path) -> None:
    write_scans(tmp_path, seed=7)

    assert (tmp_path / "truth.csv").read_text() == (committed / "truth.csv").read_text()


def test_the_scans_are_small_and_of_every_kind(committed: Path) -> None:
    paths = [path for path in committed.iterdir() if path.name != "truth.csv"]
    kinds = {inspect(path.read_bytes(), LIMITS).media_type for path in paths}

    assert len(kinds) == 6
    assert all(path.stat().st_size < 150_000 for path in paths)
    assert sum(path.stat().st_size for path in paths) < 1_000_000


def test_the_truth_names_boxes_with_ink(committed: Path) -> None:
    with (committed / "truth.csv").open() as stream:
        rows = list(csv.DictReader(stream))

    assert tuple(rows[0]) == COLUMNS
    for row in rows:
        page = decode_page((committed / row["file"]).read_bytes(), int(row["page"]), limits=LIMITS)
        box = Box(x=int(row["x"]), y=int(row["y"]), width=int(row["width"]), height=int(row["height"]))
        assert box.x >= 0
        assert box.right <= page.width
        assert dark_share(page.pixels, box) > 0.05, row


def dark_share(pixels: NDArray[np.uint8], box: Box) -> float:
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    area = grey[box.slices]
    return float((area < 0.62 * np.median(grey)).mean())


@settings(max_examples=60, deadline=None)
@given(text=DIGITS, seed=SEEDS)
def test_a_field_holds_its_digits_from_left_to_right(text: str, seed: int) -> None:
    field = draw_field(text, seed=seed, height=40)
    height, width = field.image.shape[:2]
    centres = [box.x + box.width / 2 for box in field.boxes]

    assert field.text == text
    assert field.image.dtype == np.uint8
    assert len(field.boxes) == len(text)
    assert centres == sorted(centres)
    assert all(box.x >= 0 and box.right <= width for box in field.boxes)
    assert all(box.y >= 0 and box.bottom <= height for box in field.boxes)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_a_seed_is_a_drawing(seed: int) -> None:
    first, again = draw_field("123", seed=seed), draw_field("123", seed=seed)
    other = draw_field("123", seed=seed + 1)

    assert np.array_equal(first.image, again.image)
    assert first.boxes == again.boxes
    assert first.image.shape != other.image.shape or not np.array_equal(first.image, other.image)


@pytest.mark.parametrize("background", list(Background))
def test_every_background_leaves_the_ink_darkest(background: Background) -> None:
    field = draw_field("8888", seed=4, background=background)

    assert all(dark_share(field.image, box) > 0.1 for box in field.boxes)


def test_pages_carry_their_numbers_in_order() -> None:
    numbers = ["4711", "90325", "12"]
    for page in (draw_form(numbers, seed=2), draw_ledger(numbers, seed=2)):
        tops = [field.box.y for field in page.fields]
        assert [field.text for field in page.fields] == numbers
        assert len({field.name for field in page.fields}) == 3
        assert tops == sorted(tops)
        assert all(dark_share(page.image, field.box) > 0.05 for field in page.fields)
    (amount,) = draw_cheque("42020", seed=2).fields
    assert amount.text == "42020"


def test_every_form_of_every_digit_is_its_own_ink() -> None:
    rng = np.random.default_rng(3)
    pictures = []
    for digit, forms in FORMS.items():
        for form in range(len(forms)):
            hand = draw_hand(rng)
            steady = type(hand)(0.0, 1.0, 0.1, 0.0, 0.08, dict.fromkeys(FORMS, form), hand.colour)
            pictures.append(write(digit, height=40, hand=steady, rng=np.random.default_rng(0)).ink.sum())

    assert len({round(float(total), 2) for total in pictures}) > 18  # as good as all 23 differ


def test_curves_pass_through_their_points() -> None:
    points = np.array([(0.0, 0.0), (1.0, 2.0), (3.0, 1.0), (4.0, 4.0)])
    curve = curve_through(points)

    for point in points:
        assert np.abs(curve - point).sum(axis=1).min() < 1e-9
