"""Any opened Pillow image to the upright uint8 grey or BGR pixels of a `Page`.

Second half of raster and TIFF decoding; the callers have checked the size.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, TiffImagePlugin

from core.errors import UnreadableImage
from core.types import Page
from segmentation.decoding_limits import DAMAGE, plausible_dpi

BAND_PIXELS = 4_000_000
"""Conversions of large pictures go through bands of this many pixels, so that no second full copy is needed."""

Pixels = NDArray[np.uint8]


def to_page(image: Image.Image, index: int, *, orientation: int = 1) -> Page:
    """Return the picture as a page, turned upright by its EXIF orientation (1..8).

    Raises:
        UnreadableImage: a pixel format that has no meaning as a scan.
    """
    pixels = turn_upright(to_pixels(image), orientation)
    return Page(index=index, pixels=pixels, dpi=stated_dpi(image))


def exif_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation (1..8); 1 when there is none or the EXIF block is damaged."""
    if not {"exif", "xmp", "Raw profile type exif", "XML:com.adobe.xmp"} & image.info.keys():
        return 1
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except DAMAGE:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def stated_dpi(image: Image.Image) -> float | None:
    """Return the resolution that the file states, if plausible."""
    dpi = image.info.get("dpi")
    try:
        return plausible_dpi(float(dpi[0]), float(dpi[1])) if dpi else None
    except DAMAGE:
        return None


def turn_upright(pixels: Pixels, orientation: int) -> Pixels:
    """Return the pixels turned and mirrored as EXIF orientation 1..8 asks, contiguous."""
    flips: dict[int, Callable[[Pixels], Pixels]] = {
        2: np.fliplr,
        3: lambda p: p[::-1, ::-1],
        4: np.flipud,
        5: lambda p: p.swapaxes(0, 1),
        6: lambda p: p.swapaxes(0, 1)[:, ::-1],
        7: lambda p: p.swapaxes(0, 1)[::-1, ::-1],
        8: lambda p: p.swapaxes(0, 1)[::-1],
    }
    return np.ascontiguousarray(flips[orientation](pixels) if orientation in flips else pixels)


def to_pixels(image: Image.Image) -> Pixels:
    """Return uint8 pixels, (height, width) grey or (height, width, 3) BGR; transparency lies on white.

    Raises:
        UnreadableImage: a pixel format that has no meaning as a scan.
    """
    converter = _CONVERTERS.get(image.mode)
    if converter is None:
        raise UnreadableImage(f"Pictures of pixel format {image.mode} are not supported.")
    image.load()
    if image.im.size != image.size:  # a second header behind the pixels
        raise UnreadableImage("The picture's headers contradict each other.")
    if "transparency" in image.info and image.mode in {"1", "L", "P", "RGB"}:
        return _in_bands(image, _from_alpha, channels=3)
    return converter(image)


def _grey(image: Image.Image) -> Pixels:
    return np.array(image, dtype=np.uint8)


def _as_grey(image: Image.Image) -> Pixels:
    return _in_bands(image, lambda band: np.array(band.convert("L")), channels=1)


def _rgb(image: Image.Image) -> Pixels:
    return _in_bands(image, _to_bgr, channels=3)


def _alpha(image: Image.Image) -> Pixels:
    return _in_bands(image, _from_alpha, channels=3)


def _grey_alpha(image: Image.Image) -> Pixels:
    return _in_bands(image, lambda band: _from_alpha(band)[:, :, 0], channels=1)


def _palette(image: Image.Image) -> Pixels:
    """Grey when every colour of the palette is."""
    colours = np.frombuffer(image.im.getpalette("RGB", "RGB"), np.uint8).reshape(-1, 3)
    if (colours == colours[:, :1]).all():
        return _as_grey(image)
    return _in_bands(image, _to_bgr, channels=3)


def _wide(image: Image.Image) -> Pixels:
    """12-bit to 32-bit and float samples, scaled so that the format's nominal white becomes 255."""
    low, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]
    white = 2.0 ** _stated_bits(image) - 1 if image.mode.startswith("I;16") else _nominal_white(low, high)
    return _in_bands(image, lambda band: _scaled(np.asarray(band), white), channels=1)


def _stated_bits(image: Image.Image) -> int:
    """Return the bits of a sample of mode I;16: 16, unless a TIFF says that it uses fewer."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 16
    (bits,) = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (16,))
    return int(bits) if 8 < bits < 16 else 16


def _nominal_white(low: float, high: float) -> float:
    """The white of samples without a fixed range: 1, 255 or 65535, whichever holds them all."""
    for white in (1.0, 255.0, 65535.0):
        if low >= 0 and high <= white:
            return white
    raise UnreadableImage("The picture's samples lie outside every usual range.")


def _scaled(samples: NDArray[np.generic], white: float) -> Pixels:
    values = samples.astype(np.float32)
    if not np.isfinite(values).all():
        raise UnreadableImage("The picture holds samples that are not numbers.")
    scaled: Pixels = np.rint(values * np.float32(255.0 / white)).astype(np.uint8)
    return scaled


def _to_bgr(band: Image.Image) -> Pixels:
    rgb = np.asarray(band if band.mode == "RGB" else band.convert("RGB"))
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _from_alpha(band: Image.Image) -> Pixels:
    layer = band.convert("RGBA")
    paper = Image.new("RGBA", layer.size, "white")
    return _to_bgr(Image.alpha_composite(paper, layer).convert("RGB"))


def _in_bands(image: Image.Image, convert: Callable[[Image.Image], Pixels], *, channels: int) -> Pixels:
    """Convert band by band into one array, so that the peak stays near the result's own size."""
    rows = max(1, BAND_PIXELS // image.width)
    if rows >= image.height:
        return np.ascontiguousarray(convert(image))
    shape = (image.height, image.width) if channels == 1 else (image.height, image.width, channels)
    pixels = np.empty(shape, dtype=np.uint8)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        pixels[top:bottom] = convert(image.crop((0, top, image.width, bottom)))
    return pixels


_CONVERTERS: dict[str, Callable[[Image.Image], Pixels]] = {
    "1": _as_grey,
    "L": _grey,
    "LA": _grey_alpha,
    "La": _grey_alpha,
    "P": _palette,
    "PA": _alpha,
    "RGB": _rgb,
    "RGBX": _rgb,
    "RGBA": _alpha,
    "RGBa": _alpha,
    "CMYK": _rgb,
    "YCbCr": _rgb,
    "I": _wide,
    "I;16": _wide,
    "I;16L": _wide,
    "I;16B": _wide,
    "F": _wide,
}
