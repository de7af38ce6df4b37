"""What a reading of print is worth, shown by labelled fields."""

import numpy as np
import pytest

from forms.field_types import field_type
from model.printed.fonts import ENOUGH, fonts_here
from worker.calibrate_printed import Judged, Labelled, calibrated, drawn_fields

LENGTH = 12.0


def rows(count: int) -> list[Judged]:
    """Return what a reader may have said: the surer it was, the more often it was right."""
    rng = np.random.default_rng(5)
    field = Labelled(np.zeros((1, 1), np.uint8), "1", field_type("digits"), "drawn")
    found = []
    for _ in range(count):
        sure = float(rng.uniform(-1, 9))
        right = bool(rng.random() < 1 / (1 + np.exp(-2 * sure)))
        found.append(Judged(field, (sure, -0.01, -np.exp(-sure), 0.0, 0.0, 0.01, LENGTH, 0.0), right))
    return found


def test_surer_readings_are_more_probable_and_the_target_is_kept() -> None:
    calibration = calibrated(rows(2000))
    sure, unsure = ((value, -0.01, -np.exp(-value), 0.0, 0.0, 0.01, LENGTH, 0.0) for value in (8.0, 0.0))
    assert calibration.confidence(sure) > 0.97
    assert calibration.confidence(unsure) < 0.7
    threshold = calibration.threshold(0.02)
    accepted = [
        right for each, right in zip(calibration.confidences, calibration.right, strict=True) if each >= threshold
    ]
    assert len(accepted) > 800
    assert accepted.count(0) / len(accepted) < 0.02
    assert calibration.data == ("drawn",)


def test_drawn_fields_are_the_same_whichever_are_drawn_before() -> None:
    if len(fonts_here()) < ENOUGH:
        pytest.skip("too few free fonts are installed; docs/printed.md names the packages")
    alone, (_, again) = next(drawn_fields(range(5, 6))), tuple(drawn_fields(range(4, 6)))
    assert alone.text == again.text
    assert (alone.pixels == again.pixels).all()
