"""What confidences are worth, bin by bin, and the diagram of it: for the reports of models and of benchmarks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from forms.confidence import BINS, bin_of, calibration_error

DOT: Final = 14
"""Area of the dot of a single field, in square points; it grows with the root of their number."""

DRAWS: Final = 500
"""Sets of fields that are drawn to see what chance does."""


class Bin(NamedTuple):
    """Readings about as sure as each other: their mean confidence, the share that is right, and how many they are."""

    confidence: float
    share: float
    fields: int


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> tuple[Bin, ...]:
    """Return the bins that hold any readings, the least sure first; there are `BINS` of equal width."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for confidence, is_right in zip(confidences, right, strict=True):
        bins[bin_of(confidence)].append((confidence, is_right))
    return tuple(
        Bin(sum(sure for sure, _ in each) / len(each), sum(is_right for _, is_right in each) / len(each), len(each))
        for each in bins
        if each
    )


def draw_reliability(axes: Any, curves: Mapping[str, Sequence[Bin]]) -> dict[str, Any]:  # noqa: ANN401
    """Draw each curve, by its name in the legend, as dots that are the larger the more fields they stand for.

    Returns:
        The curves' colours, by the same names.
    """
    colours = {}
    axes.plot([0, 1], [0, 1], color="0.8", zorder=0)
    for name, bins in curves.items():
        sizes = [DOT * each.fields**0.5 for each in bins]
        sure, right = [each.confidence for each in bins], [each.share for each in bins]
        dots = axes.scatter(sure, right, sizes, alpha=0.6, label=name)
        colours[name] = dots.get_facecolor()[0]
    axes.set(xlabel="confidence", ylabel="share read right", xlim=(-0.03, 1.05), ylim=(-0.04, 1.06))
    for handle in legend_below(axes).legend_handles:
        handle.set_sizes([36])
    return colours


def legend_below(axes: Any) -> Any:  # noqa: ANN401 - matplotlib ships no types here
    """Put the legend of `axes` below them, and return it."""
    where = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.14)}
    return axes.legend(fontsize="small", frameon=False, **where)


def error_by_chance(confidences: Sequence[float]) -> tuple[float, float]:
    """Return the calibration error if every confidence were exactly right: its mean, and what it exceeds in one of 20.

    Few fields do not come out even.
    """
    outcomes = np.random.default_rng(0).random((DRAWS, len(confidences))) < np.array(confidences)
    errors = [calibration_error(confidences, row) for row in outcomes.tolist()]
    return sum(errors) / DRAWS, float(np.quantile(errors, 0.95))
