"""What the network learns from: drawn lines, cut as the reader cuts them, and labelled."""

import numpy as np
import pytest

from core.errors import InvalidRequest
from core.micr import CLASSES, NONE
from model.architectures import build
from model.micr.drawing import any_text, on_paper
from model.micr.material import labelled_windows, labels_of, micr_material
from model.recipes import Ingredients, prepare
from segmentation.micr_strip import MICR_VERSION, rectify
from tests.model.micr.cheques import micr_line


def test_every_class_is_learnt_from_and_the_version_is_stated() -> None:
    material = prepare("micr", Ingredients(None, seed=3, limit=30))
    assert material.classes == CLASSES
    assert material.normalisation_version == MICR_VERSION
    assert set(material.labels) == set(range(len(CLASSES)))
    assert material.images.shape[1:] == (28, 28)
    none = np.mean(material.labels == NONE)
    assert 0.35 < none < 0.65


def test_the_same_seed_draws_the_same_windows() -> None:
    first, again, other = (micr_material(seed=seed, limit=3) for seed in (5, 5, 6))
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)


def test_what_is_held_out_is_learnt_from_by_no_epoch() -> None:
    material = micr_material(seed=1, limit=20)
    learnt = {image.tobytes() for image in material.images}
    assert not [image for image in material.held_out.images if image.tobytes() in learnt]


def test_a_window_is_labelled_with_the_symbol_whose_place_it_is_for() -> None:
    rng = np.random.default_rng(2)
    drawn = on_paper("0123456789", rng, pitch=30.0, disturbed=False)
    labels = labels_of(rectify(drawn.pixels, drawn.line), drawn)
    named = [label for label in labels if 0 <= label < NONE]
    order = [label for place, label in enumerate(named) if place == 0 or named[place - 1] != label]
    assert order == list(range(10))


def test_as_many_windows_show_nothing_as_show_a_symbol() -> None:
    rng = np.random.default_rng(4)
    samples = labelled_windows(on_paper(any_text(rng), rng, pitch=25.0), rng)
    symbols = np.count_nonzero(samples.labels != NONE)
    assert symbols > 10
    assert np.count_nonzero(samples.labels == NONE) <= max(8, symbols)


def test_lines_lie_where_they_are_said_to_lie() -> None:
    rng = np.random.default_rng(7)
    drawn = on_paper("8888888888", rng, pitch=40.0, disturbed=False)
    angle = np.radians(drawn.line.degrees)
    edges = drawn.right_edges()
    ink = drawn.pixels.astype(np.float64)
    rows = drawn.line.y + np.sin(angle) * edges - 0.5 * drawn.line.height
    inside = [
        ink[int(row), int(drawn.line.x + np.cos(angle) * edge - 3)] for row, edge in zip(rows, edges, strict=True)
    ]
    gaps = [ink[int(row), int(drawn.line.x + np.cos(angle) * edge + 6)] for row, edge in zip(rows, edges, strict=True)]
    assert np.mean(gaps) - np.mean(inside) > 20


def test_the_network_is_small() -> None:
    pytest.importorskip("tensorflow", reason="the train extra is not installed")
    assert build("micr", classes=len(CLASSES)).count_params() <= 100_000


def test_an_unknown_recipe_names_this_one() -> None:
    with pytest.raises(InvalidRequest, match="micr"):
        prepare("magnetic", Ingredients(None, seed=1))


def test_the_tests_own_lines_end_where_they_should() -> None:
    line = micr_line("12345", width=640)
    assert line.pitch == 10.0
    assert line.length == 50.0
