"""From what was read to figures: accuracy with its interval, each class's figures and their means; and the vote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.scores import Score, score_read

Labels = NDArray[np.int64]

Z: Final = 1.96
"""Standard deviations of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a classifier got right in one set.

    Attributes:
        accuracy: share of glyphs read right.
        error: share read wrong.
        low: lower end of the accuracy's 95 % interval (Wilson 1927).
        high: its upper end.
        sensitivity: mean over the classes, each counting the same; so are the next two.
        specificity: see `model.scores.ClassScore`.
        ppv: positive predictive value.
        score: each class's figures, and the confusion matrix.
    """

    accuracy: float
    error: float
    low: float
    high: float
    sensitivity: float
    specificity: float
    ppv: float
    score: Score


def figures_of(read: Labels, labels: Labels) -> Figures:
    """Return the figures of the digits that were read against the true ones."""
    score = score_read(read, labels)
    low, high = interval(score.accuracy, score.glyphs)
    present = [each for each in score.classes if each.glyphs]
    return Figures(
        accuracy=score.accuracy,
        error=1 - score.accuracy,
        low=low,
        high=high,
        sensitivity=float(np.mean([each.sensitivity for each in present])),
        specificity=float(np.mean([each.specificity for each in present])),
        ppv=float(np.mean([each.ppv for each in present])),
        score=score,
    )


def interval(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share that was counted in `count` cases (Wilson 1927)."""
    scale = 1 + Z * Z / count
    middle = share + Z * Z / (2 * count)
    reach = Z * float(np.sqrt(share * (1 - share) / count + Z * Z / (4 * count * count)))
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def voted(ballots: Sequence[Labels]) -> Labels:
    """Return for each glyph the digit that most ballots name; where none is named more often, that of the first."""
    stacked = np.stack(ballots)
    counts = (stacked[:, None, :] == stacked[None, :, :]).sum(axis=0)
    # argmax takes the first of equals, and the ballots come best first.
    return np.asarray(stacked[counts.argmax(axis=0), np.arange(stacked.shape[1])], np.int64)
