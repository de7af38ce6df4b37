"""What safe decoding may use, and how damage becomes an `InputError`.

The first step's vocabulary: `decoding` and its one module a format share these limits and guards.
"""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import ImageTooLarge, UnreadableImage

if TYPE_CHECKING:  # the process that renders PDF pages starts faster without pydantic
    from core.settings import Settings

PLAUSIBLE_DPI = (50.0, 1200.0)
"""Outside of it a stated resolution is a placeholder (1, 72 000, …), not a scanner's."""

DAMAGE: tuple[type[Exception], ...] = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    BufferError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow and pypdfium2 raise on damaged files.

Named one by one because a bare `Exception` would also swallow Celery's soft time limit. `MemoryError` is
left out too: with dimensions checked beforehand it says that the machine is short of memory, not that the file is bad.
"""


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """How large a document may be.

    Attributes:
        max_pixels: pixels of one page.
        max_side: pixels of a page's longer side.
        max_pages: pages of one document.
        pdf_dpi: resolution for PDF pages that hold no scan.
    """

    max_pixels: int
    max_side: int
    max_pages: int
    pdf_dpi: int

    @classmethod
    def from_settings(cls, settings: "Settings") -> "DecodeLimits":
        """Return the limits that the settings name."""
        return cls(
            max_pixels=settings.max_page_pixels,
            max_side=settings.max_page_side,
            max_pages=settings.max_pages,
            pdf_dpi=settings.pdf_dpi,
        )

    def fits(self, width: int, height: int) -> bool:
        """Return whether a page of that many pixels is within the limits."""
        return width * height <= self.max_pixels and max(width, height) <= self.max_side

    def check_size(self, width: int, height: int) -> None:
        """Refuse a size before anything is decoded.

        Raises:
            UnreadableImage: a side is zero or negative.
            ImageTooLarge: more pixels than the limits allow.
        """
        if width < 1 or height < 1:
            raise UnreadableImage(f"The image states an impossible size of {width} × {height} pixels.")
        if not self.fits(width, height):
            raise ImageTooLarge(
                f"A page of {width} × {height} pixels is more than this service accepts "
                f"({self.max_pixels} pixels, {self.max_side} on the longer side)."
            )


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a file's headers say: its media type by its bytes, and how many pages it has."""

    media_type: str
    pages: int


@contextmanager
def damage_as_unreadable(what: str) -> Iterator[None]:
    """Turn what the image libraries raise on damaged files into `UnreadableImage`, and keep their warnings quiet.

    Args:
        what: the file's kind, for the sentence: "PNG", "TIFF", …

    Raises:
        UnreadableImage: in place of anything in `DAMAGE`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except DAMAGE as error:
            raise UnreadableImage(f"The {what} is damaged, cut short, or of a kind that is not supported.") from error


def plausible_dpi(horizontal: float, vertical: float) -> float | None:
    """Return the resolution in dots an inch, or None when it is absurd or the pixels are far from square."""
    low, high = PLAUSIBLE_DPI
    if not (low <= horizontal <= high and low <= vertical <= high):  # also false for NaN
        return None
    if max(horizontal, vertical) > 1.05 * min(horizontal, vertical):
        return None
    return round((horizontal + vertical) / 2, 2)
