"""The QR code of a form: which template, version and page it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Page
from segmentation.prepare import to_grey
from segmentation.registration.evening import even_light

PREFIX: Final = "tallyscan"

SEARCH_SIDES: Final = (1100, 1800)
"""Longer sides of the pictures in which a code is sought, one after the other: small is quick, and noise is gone."""

_TEXT: Final = re.compile(rf"{PREFIX}:(?P<name>[^:]+):(?P<version>[0-9]{{1,9}}):(?P<page>[0-9]{{1,9}})", re.ASCII)

_Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FormCode:
    """What a form's code says.

    Attributes:
        name: the template's.
        version: the template's.
        page: of the form, as it is printed in the code.
    """

    name: str
    version: int
    page: int

    @property
    def text(self) -> str:
        """What is encoded: `tallyscan:NAME:VERSION:PAGE`."""
        return f"{PREFIX}:{self.name}:{self.version}:{self.page}"


def parse_code(text: str) -> FormCode | None:
    """Return what a code's text says, or None where it is not a form's."""
    said = _TEXT.fullmatch(text)
    if said is None:
        return None
    return FormCode(name=said["name"], version=int(said["version"]), page=int(said["page"]))


def read_code(page: Page) -> FormCode | None:
    """Return what the page's QR code says; None where there is none, or several forms' codes that disagree."""
    grey = to_grey(page)
    for picture in _pictures(grey):
        codes = {code for text in _texts(picture) if (code := parse_code(text)) is not None}
        if codes:
            return codes.pop() if len(codes) == 1 else None
    return None


def _pictures(grey: _Grey) -> Iterator[_Grey]:
    longest = max(grey.shape)
    sides = [side for side in SEARCH_SIDES if side < longest] or [longest]
    for side in sides:
        scale = side / longest
        small = grey if scale >= 1 else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        yield even_light(np.asarray(small, np.uint8))


def _texts(picture: _Grey) -> tuple[str, ...]:
    try:
        found, texts, _, _ = cv2.QRCodeDetector().detectAndDecodeMulti(picture)
    except cv2.error:
        # The detector gives up on some pictures without a code by an assertion of its own.
        return ()
    return tuple(texts) if found else ()
