"""The shipped line readers: the same answers in whatever order and company lines of many widths come."""

import numpy as np
import pytest
from numpy.typing import NDArray

from model.line_recogniser import MAX_WIDTHS, PAD_COLUMNS, LineRecogniser


@pytest.fixture(scope="module")
def recogniser() -> LineRecogniser:
    return LineRecogniser.load()


def lines(widths: list[int]) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (32, width), dtype=np.uint8) for width in widths]


def test_each_network_says_what_it_says_among_all(recogniser: LineRecogniser) -> None:
    given = lines([40, 97, 16, 384, 97])
    together = recogniser.classify(given)
    for network in range(recogniser.networks):
        for alone, every in zip(recogniser.read_by(network, given), together, strict=True):
            assert np.array_equal(alone, every[network])


def test_more_widths_than_interpreters_change_no_answer(recogniser: LineRecogniser) -> None:
    given = lines([PAD_COLUMNS * (each + 1) for each in range(MAX_WIDTHS + 4)])
    first = [recogniser.classify([line])[0] for line in given]
    again = [recogniser.classify([line])[0] for line in reversed(given)][::-1]
    fresh = [LineRecogniser.load().classify([line])[0] for line in given[::5]]
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one, other)
    for one, other in zip(first[::5], fresh, strict=True):
        assert np.array_equal(one, other)


def test_no_lines_have_no_answers(recogniser: LineRecogniser) -> None:
    assert recogniser.classify([]) == []
    assert recogniser.read_by(0, []) == []


@pytest.mark.parametrize("shape", [(31, 40), (32, 0), (32, 40, 1)])
def test_what_is_no_line_is_refused(recogniser: LineRecogniser, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Lines must be"):
        recogniser.read_by(0, [np.zeros(shape, np.uint8)])
