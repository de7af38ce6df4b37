"""Digits and garbage are told apart by boxes, and found by their text alone."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.types import Box
from model.corpora import LabelledBox, LabelledString, meza_strings, orand_strings
from model.mining import align, lattice_of, mine_boxes, mine_texts, overlap
from model.recogniser import Recogniser

TEXT = "4072"


@pytest.fixture(scope="module")
def string(tmp_path_factory: pytest.TempPathFactory) -> LabelledString:
    """A printed number, dark on light, with the box of each digit, and a sign behind it that is none."""
    picture = np.full((70, 270), 235, np.uint8)
    cv2.putText(picture, "=", (12 + 48 * len(TEXT), 52), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 10, 4, cv2.LINE_AA)
    boxes = []
    for place, char in enumerate(TEXT):
        ink = np.zeros_like(picture)
        cv2.putText(ink, char, (12 + 48 * place, 52), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, 4, cv2.LINE_AA)
        picture = np.minimum(picture, 255 - ink)
        x, y, width, height = cv2.boundingRect(ink)
        boxes.append(LabelledBox(int(char), (x, y, width, height)))
    path = tmp_path_factory.mktemp("strings") / "number.png"
    cv2.imwrite(str(path), picture)
    return LabelledString(path, TEXT, tuple(boxes))


@pytest.fixture(scope="module")
def reader() -> Recogniser:
    return Recogniser.load()


def test_boxes_name_the_digits(string: LabelledString, reader: Recogniser) -> None:
    finds = mine_boxes([string])
    assert sorted(set(finds.labels)) == [0, 2, 4, 7]
    samples = finds.digit_samples()
    assert np.mean(reader.classify(samples.images)[:, :10].argmax(axis=1) == samples.labels) > 0.7


def test_what_is_no_digit_is_garbage(string: LabelledString) -> None:
    garbage = mine_boxes([string]).garbage_samples(10)
    assert len(garbage) >= 1
    assert set(garbage.labels) == {10}


def test_a_text_is_found_in_reading_order(string: LabelledString, reader: Recogniser) -> None:
    path = align(lattice_of(string), TEXT, reader)
    assert path is not None
    assert all(one.end <= two.start for one, two in pairwise(path))
    for step, known in zip(path, string.boxes, strict=True):
        assert overlap(step.box, Box(*known.box)) > 0.6


def test_a_text_that_is_not_there_is_not_found(string: LabelledString, reader: Recogniser) -> None:
    wrong = LabelledString(string.path, "888888888888")
    assert align(lattice_of(wrong), wrong.text, reader) is None
    assert not mine_texts([wrong], reader).digits


def test_blank_paper_holds_nothing(tmp_path: Path, reader: Recogniser) -> None:
    cv2.imwrite(str(tmp_path / "blank.png"), np.full((60, 200), 240, np.uint8))
    blank = LabelledString(tmp_path / "blank.png", "12")
    assert not mine_texts([blank], reader).digits
    assert not mine_boxes([blank]).garbage


@pytest.mark.parametrize(
    ("other", "expected"),
    [(Box(0, 0, 10, 10), 1.0), (Box(5, 0, 10, 10), 1 / 3), (Box(10, 0, 5, 5), 0.0), (Box(0, 0, 0, 0), 0.0)],
)
def test_overlap_is_intersection_over_union(other: Box, expected: float) -> None:
    assert overlap(Box(0, 0, 10, 10), other) == pytest.approx(expected)


def test_no_string_is_both_learnt_from_and_measured_on(shared_data: Path) -> None:
    learnt = orand_strings(shared_data, training=True)
    kept = orand_strings(shared_data, training=False)
    assert max(string.path.name for string in learnt) < min(string.path.name for string in kept)
    assert len(kept) > 180
    cells = {string.path.name for string in meza_strings(shared_data, training=True)}
    assert len(cells) > 3000
    assert not cells & {string.path.name for string in meza_strings(shared_data, training=False)}
