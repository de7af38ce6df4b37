"""Registration of real cheques and forms: variable handwriting on one template, other templates refused."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Page
from segmentation.registration.geometry import as_grey
from segmentation.registration.reference import Reference, prepare_reference
from segmentation.registration.register import register
from segmentation.registration.target import Method, RegistrationTarget


def load(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def target_on(path: Path) -> RegistrationTarget:
    picture = load(path)
    size = (picture.shape[1], picture.shape[0])
    return RegistrationTarget(Method.FEATURES, size, reference=prepare_reference(picture, size))


def banks(data: Path) -> dict[str, list[Path]]:
    """Return the cheques of each bank."""
    found: dict[str, list[Path]] = {}
    with (data / "idrbt_cheques" / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["bank"], []).append(data / "idrbt_cheques" / "images" / row["file"])
    return found


def likeness(laid: NDArray[np.uint8], reference: object) -> float:
    """Return how well print lies on print: the correlation of finely blurred pictures."""
    assert isinstance(reference, Reference)
    one, other = (cv2.GaussianBlur(each, (0, 0), 2) for each in (as_grey(laid), reference.grey))
    return float(cv2.matchTemplate(one, other, cv2.TM_CCOEFF_NORMED)[0, 0])


@pytest.mark.parametrize("bank", ["Axis", "Canara", "ICICI", "Syndicate"])
def test_cheques_of_one_bank_lie_on_each_other(shared_data: Path, bank: str) -> None:
    first, *others = banks(shared_data)[bank]
    target = target_on(first)
    for path in others[:3]:
        page = Page(index=0, pixels=load(path))
        laid = register(page, target)
        assert not laid.poor
        assert laid.registration.residual_px < 2.5
        assert likeness(laid.page.pixels, target.reference) > 0.6


def test_cheques_of_another_bank_are_refused(shared_data: Path) -> None:
    first, *others = (files[0] for files in banks(shared_data).values())
    target = target_on(first)
    assert all(register(Page(index=0, pixels=load(path)), target).poor for path in others)


def test_photos_of_one_cheque_lie_on_each_other(shared_data: Path) -> None:
    first, *others = sorted((shared_data / "us_checks" / "images").iterdir())
    target = target_on(first)
    laid = [register(Page(index=0, pixels=load(path)), target) for path in others[::3]]
    assert not any(each.poor for each in laid)


def test_an_upside_down_cheque_is_put_upright(shared_data: Path) -> None:
    first, second, *_ = banks(shared_data)["Axis"]
    target = target_on(first)
    turned = np.ascontiguousarray(np.rot90(load(second), 2))
    laid = register(Page(index=0, pixels=turned), target)
    assert not laid.poor
    assert laid.turned_degrees == 180
    assert likeness(laid.page.pixels, target.reference) > 0.6
