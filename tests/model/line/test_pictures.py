"""Numbers put together from pictures of single digits."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import InvalidRequest
from model.line.material import OPEN, STRINGS, described, load_ingredients
from model.line.paper import painted_ink
from model.line.pictures import DIGIT_HEIGHT, FILES, DigitPictures, compose_pictures, load_pictures
from segmentation.line import prepare_line


@pytest.fixture(scope="module")
def pictures(drawn_data: Path) -> DigitPictures:
    return load_pictures(drawn_data)


def test_the_same_seed_composes_the_same_number(pictures: DigitPictures) -> None:
    first, again, other = (compose_pictures(pictures, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first.text == again.text
    assert np.array_equal(first.ink, again.ink)
    assert first.ink.shape != other.ink.shape or not np.array_equal(first.ink, other.ink)


def test_a_number_is_as_wide_as_its_digits_and_about_as_high_as_one(pictures: DigitPictures) -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        number = compose_pictures(pictures, rng)
        assert number.text.isdigit()
        assert number.ink.dtype == np.float32
        assert 0 <= number.ink.min() <= number.ink.max() <= 1
        assert number.ink.max() > 0.9
        # Cut to what it covers, but for the soft edge of a digit's picture.
        assert number.ink[:, :8].any()
        assert number.ink[:, -8:].any()
        assert 0.6 * DIGIT_HEIGHT < number.ink.shape[0] < 3.5 * DIGIT_HEIGHT
        assert number.ink.shape[1] > 0.1 * DIGIT_HEIGHT * len(number.text)


def test_pens_are_of_many_widths(pictures: DigitPictures) -> None:
    rng = np.random.default_rng(2)
    only = DigitPictures(dict.fromkeys("0123456789", pictures.digits["0"][:1]))
    shares = [float(np.median(row[row > 0])) for row in _thicknesses(only, rng)]
    assert max(shares) > 1.6 * min(shares)


def test_every_digit_may_come(pictures: DigitPictures) -> None:
    rng = np.random.default_rng(3)
    texts = "".join(compose_pictures(pictures, rng).text for _ in range(80))
    assert set(texts) == set("0123456789")


def test_ink_on_paper_is_a_field_with_the_ink_in_it(pictures: DigitPictures) -> None:
    rng = np.random.default_rng(4)
    written = 0
    for _ in range(40):
        number = compose_pictures(pictures, rng)
        field = painted_ink(number.ink, rng, digit_height=DIGIT_HEIGHT)
        assert field.dtype == np.uint8
        assert field.ndim == 2
        assert min(field.shape) >= 8
        line = prepare_line(field)
        written += bool((line.pixels > 100).mean() > 0.01)
    assert written > 35


def test_a_folder_without_the_pictures_is_refused(drawn_data: Path, tmp_path: Path) -> None:
    for source in drawn_data.iterdir():
        if source.name != "mnist":
            (tmp_path / source.name).symlink_to(source)
    with pytest.raises(InvalidRequest, match=FILES[0]):
        load_ingredients(tmp_path, recipe=STRINGS)
    assert load_ingredients(tmp_path, recipe=OPEN).pictures is None


def test_what_may_be_used_for_anything_holds_none_of_them(drawn_data: Path) -> None:
    assert {"mnist", "optdigits"} <= {source.name for source in described(drawn_data, recipe=STRINGS)}
    assert not {"mnist", "optdigits"} & {source.name for source in described(drawn_data, recipe=OPEN)}


def _thicknesses(pictures: DigitPictures, rng: np.random.Generator) -> list[np.ndarray]:
    return [
        cv2.distanceTransform((compose_pictures(pictures, rng).ink > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        for _ in range(30)
    ]
