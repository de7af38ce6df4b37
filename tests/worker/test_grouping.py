"""Among the numbers that the readers propose, that one gains between whose digits the commas stand as they should."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.settings import Settings
from core.types import FieldCrop, FieldReading
from tests.worker.test_number_doubts import OPEN, penned
from worker import recognising
from worker.networks import Networks, open_model
from worker.preparing import prepare_field
from worker.recognising import Recognition
from worker.timings import StageTimings

AMOUNTS = ("1,20,000", "74,80,000", "2,00,000", "99,000", "51,000")
SEEDS = range(4)


@pytest.fixture(scope="module")
def networks() -> Networks:
    return open_model(Settings())


def with_slash(written: FieldReading, crop: FieldCrop) -> FieldCrop:
    """Return the field with a slash behind the amount."""
    last, height = written.digits[-1].box, max(digit.box.height for digit in written.digits)
    paper = np.full((crop.box.height, 2 * height), int(np.median(crop.pixels)), np.uint8)
    pixels = np.concatenate([crop.pixels, paper], axis=1)
    x, foot = last.right - crop.box.x + height // 3, last.bottom - crop.box.y
    cv2.line(pixels, (x, foot + height // 4), (x + height // 3, foot - height), 40, max(3, height // 10))
    return replace(crop, pixels=pixels, box=replace(crop.box, width=pixels.shape[1]))


def shares_of_the_truth(networks: Networks) -> list[float]:
    """Return which share of all proposals the number has that was written, for each of some drawn amounts."""
    shares = []
    for seed in SEEDS:
        for text in AMOUNTS:
            written, crop = penned(text, seed=seed)
            field = prepare_field(with_slash(written, crop), with_line=True, kind=OPEN)
            (decoded,) = Recognition(networks, StageTimings()).read([field])
            assert decoded.fused is not None
            shares.append(sum(each.share for each in decoded.fused.proposals if each.text == written.text))
    return shares


def doubt(shares: list[float]) -> float:
    return sum(1.0 - share for share in shares)


def test_commas_speak_for_the_number_that_was_written(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    with_commas = shares_of_the_truth(networks)
    monkeypatch.setattr(recognising, "regrouped", lambda weighed, *_, **__: weighed)
    without = shares_of_the_truth(networks)
    assert all(one > other - 0.01 for one, other in zip(with_commas, without, strict=True))
    assert doubt(with_commas) < 0.6 * doubt(without)


def test_phone_numbers_are_not_grouped(networks: Networks) -> None:
    _, crop = penned("74,80,000", seed=1)
    (decoded,) = Recognition(networks, StageTimings()).read(
        [prepare_field(replace(crop, type="digits"), with_line=True)]
    )
    assert decoded.fused is not None
    assert not any(each.layout for each in decoded.fused.proposals)
