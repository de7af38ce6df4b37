"""Labelled fields to a calibration, on evidence whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from forms.confidence import Calibration, calibration_error, features, stored_confidence
from forms.fusion import Fused, FusionWeights, Proposal
from worker.calibrating import Evidence, LabelledField, calibrate, recalibrate, refused


def evidence(count: int, *, seed: int, lattice: float, lines: float, collection: str = "drawn") -> list[Evidence]:
    """Return fields of three proposals; the truth stands out by so many nats with each reader, give or take as many."""
    rng = np.random.default_rng(seed)
    found = []
    for place in range(count):
        texts = [str(number) for number in rng.choice(900, 3, replace=False) + 100]
        scores = rng.normal(0, 1, (2, 3)) * 1.5
        scores[0, 0] += lattice
        scores[1, 0] += lines
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        proposals = tuple(
            Proposal(text, 1 / 3, float(logs[0, index]), float(logs[1, index]), True)
            for index, text in enumerate(texts)
        )
        best = [texts[int(row.argmax())] for row in logs]
        field = LabelledField(str(place), b"", texts[0], "digits", f"{collection} {place // 5}", collection)
        found.append(Evidence(field, refused(Fused(proposals, best[0], best[1]), FusionWeights()), 0.0))
    return found


def share_right(fields: list[Evidence], calibration: Calibration) -> float:
    read = [refused(each.fused, calibration.weights("digits")).proposals[0].text for each in fields]
    return float(np.mean([text == each.field.text for text, each in zip(read, fields, strict=True)]))


def first_is_right(each: Evidence) -> bool:
    return each.fused.proposals[0].text == each.field.text


def accepted(fields: list[Evidence], calibration: Calibration, *, target_error: float) -> list[bool]:
    """Return of each field that is accepted whether it was read right."""
    found = []
    for each in fields:
        again = refused(each.fused, calibration.weights("digits"))
        if calibration.confidence(features(again, other=each.other)) >= calibration.threshold(target_error):
            found.append(again.proposals[0].text == each.field.text)
    return found


def accepted_wrong(fields: list[Evidence], calibration: Calibration, *, target_error: float) -> float:
    return 1 - float(np.mean(accepted(fields, calibration, target_error=target_error)))


def test_the_better_reader_counts_more() -> None:
    calibration, _ = calibrate(evidence(600, seed=1, lattice=0.5, lines=4.0))
    assert calibration.fusion.lines > 2 * calibration.fusion.lattice
    calibration, _ = calibrate(evidence(600, seed=1, lattice=4.0, lines=0.5))
    assert calibration.fusion.lattice > 2 * calibration.fusion.lines


def test_two_readers_together_beat_each_alone() -> None:
    fields = evidence(800, seed=2, lattice=2.5, lines=2.5)
    calibration, _ = calibrate(fields)
    fresh = evidence(800, seed=3, lattice=2.5, lines=2.5)
    alone = [np.mean([getattr(each.fused, name) == each.field.text for each in fresh]) for name in
             ("lattice_text", "lines_text")]  # fmt: skip
    assert share_right(fresh, calibration) > max(alone) + 0.03


def test_confidence_is_the_share_that_is_right() -> None:
    calibration, judged = calibrate(evidence(1500, seed=4, lattice=2.0, lines=3.0))
    confidences = np.array(calibration.confidences)
    right = np.array(calibration.right)
    assert len(judged) == 1500
    assert abs(confidences.mean() - right.mean()) < 0.02
    for low, high in ((0.5, 0.8), (0.8, 0.95), (0.95, 1.0)):
        inside = (confidences >= low) & (confidences < high)
        assert right[inside].mean() == pytest.approx(confidences[inside].mean(), abs=0.06)


def test_numbers_mean_what_they_say_beside_many_that_are_none() -> None:
    fields = evidence(1500, seed=9, lattice=2.0, lines=3.0)
    # As sure as a number is read in what holds none: its confidence must suffer, numbers' must not.
    none = [
        replace(each, field=replace(each.field, text="", collection="none", group=f"none {place // 5}"), other=0.4)
        for place, each in enumerate(evidence(600, seed=10, lattice=3.0, lines=4.0))
    ]
    mixed, judged = calibrate([*fields, *none])
    right = np.array([text == each.field.text for each, (text, _) in zip(fields, judged, strict=False)])
    sure = np.array([confidence for _, confidence in judged[: len(fields)]])
    assert calibration_error(sure.tolist(), right.tolist()) < 0.04
    assert np.mean([confidence for _, confidence in judged[len(fields) :]]) < 0.3 < sure.mean()
    assert len(mixed.straightening) == 3


def test_what_is_accepted_keeps_to_the_target_on_fresh_fields() -> None:
    calibration, _ = calibrate(evidence(2500, seed=5, lattice=4.0, lines=5.0))
    fresh = evidence(2500, seed=6, lattice=4.0, lines=5.0)
    assert len(accepted(fresh, calibration, target_error=0.02)) > 500
    assert accepted_wrong(fresh, calibration, target_error=0.02) <= 0.02


def test_other_fields_move_a_calibration_without_fitting_it_anew() -> None:
    shipped, _ = calibrate(evidence(1000, seed=7, lattice=3.0, lines=4.0))
    harder = evidence(400, seed=8, lattice=1.0, lines=1.5, collection="a user's")
    moved, judged = recalibrate(harder, shipped)
    assert moved.fusion == shipped.fusion
    assert moved.data == ("a user's",)
    assert np.mean(moved.confidences) == pytest.approx(np.mean(moved.right), abs=0.03)
    assert np.mean(moved.right) < np.mean(shipped.right)
    assert sorted(map(stored_confidence, (sure for _, sure in judged)), reverse=True) == list(moved.confidences)


def test_a_few_fields_move_a_calibration_with_those_that_it_was_made_from() -> None:
    shipped, _ = calibrate(evidence(1500, seed=11, lattice=3.0, lines=4.0))
    easy = [each for each in evidence(60, seed=12, lattice=6.0, lines=8.0, collection="own") if first_is_right(each)]
    moved, _ = recalibrate(easy, shipped, keep=True)
    assert set(moved.data) == {*shipped.data, "own"}
    assert len(moved.confidences) == len(shipped.confidences) + len(easy)
    assert accepted_wrong(evidence(4000, seed=14, lattice=3.0, lines=4.0), moved, target_error=0.02) <= 0.025


def test_what_is_all_right_is_accepted() -> None:
    shipped, _ = calibrate(evidence(1000, seed=7, lattice=3.0, lines=4.0))
    clear = [each for each in evidence(600, seed=13, lattice=9.0, lines=12.0) if first_is_right(each)]
    moved, _ = recalibrate(clear, shipped)
    assert len(accepted(clear, moved, target_error=0.01)) > 0.9 * len(clear)


def test_fields_read_as_empty_have_no_part_in_a_threshold() -> None:
    fields = evidence(500, seed=7, lattice=4.0, lines=4.0)
    emptied = [replace(each, fused=_emptied(each.fused)) for each in evidence(60, seed=8, lattice=4.0, lines=4.0)]
    known, judged = calibrate([*fields, *emptied])
    assert sum(not text for text, _ in judged) > 30
    assert len(known.confidences) == sum(bool(text) for text, _ in judged)
    moved, _ = recalibrate([*fields, *emptied], known)
    assert len(moved.confidences) == len(known.confidences)


def _emptied(fused: Fused) -> Fused:
    """Return the same, its best proposal that nothing is written."""
    best, *others = fused.proposals
    return replace(fused, proposals=(replace(best, text=""), *others))
