"""The windows of a MICR strip, as the network sees them, to the cells of a line: one for each symbol and space.

Between `segmentation.micr_strip`, which makes a window every seventh of a pitch, and `forms.micr`, which says what the
cells mean. Phase and pitch may drift along a line, and fields are printed in several passes, so the places of the
symbols are the best path through the windows rather than a fixed grid.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.micr import NONE

WINDOWS_A_PITCH: Final = 7
NARROWEST_STEP: Final = 6
"""Two symbols cannot be closer than so many windows."""

STEP_COST: Final = 0.4
MAX_STEP_COST: Final = 1.2
"""Log odds that a path loses for each window by which two symbols are off their pitch, and at most."""

MAX_EVIDENCE: Final = 8.0
MAX_SPACES: Final = 40
"""Wider gaps count as so many cells."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MicrCells:
    """The cells of a line, from left to right.

    Attributes:
        windows: the window that each was read in.
        probabilities: float64, shape (cells, 15), of `core.micr.CLASSES`.
        evidence: log odds of the symbols found against none: how surely this is a MICR line.
    """

    windows: tuple[int, ...]
    probabilities: _Floats
    evidence: float

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.windows)


def choose_cells(probabilities: NDArray[np.float32]) -> MicrCells:
    """Return the cells of the likeliest path through the windows; none where no window shows a symbol.

    Args:
        probabilities: shape (windows, 15), of `core.micr.CLASSES`, windows from left to right.
    """
    scores = np.maximum(probabilities.astype(np.float64), 1e-6)
    evidence = np.clip(np.log(scores[:, :NONE].max(axis=1) / scores[:, NONE]), -MAX_EVIDENCE, MAX_EVIDENCE)
    places = np.nonzero(evidence > 0)[0]
    if not len(places):
        return MicrCells((), np.zeros((0, scores.shape[1])), 0.0)
    path, total = _best_path(places, evidence[places])
    windows = _with_spaces(path)
    return MicrCells(tuple(windows), scores[windows] / scores[windows].sum(axis=1, keepdims=True), total)


def _best_path(places: NDArray[np.intp], evidence: _Floats) -> tuple[list[int], float]:
    """Return the windows of the path with the most evidence, less what its steps cost (Viterbi 1967)."""
    best = evidence.copy()
    before = np.full(len(places), -1)
    for at in range(1, len(places)):
        steps = places[at] - places[:at]
        values = np.where(steps >= NARROWEST_STEP, best[:at] - _cost(steps), -np.inf)
        chosen = int(values.argmax())
        if values[chosen] > 0:
            best[at] += values[chosen]
            before[at] = chosen
    at = int(best.argmax())
    total, path = float(best[at]), []
    while at >= 0:
        path.append(int(places[at]))
        at = int(before[at])
    return path[::-1], total


def _cost(steps: NDArray[np.intp]) -> _Floats:
    pitches = np.maximum(1, np.round(steps / WINDOWS_A_PITCH))
    return np.asarray(np.minimum(MAX_STEP_COST, STEP_COST * np.abs(steps - WINDOWS_A_PITCH * pitches)), np.float64)


def _with_spaces(path: list[int]) -> list[int]:
    """Return the path with a window for each cell between two symbols that are further apart than a pitch."""
    windows = path[:1]
    for start, end in pairwise(path):
        cells = min(MAX_SPACES, max(1, round((end - start) / WINDOWS_A_PITCH)))
        for cell in range(1, cells):
            windows.append(round(start + (end - start) * cell / cells))
        windows.append(end)
    return windows
