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
    network=0.9114,
    digit=(
        -3.385,
        2.4617,
        -2.835,
        1.7824,
        -1.3633,
        -2.235,
        -2.3488,
        1.5267,
        -0.9414,
        -1.9121,
        -2.0564,
        -0.143,
        -0.4269,
    ),
    skip_network=0.3311,
    skip=(1.6981, -5.6563, 1.9428, -1.7857, 0.55, -3.3396, 1.9431, 0.4018),
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
