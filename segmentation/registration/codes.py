"""The QR code of a form: which template, version and page it is."""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.form_code import FormCode, parse_code
from core.types import Page
from segmentation.memory import ran_out_of_memory
from segmentation.prepare import shrink
from segmentation.registration.crowds import find_squares
from segmentation.registration.evening import even_light
from segmentation.registration.geometry import as_grey

__all__ = ["FormCode", "parse_code", "read_code", "read_codes"]

SEARCH_SIDES: Final = (1500, 2600)
"""Longer sides of the pictures in which a code is sought, one after the other: small is quick, and noise is gone."""

MAX_OUTLINES: Final = 8
"""Read of those that a detector takes for codes: each costs as much as a field. Pages have one, or one a sheet."""

STRAIGHT_SIDE: Final = 480
QUIET: Final = 60
"""Pixels of a code laid straight, and of the quiet zone around it."""

BLURS: Final = (0.0, 2.0)
"""Sigmas: a code that was enlarged reads better smooth at one time, sharp at another."""

_Grey = NDArray[np.uint8]
_Detector = cv2.QRCodeDetectorAruco | cv2.QRCodeDetector


def read_code(page: Page) -> FormCode | None:
    """Return what the page's QR code says; None where there is none, or several forms' codes that disagree."""
    codes = read_codes(page)
    return next(iter(codes)) if len(codes) == 1 else None


def read_codes(page: Page) -> frozenset[FormCode]:
    """Return what the page's QR codes say: several where sheets lie side by side on one scan."""
    grey = as_grey(page.pixels)
    for side in SEARCH_SIDES:
        for picture, detector in _searches(_picture(grey, side)):
            codes = frozenset(code for text in _texts(picture, detector) if (code := parse_code(text)) is not None)
            if codes:
                return codes
        if side >= max(grey.shape):
            break
    return frozenset()


def _searches(picture: _Grey) -> Iterator[tuple[_Grey, _Detector]]:
    """Yield where to seek codes, and how: one way, then the other, as each takes as long as reading a field."""
    squares = find_squares(picture)
    if squares.are_patterns:
        return
    for part in squares.parts_with_codes(picture) if squares.are_many else [picture]:
        yield part, cv2.QRCodeDetectorAruco()
    yield picture, cv2.QRCodeDetector()


def _picture(grey: _Grey, side: int) -> _Grey:
    scale = min(1.0, side / max(grey.shape))
    return even_light(shrink(grey, scale))


def _texts(picture: _Grey, detector: _Detector) -> Iterator[str]:
    """Yield the texts of the codes that a detector finds in a picture, read straightened."""
    try:
        found, corners = detector.detectMulti(picture)
    except cv2.error as error:
        if ran_out_of_memory(error):
            raise
        # The detectors give up on some pictures without a code by an assertion of their own.
        return
    if found:
        outlines = np.asarray(corners, np.float32).reshape(-1, 4, 2)[:MAX_OUTLINES]
        yield from (_read(picture, outline) for outline in outlines)


def _read(picture: _Grey, outline: NDArray[np.float32]) -> str:
    """Return the text of the code inside `outline`; empty where it cannot be read."""
    for blur in BLURS:
        try:
            text = cv2.QRCodeDetector().detectAndDecode(_straight(picture, outline, blur=blur))[0]
        except (cv2.error, UnicodeDecodeError) as error:
            if ran_out_of_memory(error):
                raise
            continue
        if text:
            return text
    return ""


def _straight(picture: _Grey, outline: NDArray[np.float32], *, blur: float) -> _Grey:
    low, high = QUIET, STRAIGHT_SIDE - QUIET
    onto = np.array([[low, low], [high, low], [high, high], [low, high]], np.float32)
    transform = cv2.getPerspectiveTransform(outline, onto)
    size = (STRAIGHT_SIDE, STRAIGHT_SIDE)
    straight = cv2.warpPerspective(picture, transform, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(straight, (0, 0), blur) if blur else straight, np.uint8)
