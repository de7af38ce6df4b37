"""What a reading of print is worth, shown by labelled fields."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from forms.field_types import field_type
from model.artifacts import SHIPPED
from model.printed.fonts import ENOUGH, fonts_here
from worker import calibrate_printed
from worker.calibrate_printed import Judged, Labelled, calibrated, drawn_fields
from worker.networks import CALIBRATION, save_calibration
from worker.printed import PrintReader

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


def test_the_calibration_names_the_network_that_it_was_made_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copytree(SHIPPED / "printed", tmp_path / "printed")) / CALIBRATION
    monkeypatch.setattr(calibrate_printed, "drawn_fields", lambda _: iter(()))
    monkeypatch.setattr(calibrate_printed, "judged", lambda *_: rows(200))
    monkeypatch.setattr(sys, "argv", ["calibrate_printed", "--models", str(tmp_path)])
    calibrate_printed.main()
    reader = PrintReader.load(root=tmp_path)
    assert json.loads(path.read_text("utf-8"))["networks"] == [reader.info.sha256]
    assert reader.is_calibrated
    assert reader.calibration == calibrated(rows(200))


def test_a_calibration_of_another_network_is_told_and_one_that_does_not_say_is_taken(tmp_path: Path) -> None:
    path = Path(shutil.copytree(SHIPPED / "printed", tmp_path / "printed")) / CALIBRATION
    reader = PrintReader.load(root=tmp_path)
    assert reader.is_calibrated
    save_calibration(path, reader.calibration, networks=["0" * 64])
    with capture_logs() as logs:
        assert not PrintReader.load(root=tmp_path).is_calibrated
    assert [each["event"] for each in logs] == ["calibration was made for other networks: confidences mean little"]
    save_calibration(path, reader.calibration, networks=[])
    assert PrintReader.load(root=tmp_path).is_calibrated
