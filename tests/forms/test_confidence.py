"""From evidence to a probability, and from labelled fields to the threshold of a target error."""

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from core.codec import from_json
from forms.confidence import (
    FEATURES,
    NOTHING_ACCEPTED,
    PROBABILITIES,
    Calibration,
    as_confidence,
    exceeds,
    features,
    features_at_a_glance,
    fields_needed,
    stored_confidence,
    upper_bound,
)
from forms.fusion import Fused, FusionWeights, Proposal, fused_shares, laid_out

EVEN = (0.0,) * len(FEATURES)


def known(confidences: list[float], right: list[int]) -> Calibration:
    return Calibration(FusionWeights(), 0.0, EVEN, confidences=tuple(confidences), right=tuple(right))


@pytest.mark.parametrize(
    ("wrong", "count", "bound"),
    # The one-sided 95 % bounds of Clopper and Pearson's tables.
    [(0, 10, 0.2589), (1, 10, 0.3942), (5, 100, 0.1023), (0, 299, 0.00997), (10, 10, 1.0)],
)
def test_the_bound_is_the_tables(wrong: int, count: int, bound: float) -> None:
    assert upper_bound(wrong, count) == pytest.approx(bound, abs=2e-4)


def test_fields_needed_show_the_target_and_one_less_does_not() -> None:
    needed = fields_needed(0.01)
    assert upper_bound(0, needed) <= 0.01 < upper_bound(0, needed - 1)


def test_the_threshold_takes_in_as_much_as_the_target_allows() -> None:
    rng = np.random.default_rng(3)
    confidences = np.sort(rng.uniform(0, 1, 5000))[::-1]
    right = rng.uniform(0, 1, 5000) < 1 - (1 - confidences) ** 2 / 2
    calibration = known(confidences.round(5).tolist(), right.astype(int).tolist())
    strict, loose = calibration.threshold(0.01), calibration.threshold(0.05)
    assert 0 < loose < strict < 1
    for threshold, target in ((strict, 0.01), (loose, 0.05)):
        accepted = right[confidences >= threshold]
        assert 1 - accepted.mean() <= target


def test_as_few_fields_as_are_needed_show_a_target() -> None:
    needed = fields_needed(0.01)
    assert known([0.9] * needed, [1] * needed).threshold(0.01) == 0.9
    assert known([0.9] * (needed - 1), [1] * (needed - 1)).threshold(0.01) == NOTHING_ACCEPTED


def test_an_error_among_the_surest_is_made_up_for_by_many_that_are_right() -> None:
    count = 8 * fields_needed(0.01)
    confidences = np.linspace(1, 0.5, count).round(5).tolist()
    assert known(confidences, [0, *[1] * (count - 1)]).threshold(0.01) == 0.5


def test_the_target_is_kept_but_for_one_draw_in_twenty() -> None:
    rng = np.random.default_rng(8)
    target, above = 0.02, 0
    for _ in range(400):
        confidences = np.sort(rng.uniform(0, 1, 900))[::-1]
        # A reading is wrong with 6 % of what its confidence lacks of 1, so accepted ones from t on with 3 % of 1 - t.
        right = rng.uniform(0, 1, 900) >= 0.06 * (1 - confidences)
        threshold = known(confidences.tolist(), right.astype(int).tolist()).threshold(target)
        above += 0.03 * (1 - threshold) > target
    assert above / 400 <= 0.05 + 0.02


def test_equally_sure_fields_are_accepted_together_or_not_at_all() -> None:
    tied = known([0.99] * 300 + [0.9] * 100, [1] * 340 + [0] * 60)
    assert tied.threshold(0.01) == 0.99
    assert known([0.99] * 400, [1] * 340 + [0] * 60).threshold(0.01) == NOTHING_ACCEPTED


@pytest.mark.parametrize("odds", [1.234567, 5.6, 8.99999, 12.0, 40.0])
def test_a_reading_reaches_what_one_like_it_was_stored_with(odds: float) -> None:
    share_alone = Calibration(FusionWeights(), 0.0, (1.0, *[0.0] * (len(FEATURES) - 1)))
    assert stored_confidence(as_confidence(odds)) <= share_alone.confidence((odds, *[0.0] * (len(FEATURES) - 1)))


def test_moving_a_calibration_moves_its_fields() -> None:
    share_alone = Calibration(FusionWeights(), 0.0, (1.0, *[0.0] * (len(FEATURES) - 1)))
    odds = [7.0, 3.0, 0.5]
    rows = [(each, *[0.0] * (len(FEATURES) - 1)) for each in odds]
    moved = replace(share_alone, confidences=tuple(map(as_confidence, odds)), right=(1, 1, 0)).moved(0.4, 1.2)
    assert moved.confidences == pytest.approx([moved.confidence(row) for row in rows], abs=1e-5)
    assert moved.right == (1, 1, 0)


def test_more_errors_than_chance_allows_exceed_a_target() -> None:
    assert [exceeds(0.01, wrong=wrong, count=100) for wrong in (0, 1, 3, 4, 39)] == [False, False, False, True, True]


def test_nothing_is_accepted_where_nothing_was_shown() -> None:
    assert known([], []).threshold(0.01) == NOTHING_ACCEPTED
    assert known([0.99] * 20, [1] * 20).threshold(0.01) == NOTHING_ACCEPTED
    assert known([0.9] * 50, [0] * 50).threshold(0.5) == NOTHING_ACCEPTED


def test_features_of_the_surest_reading_are_finite() -> None:
    fused = Fused((Proposal("47", 1.0, -math.inf, -1e9, True),), None, "47")
    values = features(fused, other=0.0)
    assert len(values) == len(FEATURES)
    assert all(math.isfinite(value) for value in values)
    assert 0.0 < known([], []).confidence(values) < 1.0


@pytest.mark.parametrize("line", [(0.1, 0.5, 2.2), (-0.4, 1.3, -0.8)])
def test_a_straightened_calibration_keeps_the_order(line: tuple[float, ...]) -> None:
    share_alone = (1.0, *[0.0] * (len(FEATURES) - 1))
    plain = Calibration(FusionWeights(), 0.2, share_alone)
    straight = Calibration(FusionWeights(), 0.2, share_alone, straightening=line)
    rows = [(share, *[0.0] * (len(FEATURES) - 1)) for share in np.linspace(-8, 8, 60).tolist()]
    assert [plain.logit(row) for row in rows] == pytest.approx([row[0] + 0.2 for row in rows])
    assert all(np.diff([straight.logit(row) for row in rows]) > 0)
    moved = straight.moved(0.3, 2.0)
    assert [moved.logit(row) for row in rows] == pytest.approx([0.3 + 2.0 * straight.logit(row) for row in rows])


def test_a_calibration_without_one_is_moved_the_same_way() -> None:
    plain = Calibration(FusionWeights(), 0.2, (1.0, *[0.5] * (len(FEATURES) - 1)))
    row = (1.5, *[0.1] * (len(FEATURES) - 1))
    assert plain.moved(0.3, 2.0).logit(row) == pytest.approx(0.3 + 2.0 * plain.logit(row))


def test_nearly_sure_readings_are_told_apart_by_the_logarithm_of_their_doubt() -> None:
    plain = Calibration(FusionWeights(), 0.0, (1.0,) * len(FEATURES))
    finer = replace(plain, loglog=True)
    values = dict.fromkeys(FEATURES, 0.0)
    readings = [tuple({**values, "lines": math.log(sure)}.values()) for sure in (0.001, 0.1, 0.9, 0.99, 1.0)]
    assert [plain.weighed(reading) for reading in readings] == readings
    place = FEATURES.index("lines")
    weighed = [finer.weighed(reading) for reading in readings]
    steps = np.diff([row[place] for row in weighed])
    assert (steps > 0).all()
    # Between 0.9 and 1 lies as much as between a thousandth and 0.9; on the plain scale next to nothing.
    assert steps[2:].sum() > 0.5 * steps[:2].sum()
    others = [place for place, name in enumerate(FEATURES) if name not in PROBABILITIES]
    assert all(row[place] == reading[place] for row, reading in zip(weighed, readings, strict=True) for place in others)


def test_a_calibration_of_an_earlier_version_is_read_as_it_was() -> None:
    stored = asdict(Calibration(FusionWeights(), 0.5, tuple(0.1 * place for place in range(len(FEATURES)))))
    del stored["loglog"]
    values = (2.0, -0.5, -3.0, -1.0, 1.0, 0.2, 4.0, 0.0)
    expected = 0.5 + sum(0.1 * place * value for place, value in enumerate(values))
    assert from_json(Calibration, json.loads(json.dumps(stored))).logit(values) == pytest.approx(expected)


def test_a_glance_counts_on_no_more_than_the_lattice_mostly_says() -> None:
    names = dict(zip(FEATURES, features_at_a_glance(-1e-4, other=0.0, length=3), strict=True))
    assert names["lattice"] < names["lines"] < 0.0


def test_a_type_has_its_own_weights() -> None:
    own = FusionWeights(lattice=0.0)
    calibration = Calibration(FusionWeights(), 0.0, EVEN, {"amount": own})
    assert calibration.weights("amount") == own
    assert calibration.weights("digits") == FusionWeights()


def test_shares_sum_to_one_and_keep_to_the_floors() -> None:
    shares = fused_shares(
        np.array([-0.1, -np.inf]), np.array([-50.0, -0.1]), np.array([2, 3]), FusionWeights(lattice_floor=-2.0)
    )
    assert shares.sum() == pytest.approx(1.0)
    assert shares[1] > shares[0] > 0


def test_readers_are_as_sure_as_the_layout_leaves_them() -> None:
    proposals = (Proposal("7480000", 0.5, -3.0, -1.0, True), Proposal("748000", 0.5, -2.0, -0.7, True))
    plain = dict(zip(FEATURES, features(Fused(proposals, None, None), other=0.0), strict=True))
    assert (plain["lattice"], plain["lines"]) == (-3.0, -1.0)
    moved = laid_out(Fused(proposals, None, None), {"7480000": 2.0})
    told = dict(zip(FEATURES, features(moved, other=0.0), strict=True))
    # All else that they hold for likely, another proposal among it, stays: 1 - e^-1.
    one = math.exp(-1.0)
    assert told["lines"] == pytest.approx(math.log(one * math.exp(2.0) / (one * math.exp(2.0) + 1 - one)))
    assert plain["lines"] < told["lines"] < 0.0
    assert plain["lattice"] < told["lattice"]
