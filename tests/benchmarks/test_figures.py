"""The figures of the benchmarks, on readings whose figures are known."""

import json
import random
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from benchmarks.figures import (
    Reading,
    bins_of,
    calibration_error,
    chance_errors,
    coverage,
    edit_distance,
    risks,
    score,
    write_csv,
)
from benchmarks.plots import draw_honesty


def reading(text: str, confidence: float, *, accepted: bool = False) -> Reading:
    return Reading("7", text, confidence, accepted)


def test_whole_strings_are_counted() -> None:
    figures = score([reading("7", 0.99, accepted=True), reading("1", 0.98, accepted=True), reading("7", 0.2)])
    assert figures["n"] == 3
    assert figures["exact"] == pytest.approx(2 / 3)
    assert figures["accepted"] == pytest.approx(2 / 3)
    assert figures["accepted_wrong"] == pytest.approx(1 / 2)


def test_coverage_goes_as_far_as_a_threshold_keeps_the_target() -> None:
    readings = [reading("1" if place == 50 else "7", 1 - place / 100) for place in range(100)]
    assert coverage(readings, 0.001) == pytest.approx(0.5)
    assert coverage(readings, 0.01) == pytest.approx(1.0)


def test_no_threshold_divides_equal_confidences_and_nothing_read_is_never_covered() -> None:
    assert coverage([reading("7", 0.5), reading("1", 0.5)], 0.01) == 0
    assert coverage([reading("7", 0.5), reading("", 0.9)], 0.01) == pytest.approx(0.5)
    assert coverage([], 0.01) == 0


def test_calibration_is_the_distance_of_confidence_and_accuracy_bin_by_bin() -> None:
    assert calibration_error([reading("7", 0.9), reading("7", 0.8), reading("1", 0.8)]) == pytest.approx(0.7 / 3)
    assert calibration_error([reading("7", 1.0), reading("", 1.0)]) == 0
    assert bins_of([reading("7", 0.81), reading("1", 0.83), reading("", 1.0)]) == ((pytest.approx(0.82), 0.5, 2),)


def test_distances_count_signs() -> None:
    assert [edit_distance(*pair) for pair in (("", ""), ("12", ""), ("1234", "124"), ("171", "111"))] == [0, 2, 1, 1]


def test_the_error_of_what_is_accepted_is_bounded_from_above() -> None:
    figures = score([reading("7", 0.99, accepted=True)] * 300)
    # Without errors Clopper and Pearson's bound is 1 - 0.05 ** (1 / n).
    assert figures["accepted_wrong_at_most"] == pytest.approx(1 - 0.05 ** (1 / 300), abs=1e-6)
    assert score([reading("7", 0.2)])["accepted_wrong_at_most"] == 1.0


def test_the_public_scorer_agrees(shared_data: Path, tmp_path: Path) -> None:
    rng = random.Random(3)
    readings = []
    for place in range(400):
        sure = round(rng.random(), 2)
        truth = str(rng.randrange(10_000))
        text = truth if rng.random() < sure else rng.choice(["", truth[:-1], truth + "0"])
        readings.append(Reading(truth, text, sure, sure > 0.9, f"{place}.png"))
    write_csv(tmp_path, "drawn", readings)
    command = [sys.executable, shared_data.parent / "score.py", tmp_path / "drawn.csv", tmp_path / "drawn.labels.csv"]
    theirs = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    ours = score(readings)
    assert {name: theirs[name] for name in ("n", "exact", "ned", "empty", "aurc", "ece")} == {
        name: pytest.approx(ours[name], abs=1e-5) for name in ("n", "exact", "ned", "empty", "aurc", "ece")
    }
    assert theirs["coverage"] == {
        target: pytest.approx(ours[f"coverage_at_{target}"], abs=1e-5) for target in ("0.1%", "0.5%", "1%")
    }


def test_a_perfect_calibration_has_the_error_of_chance() -> None:
    rng = random.Random(5)
    drawn = [rng.random() for _ in range(150)]
    honest = [reading("7" if rng.random() < sure else "1", sure) for sure in drawn]
    boastful = [reading("7" if rng.random() < sure / 2 else "1", sure) for sure in drawn]
    by_chance, at_most = chance_errors(honest)
    assert (by_chance, at_most) == pytest.approx(chance_errors(boastful))
    assert 0.02 < by_chance < at_most < 0.2
    assert calibration_error(honest) < at_most < calibration_error(boastful)
    assert chance_errors([reading("7", 1.0)] * 9) == (0.0, 0.0)


def test_the_risk_grows_with_what_is_accepted() -> None:
    readings = [reading("7", 0.9), reading("7", 0.9), reading("1", 0.5), reading("", 1.0)]
    assert risks(readings) == [(0.0, 0.0), (0.5, 0.0), (0.75, pytest.approx(1 / 3))]


def test_what_confidences_are_worth_is_drawn(tmp_path: Path) -> None:
    readings = [reading("7" if place % 4 else "1", place / 20) for place in range(20)]
    draw_honesty(tmp_path / "made" / "honesty.png", {"drawn": readings, "one": readings[:1]})
    picture = cv2.imread(str(tmp_path / "made" / "honesty.png"))
    assert picture is not None
    assert picture.std() > 5
