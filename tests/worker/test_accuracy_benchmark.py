"""The figures of `benchmarks/accuracy.py`, on readings whose figures are known."""

from pathlib import Path

import pytest

from benchmarks.accuracy import Reading, calibration_error, coverage, measure_lattices, mnist_files, score
from model.corpora import orand_strings


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


def test_the_lattice_is_measured_on_labelled_boxes(shared_data: Path) -> None:
    figures = measure_lattices(orand_strings(shared_data, training=True)[:10])
    assert figures["n"] == 10
    assert 0.9 <= figures["fields"] <= figures["digits"] <= 1


def test_every_sixtieth_training_image_of_mnist_is_read(shared_data: Path) -> None:
    files = mnist_files(shared_data)
    assert len(files) == 1000
    assert {truth for truth, _ in files} == set("0123456789")
    assert all(data.startswith(b"\x89PNG") for _, data in files)
