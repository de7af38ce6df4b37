"""What the decoder multiplies its evidence with; tuned on real strings, see `docs/reading.md`."""

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
    network=0.9177,
    digit=(
        -2.2356,
        0.2477,
        -1.61,
        2.2601,
        -2.0521,
        -2.2758,
        -2.3979,
        1.119,
        -0.7028,
        -2.6299,
        -1.8246,
        0.3114,
        -0.6112,
    ),
    by_digit=(
        (1.4274, -0.0338, -0.9325),
        (-2.0281, 0.0979, 2.2172),
        (-0.2367, 0.5576, -0.4251),
        (0.0065, -0.2872, -0.1715),
        (-0.3902, 0.4911, 0.1219),
        (0.3443, -0.2196, 0.1613),
        (-0.5589, -0.2676, 1.2759),
        (-0.4413, -0.0677, -0.2354),
        (-0.1821, -0.1046, 0.2841),
        (-0.1658, 0.0707, -0.0363),
    ),
    skip_network=0.197,
    skip=(1.1085, -3.5662, 1.1281, -2.7496, 1.4024, -2.8242, 2.2726, -0.0221),
)
"""For a network that has a class for what is no digit."""

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
