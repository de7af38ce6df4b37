"""What is preprinted goes before digits are sought: the registered blank, and coloured guides.

Works on the pixels of a field of a registered page, and returns grey pixels with paper where print was: what comes
after needs not know. A stroke that crosses print is mended: it goes on where there is ink on both sides.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.prepare import ink_strength, paper_around, threshold_ink
from segmentation.registration.evening import estimate_light
from segmentation.registration.geometry import as_grey

SLACK_PX: Final = 2
"""Pixels by which a registered page may lie beside its blank; the field's own shift is found within."""

MIN_LIKENESS: Final = 0.3
"""Correlation of print and page from which a shift is believed; below, print is sought in all places within reach."""

FAINT_SHARE: Final = 0.12
"""Of full print: what is fainter on the blank is its soft edge's end, or paper."""

DARKER_SHARE: Final = 0.45
"""Of full ink, by which ink on print is darker than the print alone: then a pen went over it."""

MIN_PEN: Final = 12
"""Pixels that ink beside print has at least; less is a rest of the print's edge."""

MAX_GUIDE: Final = 1.2
"""Times the stated colour's density that a guide may have: where two overlap, or the printer was generous."""

MIN_GUIDE_SHARE: Final = 0.002
"""Of a picture's pixels in a guide's hue, from which one is there."""

MIN_CHROMA: Final = 0.12
"""Difference of densities between channels from which a pixel is coloured: JPEG makes half of it."""

HUE_BINS: Final = 24
PEN_HUES: Final = (185.0, 320.0)
"""Degrees of hue that pens have, from blue to violet: guides in them are dropped only where their colour is stated."""

AUTO: Final = "auto"

_Grey = NDArray[np.uint8]
_Bits = NDArray[np.uint8]
_Density = NDArray[np.float32]


def subtract_blank(grey: _Grey, blank: _Grey) -> _Grey:
    """Return the page's pixels without what the blank shows: paper where there is print alone.

    Args:
        grey: uint8, shape (height, width): part of a registered page, a few hundred pixels wide, so that one shift
            is right for all of it.
        blank: the same part of the blank, same shape; it may lie `SLACK_PX` beside.
    """
    strength, printed = ink_strength(grey), ink_strength(blank)
    full = _full_ink(printed)
    if full is None:
        return grey
    printed, likeness = _shifted(printed, strength)
    reach = 1 if likeness >= MIN_LIKENESS else SLACK_PX
    spread = np.asarray(cv2.dilate(printed, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.uint8)
    zone = (spread > FAINT_SHARE * full).view(np.uint8)
    ink = threshold_ink(strength).view(np.uint8)
    beside = _without_specks(ink & (1 - zone))
    darker = (cv2.subtract(strength, _toned(spread, strength)) > DARKER_SHARE * full).view(np.uint8)
    pen = _reaching(beside | (darker & ink), beside)
    # Across a rule the gap is as wide as the rule and what it was spread by, on both sides.
    pen = pen | (_bridged(pen, reach=2 * reach + 5) & ink)
    if not pen.any():
        # Nobody wrote here: the print's faint rims would be the darkest that there is.
        return np.full_like(grey, np.median(grey))
    # The soft edge of a stroke stays with it.
    return paint_out(grey, zone & (1 - _grown(pen)))


def _reaching(pen: _Bits, beside: _Bits) -> _Bits:
    """Return the ink that reaches out of the print: thin letters a little beside their place are darker by halves."""
    _, labels, _, _ = cv2.connectedComponentsWithStats(pen, connectivity=8)
    out = np.unique(np.asarray(labels)[beside > 0])
    return np.asarray(np.isin(labels, out[out > 0]), np.uint8)


def _full_ink(strength: _Grey) -> float | None:
    """Return how dark full print is; None on an empty blank."""
    ink = threshold_ink(strength)
    return float(np.percentile(strength[ink], 75)) if ink.any() else None


def _shifted(printed: _Grey, strength: _Grey) -> tuple[_Grey, float]:
    """Return the print where the page has it, to the pixel, and how alike the two are there."""
    slack = SLACK_PX + 1
    padded = cv2.copyMakeBorder(strength, slack, slack, slack, slack, cv2.BORDER_REPLICATE)
    likeness = np.nan_to_num(np.asarray(cv2.matchTemplate(padded, printed, cv2.TM_CCOEFF_NORMED)))
    _, best, _, (x, y) = cv2.minMaxLoc(likeness)
    if best < MIN_LIKENESS:
        return printed, best
    move = np.array([[1, 0, x - slack], [0, 1, y - slack]], np.float32)
    size = (printed.shape[1], printed.shape[0])
    moved = cv2.warpAffine(printed, move, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8), best


def _toned(printed: _Grey, strength: _Grey) -> _Grey:
    """Return the print as dark as the page shows it: printers and scanners differ in tone."""
    strong = printed > 0.7 * float(printed.max())
    ratio = float(np.median(strength[strong])) / max(1.0, float(np.median(printed[strong])))
    return np.asarray(cv2.convertScaleAbs(printed, alpha=float(np.clip(ratio, 0.3, 2.0))), np.uint8)


def _without_specks(ink: _Bits) -> _Bits:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    kept = np.asarray(stats)[:, cv2.CC_STAT_AREA] >= MIN_PEN
    kept[0] = False
    return np.asarray(kept[np.asarray(labels)], np.uint8)


def _bridged(pen: _Bits, *, reach: int) -> _Bits:
    """Return what has pen on both sides within `reach` pixels: up and down, left and right, or across."""
    line = np.zeros((4, reach, reach), np.uint8)
    middle = reach // 2
    line[0, :, middle] = line[1, middle, :] = 1
    line[2], line[3] = np.eye(reach, dtype=np.uint8), np.eye(reach, dtype=np.uint8)[::-1]
    bridged = np.zeros_like(pen)
    for each in line:
        # A closing along a line fills gaps shorter than it, and nothing else.
        bridged |= np.asarray(cv2.morphologyEx(pen, cv2.MORPH_CLOSE, each), np.uint8)
    return bridged


def _grown(bits: _Bits) -> _Bits:
    return np.asarray(cv2.dilate(bits, np.ones((3, 3), np.uint8)), np.uint8)


def paint_out(grey: _Grey, removed: _Bits) -> _Grey:
    """Return the pixels with the tone of the paper around wherever `removed` is not 0."""
    # Ink's strength is of smoothed pixels: added to `grey`, it would leave the edges of letters as a faint print.
    return np.asarray(np.where(removed > 0, paper_around(grey), grey), np.uint8)


def drop_out(pixels: NDArray[np.uint8], *, guide: str = AUTO) -> _Grey:
    """Return a colour picture as grey without its guides: uint8, shape (height, width).

    Inks absorb light one after the other, so their optical densities add up (colour deconvolution, Ruifrok and
    Johnston 2001). From each pixel as much of the guide's density is taken as it can have; a pen over a guide keeps
    its own.

    Args:
        pixels: uint8, shape (height, width, 3), BGR.
        guide: the guides' colour as `#rrggbb`; "auto" finds it, in hues that pens do not have.
    """
    density = _density(pixels)
    colour = _find_guide(density) if guide == AUTO else _stated(guide)
    if colour is None:
        return as_grey(pixels)
    absorbing = colour > 0.15 * colour.max()
    amount = np.clip((density[..., absorbing] / colour[absorbing]).min(axis=2), 0, MAX_GUIDE)
    rest = density - amount[..., None] * colour
    # In the channel that the guide absorbs least it is invisible from the start, as in a scanner's drop-out lamp.
    darkest = 0.5 * rest[..., int(colour.argmin())] + 0.5 * rest.max(axis=2)
    light = np.asarray(estimate_light(as_grey(pixels)), np.float32)
    return np.asarray(np.clip(np.round(light * np.exp(-np.maximum(darkest, 0))), 0, 255), np.uint8)


def _density(pixels: NDArray[np.uint8]) -> _Density:
    """Return optical densities against the paper: float32, shape of `pixels`, 0 where there is no ink."""
    light = np.stack([estimate_light(np.ascontiguousarray(pixels[..., axis])) for axis in range(3)], axis=2)
    share = (pixels.astype(np.float32) + 1) / (light.astype(np.float32) + 1)
    return np.asarray(np.maximum(-np.log(share), 0), np.float32)


def _stated(guide: str) -> _Density:
    """Return the density, in BGR, of a colour on white."""
    channels = np.array([int(guide[place : place + 2], 16) for place in (5, 3, 1)], np.float32)
    return np.asarray(np.maximum(-np.log((channels + 1) / 256), 0.01), np.float32)


def _find_guide(density: _Density) -> _Density | None:
    """Return the density of the most frequent colour that no pen has; None where there is none."""
    chroma = density.max(axis=2) - density.min(axis=2)
    coloured = density[(chroma > MIN_CHROMA) & (density.min(axis=2) < 0.5 * density.max(axis=2))]
    if len(coloured) < MIN_GUIDE_SHARE * chroma.size:
        return None
    hues = _hues(coloured)
    allowed = (hues < PEN_HUES[0]) | (hues > PEN_HUES[1])
    bins = (hues / 360 * HUE_BINS).astype(int) % HUE_BINS
    counts = np.bincount(bins[allowed], minlength=HUE_BINS)
    near = counts + np.roll(counts, 1) + np.roll(counts, -1)
    peak = int(near.argmax())
    own = coloured[allowed & (np.minimum((bins - peak) % HUE_BINS, (peak - bins) % HUE_BINS) <= 1)]
    if len(own) < MIN_GUIDE_SHARE * chroma.size:
        return None
    # Soft edges are faint: the upper half shows the colour itself.
    full = own[own.max(axis=1) >= np.median(own.max(axis=1))]
    return np.asarray(np.maximum(np.median(full, axis=0), 0.01), np.float32)


def _hues(density: _Density) -> NDArray[np.float64]:
    """Return the hue in degrees, as of HSV, of light that went through such densities: shape (n,)."""
    light = np.exp(-density[None]).astype(np.float32)
    return np.asarray(cv2.cvtColor(light, cv2.COLOR_BGR2HSV)[0, :, 0], np.float64)
