"""The decoder's weights, and how they are found."""

from dataclasses import replace

import numpy as np
import pytest

from forms import weights
from forms.decoder import score_edges
from forms.field_types import field_type
from forms.geometry import DIGIT_FEATURES, SHAPE, SKIP_FEATURES, digit_features, outline, skip_features
from forms.paths import posteriors, string_log_weight
from forms.tuning import Batch, Example, loss, make_batch, pack, tune, unpack
from tests.forms.rows import WITH_GARBAGE, digit_boxes, row


def examples(count: int = 6) -> list[Example]:
    """Return fields of one to four pieces under random scores."""
    rng = np.random.default_rng(4)
    made = []
    for _ in range(count):
        pieces = int(rng.integers(1, 5))
        lattice = row(digit_boxes(pieces))
        table = rng.dirichlet([0.5] * len(WITH_GARBAGE), len(lattice.candidates)).astype(np.float32)
        text = "".join(str(digit) for digit in rng.integers(0, 10, int(rng.integers(1, pieces + 1))))
        made.append(Example(lattice, table, text))
    return made


def batch() -> Batch:
    return make_batch(examples(), classes=WITH_GARBAGE)


def test_weights_have_one_number_a_feature() -> None:
    lattice = row(digit_boxes(3))
    for kind in (weights.WITH_GARBAGE, weights.WITHOUT_GARBAGE):
        assert len(kind.digit) == len(DIGIT_FEATURES) == digit_features(outline(lattice)).shape[1]
        assert np.shape(kind.by_digit) == (10, len(SHAPE))
        assert len(kind.skip) == len(SKIP_FEATURES) == skip_features(outline(lattice)).shape[1]


def test_features_do_not_depend_on_the_resolution() -> None:
    lattice = row(digit_boxes(3))
    double = [replace(c, box=replace(c.box, x=2 * c.box.x, y=2 * c.box.y, width=2 * c.box.width,
                                     height=2 * c.box.height)) for c in lattice.candidates]  # fmt: skip
    large = replace(lattice, candidates=tuple(double), text_height=2 * lattice.text_height)
    assert digit_features(outline(large)) == pytest.approx(digit_features(outline(lattice)))
    assert skip_features(outline(large)) == pytest.approx(skip_features(outline(lattice)))


def test_the_loss_is_the_decoders_own_improbability_of_the_truth() -> None:
    expected = []
    for example in examples():
        edges = score_edges(example.lattice, example.scores, classes=WITH_GARBAGE, weights=weights.WITH_GARBAGE)
        total = posteriors(edges, field_type("digits").automaton).log_total
        expected.append(total - string_log_weight(edges, example.text))
    value, _ = loss(batch(), pack(weights.WITH_GARBAGE), decay=0.0)
    assert value == pytest.approx(np.mean(expected))


def test_the_slope_is_the_losss_derivative() -> None:
    vector = pack(weights.WITH_GARBAGE)
    _, slope = loss(batch(), vector, decay=0.01)
    for place in range(len(vector)):
        nudge = np.zeros_like(vector)
        nudge[place] = 1e-5
        rise = loss(batch(), vector + nudge, decay=0.01)[0] - loss(batch(), vector - nudge, decay=0.01)[0]
        assert slope[place] == pytest.approx(rise / 2e-5, abs=1e-5)


def test_tuning_makes_the_truth_likelier() -> None:
    before, _ = loss(batch(), pack(weights.WITH_GARBAGE), decay=0.0)
    tuned = tune(batch(), weights.WITH_GARBAGE, rounds=40)
    after, _ = loss(batch(), pack(tuned), decay=0.0)
    assert after < 0.9 * before
    assert unpack(pack(tuned)) == tuned
