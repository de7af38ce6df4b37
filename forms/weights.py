"""What the decoder multiplies its evidence with: a blend of two tunings on real strings, see `docs/reading.md`."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of one kind of network.

    Attributes:
        network: of the network's log odds that a candidate is this digit rather than none.
        digit: of `forms.geometry.DIGIT_FEATURES`.
        by_digit: of `forms.geometry.SHAPE` for each of the ten digits, on top: a 1 is slim, a 0 may be low.
        skip_network: of the network's log odds of the best digit, when a piece is skipped.
        skip: of `forms.geometry.SKIP_FEATURES`.
    """

    network: float
    digit: tuple[float, ...]
    by_digit: tuple[tuple[float, ...], ...]
    skip_network: float
    skip: tuple[float, ...]


WITH_GARBAGE: Final = Weights(
    network=0.9029,
    digit=(
        -2.0482,
        -0.0179,
        -1.4431,
        2.3138,
        -2.037,
        -2.1477,
        -2.0593,
        0.9629,
        -0.6891,
        -2.4809,
        -2.0347,
        0.3089,
        -0.755,
    ),
    by_digit=(
        (1.4183, 0.1017, -0.9328),
        (-2.0565, -0.1889, 2.5441),
        (-0.3181, 0.5104, -0.3332),
        (-0.0042, -0.2832, -0.1529),
        (-0.3686, 0.3644, 0.1498),
        (0.2256, -0.1077, 0.1878),
        (-0.319, -0.2907, 0.981),
        (-0.3695, -0.0535, -0.3139),
        (-0.0906, -0.1902, 0.2191),
        (-0.1573, 0.1115, -0.0355),
    ),
    skip_network=0.2185,
    skip=(1.0785, -3.2954, 0.8696, -2.7884, 1.3567, -2.9927, 2.5003, 0.0954),
)
"""For a network that has a class for what is no digit.

Seven parts of a tuning on cheque amounts and a few logbook cells, three parts of one with as many cells as amounts: the
second alone reads the cells better (79 against 70 %) and everything else worse, drawn fields and MNIST too.
"""

WITHOUT_GARBAGE: Final = Weights(
    network=0.7821,
    digit=(
        -3.5783,
        2.7458,
        -2.5645,
        0.8697,
        -5.1871,
        -2.5849,
        -2.644,
        1.6989,
        -4.2429,
        -1.5311,
        -1.526,
        1.0391,
        0.7855,
    ),
    by_digit=((0.0, 0.0, 0.0),) * 10,
    skip_network=0.2052,
    skip=(1.196, -5.8654, 2.0766, -2.131, -0.4903, -4.6437, 1.283, 1.0775),
)
"""For a network of ten digits, which calls everything a digit."""

IN_CELLS: Final = Weights(
    network=1.0,
    digit=(0.0,) * len(WITH_GARBAGE.digit),
    by_digit=((0.0, 0.0, 0.0),) * 10,
    skip_network=0.0,
    skip=(0.0,) * len(WITH_GARBAGE.skip),
)
"""For digits in printed boxes: where one begins and ends is known, so only the network's word counts."""
