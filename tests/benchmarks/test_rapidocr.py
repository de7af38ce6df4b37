"""The processes that take turns are real ones: Tallyscan's reads, RapidOCR's says why it cannot where it is missing."""

import importlib.util
import sys
from pathlib import Path

import pytest

from benchmarks.fields import Field
from benchmarks.rapidocr import figures_of, first_core, ratios, start, take_turns
from tests.factories import png_bytes


def test_both_read_every_field_in_turns(tmp_path: Path) -> None:
    fields = []
    for number in (4711, 305, 98):
        (tmp_path / f"{number}.png").write_bytes(png_bytes(str(number), seed=number))
        fields.append(Field(f"{number}.png", str(number), b""))
    sides = [start("tallyscan", Path(sys.executable), "", core=first_core()) for _ in range(2)]
    take_turns(sides, fields, tmp_path, block=2, rounds=2)
    for side in sides:
        assert (len(side.seconds), len(side.readings)) == (4, 6)
        assert [reading.text for reading in side.readings[:3]] == [reading.text for reading in side.readings[3:]]
        figures = figures_of(side, fields=3)
        assert figures["exact"] >= 2 / 3
        assert 20 < figures["resident_mib"] < 400
        side.close()
    assert ratios(*sides)["times_as_fast"] == pytest.approx(sum(sides[1].seconds) / sum(sides[0].seconds))


@pytest.mark.skipif(importlib.util.find_spec("rapidocr") is not None, reason="RapidOCR is installed here")
def test_a_missing_reader_says_so() -> None:
    with pytest.raises(SystemExit, match="rapidocr cannot be started: ModuleNotFoundError"):
        start("rapidocr", Path(sys.executable), "48", core=first_core())
