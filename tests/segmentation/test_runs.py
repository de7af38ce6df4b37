"""Long runs are OpenCV's opening with a line, found in fewer steps."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segmentation.runs import label_type, level_runs, upright_runs

pictures = st.tuples(st.integers(1, 24), st.integers(1, 24)).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 1, 1]))
)


@given(bits=pictures, length=st.integers(2, 26))
def test_runs_are_what_an_opening_leaves(bits: np.ndarray, length: int) -> None:
    for find, window in ((level_runs, (1, length)), (upright_runs, (length, 1))):
        opened = cv2.morphologyEx(
            bits, cv2.MORPH_OPEN, np.ones(window, np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
        )
        runs = find(bits, length)
        assert np.array_equal(np.zeros_like(bits) if runs is None else runs, opened)


def test_too_short_runs_are_none() -> None:
    bits = np.zeros((5, 40), np.uint8)
    bits[2, 3:20] = 1
    assert level_runs(bits, 18) is None
    assert level_runs(bits, 17) is not None
    assert upright_runs(bits, 2) is None
    assert level_runs(bits, 41) is None


def test_a_run_does_not_go_on_in_the_next_row() -> None:
    bits = np.zeros((2, 10), np.uint8)
    bits[0, 5:] = bits[1, :5] = 1
    assert level_runs(bits, 7) is None


def test_labels_of_two_bytes_are_enough_for_every_component() -> None:
    bits = np.zeros((256, 511), np.uint8)
    bits[::2, ::2] = 1
    assert label_type(bits.size) == cv2.CV_16U
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bits, connectivity=8, ltype=cv2.CV_16U)
    assert count == 1 + 128 * 256
    assert np.array_equal(np.bincount(labels.ravel()), stats[:, cv2.CC_STAT_AREA])
    assert label_type(2**17) == cv2.CV_32S
