"""A line reader goes on learning: it changes a little, the same way for the same seed; and the ink of no collection."""

import numpy as np
import pytest

from core.errors import InvalidRequest
from core.types import Page
from examples.drawing.scenes import Background, draw_field
from model.line.finetuning import Tuned, TuningOptions, own_samples, tune
from model.line.material import Ingredients, fits, make_samples
from model.line.own_ink import own_ink
from model.line.real import RealField
from model.line.writing import OTHER
from segmentation.prepare import to_grey


@pytest.fixture(scope="module")
def replay() -> Ingredients:
    return Ingredients(own_ink(), [], [], [])


@pytest.fixture(scope="module")
def own() -> list[RealField]:
    drawn = [
        draw_field(text, seed=seed, background=Background.PLAIN) for seed, text in enumerate(("4711", "90", "355"))
    ]
    fields = [RealField(to_grey(Page(0, each.image)), each.text) for each in drawn]
    return [*fields, RealField(np.full((40, 120), 240, np.uint8), "")]


def test_own_ink_is_the_same_every_time_and_writes_every_digit(replay: Ingredients) -> None:
    again = own_ink()
    assert set(again.digits) == set(replay.ink.digits)
    assert all(set(hand) == set("0123456789") for hand in again.digits.values())
    for one, other in zip(again.numbers, replay.ink.numbers, strict=True):
        assert one.text == other.text
        assert all(np.array_equal(a, b) for a, b in zip(one.strokes, other.strokes, strict=True))
    samples = make_samples(replay, 60, seed=(1, 2, 3))
    assert {sign for sample in samples for sign in sample.text} >= set("0123456789")


def test_a_users_fields_come_shaken_with_their_text(own: list[RealField]) -> None:
    samples = own_samples(own, 80, seed=(1, 2))
    texts = {sample.text for sample in samples}
    assert texts >= {"4711", "90", "355", OTHER}
    assert texts & {a + b for a in ("4711", "90", "355") for b in ("4711", "90", "355")}, "two side by side"
    assert all(fits(sample) for sample in samples)
    assert len({sample.pixels.tobytes() for sample in samples if sample.text == "90"}) > 1
    again = own_samples(own, 80, seed=(1, 2))
    assert all(np.array_equal(one.pixels, other.pixels) for one, other in zip(samples, again, strict=True))


def test_fields_whose_text_has_no_room_are_left_out_and_none_left_is_told(own: list[RealField]) -> None:
    turned = RealField(np.ascontiguousarray(np.rot90(own[0].pixels)), "4711" * 3)
    with pytest.raises(InvalidRequest, match="No corrected field's text has room on its line"):
        own_samples([turned], 4, seed=(1, 2))
    texts = {sample.text for sample in own_samples([turned, own[1]], 20, seed=(1, 2))}
    assert texts == {"90", "9090"}


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_a_network_goes_on_learning_and_is_blended_with_what_it_was(own: list[RealField], replay: Ingredients) -> None:
    pytest.importorskip("tensorflow", reason="the train extra is not installed")
    from model.line.network import build_line_reader

    network = build_line_reader()
    before = network.get_weights()
    seen: list[Tuned] = []
    rows = tune(network, own, replay, TuningOptions(epochs=2, lines=32, rate=1e-3, blend=0.25, on_epoch=seen.append))
    assert rows == seen
    assert [row.epoch for row in rows] == [1, 2]
    assert rows[1].loss < rows[0].loss
    # AdamW moves no weight by much more than its rate a step; a quarter of that is left.
    furthest = max(float(np.abs(new - old).max()) for old, new in zip(before, network.get_weights()[:4], strict=False))
    assert 0 < furthest < 0.25 * 1e-3 * 2 * 2
