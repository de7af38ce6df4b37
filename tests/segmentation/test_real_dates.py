"""The dates of real cheques, through the comb, the network that ships and the rules of dates."""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.types import Box, FieldCrop
from forms.decoder import Decoded, decode
from forms.field_types import field_type
from model.recogniser import Recogniser
from segmentation.comb_lattice import build_comb_lattice
from segmentation.combs import Comb, find_comb

DATE = field_type("date")


@dataclass(frozen=True, slots=True)
class _Sample:
    crop: FieldCrop
    comb: Comb | None
    date: str


@pytest.fixture(scope="module", params=[1.0, 0.5], ids=["as scanned", "half as large"])
def samples(shared_data: Path, request: pytest.FixtureRequest) -> list[_Sample]:
    """Return the date fields of all cheques, with their combs."""
    folder = shared_data / "idrbt_cheques"
    dates = {row["file"]: row["date_ddmmyyyy"] for row in _rows(folder / "labels.csv")}
    rows = [row for row in _rows(folder / "field_boxes.csv") if row["field"] == "DateIss"]
    return [_sample(folder / "images" / row["file"], row, dates[row["file"]], request.param) for row in rows]


def test_every_comb_is_found_and_fits(samples: list[_Sample]) -> None:
    assert len(samples) == 40
    for sample in samples:
        assert sample.comb is not None
        assert len(sample.comb.cells) == 8
        assert sample.comb.residual_px < 1.0


def test_most_dates_are_read_whole(samples: list[_Sample]) -> None:
    recogniser = Recogniser.load("digits")
    right = [_read(sample, recogniser).text == sample.date for sample in samples]
    assert sum(right) >= 0.9 * len(right)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def _sample(path: Path, row: dict[str, str], date: str, scale: float) -> _Sample:
    page = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert page is not None
    field = page[int(row["y1"]) : int(row["y2"]), int(row["x1"]) : int(row["x2"])]
    grey = np.asarray(cv2.resize(field, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    box = Box(x=0, y=0, width=grey.shape[1], height=grey.shape[0])
    comb = find_comb(grey, cells=DATE.comb_cells)
    return _Sample(crop=FieldCrop("date", "date", box, grey), comb=comb, date=date)


def _read(sample: _Sample, recogniser: Recogniser) -> Decoded:
    assert sample.comb is not None
    lattice = build_comb_lattice(sample.crop, sample.comb)
    scores = recogniser.classify(np.stack([candidate.glyph for candidate in lattice.candidates]))
    return decode(lattice, scores, classes=recogniser.classes, crop=sample.crop, field_type=DATE)
