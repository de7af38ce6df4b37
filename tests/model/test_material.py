"""Epochs draw what they should, repeatably, and never what is held out."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidRequest
from model.datasets import Samples
from model.material import DIGITS, Source, draw, split
from tests.model.drawn import printed_digits


def source(count: int, per_epoch: int = 0, *, seed: int = 0) -> Source:
    return Source(f"printed-{seed}", printed_digits(count, seed=seed), "none", per_epoch)


def test_what_is_held_out_is_in_no_epoch() -> None:
    material = split(DIGITS, [source(50)], share=0.2, seed=1)
    assert (len(material.images), len(material.held_out)) == (40, 10)
    everything = np.concatenate([material.images, material.held_out.images])
    # Printed digits may look alike; so the pictures are counted, not compared as sets.
    assert Counter(image.tobytes() for image in everything) == Counter(
        image.tobytes() for image in printed_digits(50).images
    )


@given(st.lists(st.tuples(st.integers(2, 30), st.integers(0, 100)), min_size=1, max_size=4), st.integers(0, 50))
def test_every_source_gives_its_share(plans: list[tuple[int, int]], epoch: int) -> None:
    material = split(DIGITS, [source(count, wanted) for count, wanted in plans], share=0.1, seed=1)
    times = np.bincount(draw(material, seed=3, epoch=epoch), minlength=len(material.images))
    start = 0
    for one in material.sources:
        own = times[start : start + len(one.samples)]
        assert own.sum() == one.drawn
        assert own.max() - own.min() <= 1
        start += len(one.samples)


def test_an_epoch_is_the_same_for_the_same_seed_only() -> None:
    material = split(DIGITS, [source(50)], share=0.2, seed=1)
    first = draw(material, seed=1, epoch=0)
    assert np.array_equal(first, draw(material, seed=1, epoch=0))
    assert not np.array_equal(first, draw(material, seed=1, epoch=1))
    assert not np.array_equal(first, draw(material, seed=2, epoch=0))


def test_all_rounds_of_one_piece_of_writing_are_learnt_or_held_out() -> None:
    writing = np.tile(np.arange(20), 3)
    samples = Samples(np.full((60, 28, 28), writing[:, None, None], np.uint8), writing % 10)
    material = split(DIGITS, [Source("thrice", samples, "none", rounds=3)], share=0.2, seed=1)
    learnt, held = (
        np.bincount(images[:, 0, 0], minlength=20) for images in (material.images, material.held_out.images)
    )
    assert (sorted(held), (learnt + held == 3).all()) == ([0] * 16 + [3] * 4, True)
    (again,) = split(DIGITS, list(material.sources), share=0.2, seed=1).sources
    assert set(np.bincount(again.samples.images[:, 0, 0])) <= {0, 3}, "and what was kept can be split again"


def test_glyphs_without_labels_teach_nothing() -> None:
    unknown = printed_digits(10)
    unknown.labels[3] = -1
    with pytest.raises(InvalidRequest, match="labels"):
        split(DIGITS, [Source("unknown", unknown, "none")], share=0.2, seed=1)
