"""What the decoder multiplies its evidence with; tuned on real strings, see `docs/reading.md`."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of one kind of network.

    Attributes:
        network: of the network's log odds that a candidate is this digit rather than none.
        digit: of `forms.geometry.DIGIT_FEATURES`.
        skip_network: of the network's log odds of the best digit, when a piece is skipped.
        skip: of `forms.geometry.SKIP_FEATURES`.
    """

    network: float
    digit: tuple[float, ...]
    skip_network: float
    skip: tuple[float, ...]


WITH_GARBAGE: Final = Weights(
    network=0.7,
    digit=(-2.0, 4.0, -2.0, 2.0, -1.5, -0.5, -0.5, -0.2, -2.0, -1.0, -1.0, 0.3, 0.3),
    skip_network=-0.2,
    skip=(1.0, -8.0, 0.0, -1.0, 0.0, -4.0, 0.5, 0.5),
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
    skip_network=0.2052,
    skip=(1.196, -5.8654, 2.0766, -2.131, -0.4903, -4.6437, 1.283, 1.0775),
)
"""For a network of ten digits, which calls everything a digit."""
