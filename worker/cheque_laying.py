"""Lays a page over a cheque's template: of all places where the sheet may lie, the one with a MICR line at its foot.

```
Page ─ outlines ─▶ guesses ─ MICR line read at the foot of each ─▶ the first that holds ─▶ Registered
                                     └ none: the MICR line alone, wherever it stands on the page
```
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box, Page, Registration
from forms.micr import LEAST_KNOWN, parse
from segmentation.micr_strip import PITCH, STEP
from segmentation.prepare import deskew, estimate_skew, ink_map, shrink
from segmentation.registration.cheques import SHEETS, Outline, band_outline, outlines, stands_at_foot
from segmentation.registration.geometry import (
    Size,
    Transform,
    as_grey,
    quarter_turns_of,
    scale_of,
    scaling,
    size_of,
    turning,
    warp,
)
from segmentation.registration.target import Method, Registered, RegistrationTarget
from worker.micr import SURE_EVIDENCE, BandReading, MicrReader

LOOK_WIDTH: Final = 1400
"""Pixels that a sheet is laid out to for its MICR line: 1.6 a module on a cheque 8.5 inches wide."""

SKEW_SIDE: Final = 1000
"""Pixels of the longer side of the picture in which a page's skew is sought."""

TURNS: Final = (0, 2, 1, 3)
"""Quarter turns by which a page may lie, the likeliest first."""

FOOT: Final = 0.36
"""Share of the sheet's height, from below, in which its MICR line is sought."""


_Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A guess that was looked at.

    Attributes:
        outline: the guess.
        band: the MICR line at its foot; None where none is there.
    """

    outline: Outline
    band: BandReading | None

    @property
    def evidence(self) -> float:
        """Log odds that there is a MICR line; 0 where none was found."""
        return 0.0 if self.band is None else self.band.cells.evidence


def lay_cheque(page: Page, target: RegistrationTarget, micr: MicrReader) -> Registered:
    """Return the page laid over the template; poor, and as it came, where no MICR line is found on it."""
    found = find_cheque(page, target.size, micr)
    transform = scaling(target.size, (page.width, page.height)) if found is None else found.outline.transform
    residual = float(np.hypot(*target.size)) if found is None else found.outline.residual_px
    residual = residual if found is None else residual / max(scale_of(transform, target.size), 1e-6)
    return Registered(
        page=replace(page, pixels=warp(page.pixels, transform, target.size), dpi=None),
        transform=transform,
        registration=Registration(method=Method.CHEQUE.value, residual_px=round(residual, 2)),
        poor=found is None or residual > target.max_residual_px,
        turned_degrees=None if found is None else 90 * quarter_turns_of(transform, target.size),
        width=page.width,
        height=page.height,
    )


def find_cheque(page: Page, size: Size, micr: MicrReader, *, turns: Sequence[int] = TURNS) -> Laid | None:
    """Return how the cheque lies on the page, or None where there is none with a MICR line.

    Args:
        page: as it came.
        size: of the template.
        micr: reads E-13B.
        turns: by which the page may be turned where no edges of a sheet are seen.
    """
    looks = (_look(page, outline, size, micr) for outline in outlines(page.pixels, size))
    return _surest(looks) or _surest(_look_for_bands(page, size, micr, turns))


def _surest(looks: Iterator[Laid]) -> Laid | None:
    """Return the look with the most evidence; none more is taken once one is sure."""
    best: Laid | None = None
    for looked in looks:
        if looked.evidence > (0.0 if best is None else best.evidence):
            best = looked
        if best is not None and best.evidence >= SURE_EVIDENCE:
            break
    return best


def _look(page: Page, outline: Outline, size: Size, micr: MicrReader) -> Laid:
    """Return the guess with what speaks for it: the MICR line at its foot."""
    small = _small(size)
    grey = as_grey(warp(page.pixels, outline.transform @ scaling(small, size), small))
    top = round((1 - FOOT) * small[1])
    band = micr.read_band(Page(0, grey), region=Box(0, top, small[0], small[1] - top))
    held = band is not None and stands_at_foot(band.strip.line, small)
    return Laid(outline, band if held else None)


def _look_for_bands(page: Page, size: Size, micr: MicrReader, turns: Sequence[int]) -> Iterator[Laid]:
    """Yield where the cheque lies by its MICR line alone: no edge of the sheet is seen, or only parts of it."""
    grey = as_grey(page.pixels)
    for turn in turns:
        level, back = _levelled(grey, turn)
        band = micr.read_band(Page(0, level))
        outline = None if band is None else _around(band, size)
        if outline is not None:
            yield Laid(replace(outline, transform=back @ outline.transform), band)


def _levelled(grey: _Grey, turn: int) -> tuple[_Grey, Transform]:
    """Return the page turned back by quarter turns and levelled, and the way back: from those pixels to the page's."""
    upright = np.ascontiguousarray(np.rot90(grey, turn))
    small = shrink(upright, min(1.0, SKEW_SIDE / max(upright.shape)))
    level, levelling = deskew(upright, estimate_skew(ink_map(small)))
    skewed = np.linalg.inv(np.vstack([levelling.matrix, [0, 0, 1]]))
    return level, turning(size_of(upright), turn) @ skewed


def _around(band: BandReading, size: Size) -> Outline | None:
    """Return where the sheet lies around its MICR line; None where the line has no routing number to tell by."""
    line = parse(band.cells.probabilities)
    routing = next((field for field in line.fields if field.name == "routing"), None)
    if routing is None or routing.check_failed or line.known < LEAST_KNOWN or line.family not in SHEETS:
        return None
    before = any(field.cells[0] < routing.cells[0] for field in line.fields)
    sheet = SHEETS["us_business" if line.family == "us" and before else line.family]
    end = band.cells.windows[routing.cells[-1]] * STEP * band.strip.line.pitch / PITCH
    return band_outline(band.strip.line, end, sheet, size)


def _small(size: Size) -> Size:
    return LOOK_WIDTH, max(1, round(LOOK_WIDTH * size[1] / size[0]))
