"""One-page pictures: PNG, JPEG, BMP and WebP.

An animated PNG or WebP counts as one page: its first picture. Scanners make none, and frames are not pages.
Pillow's plugin classes are called directly: each sees only files whose first bytes named its format, and its
lazy opening gives the size before any pixel is decoded.
"""

import io
import re

from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin
from PIL.ImageFile import ImageFile

from core.errors import ImageTooLarge, UnreadableImage
from core.types import Page
from segmentation.decoding_limits import DecodeLimits, damage_as_unreadable
from segmentation.decoding_pixels import exif_orientation, to_page

# Our own limits apply, before decoding; Pillow's would warn at 89 million pixels whatever the settings say.
Image.MAX_IMAGE_PIXELS = None

MAX_JPEG_SCANS = 100
"""Progressive JPEGs have about ten. Each costs a pass over all pixels, and a few bytes make one."""

_START_OF_SCAN = re.compile(rb"\xff\xda")


def open_png(data: bytes, limits: DecodeLimits) -> ImageFile:
    """Return the PNG, its header read and its size checked. Text and colour-profile bombs end in Pillow's caps."""
    with damage_as_unreadable("PNG"):
        image = PngImagePlugin.PngImageFile(io.BytesIO(data))
    limits.check_size(*image.size)
    return image


def open_jpeg(data: bytes, limits: DecodeLimits) -> ImageFile:
    """Return the JPEG, its header read, its size and its number of scans checked."""
    with damage_as_unreadable("JPEG"):
        image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    limits.check_size(*image.size)
    if sum(1 for _ in _START_OF_SCAN.finditer(data)) > MAX_JPEG_SCANS:
        raise ImageTooLarge("The JPEG is made of more scans than this service accepts.")
    return image


def open_bmp(data: bytes, limits: DecodeLimits) -> ImageFile:
    """Return the BMP, its header read and its size checked."""
    with damage_as_unreadable("BMP"):
        image = BmpImagePlugin.BmpImageFile(io.BytesIO(data))
    limits.check_size(*image.size)
    return image


def open_webp(data: bytes, limits: DecodeLimits) -> ImageFile:
    """Return the WebP at its first frame; its canvas is checked before libwebp allocates it."""
    limits.check_size(*_webp_size(data))
    with damage_as_unreadable("WebP"):
        image = WebPImagePlugin.WebPImageFile(io.BytesIO(data))
    limits.check_size(*image.size)
    return image


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height from the first chunk: `VP8X` canvas, `VP8L` or `VP8 ` bitstream header."""
    chunk, body = data[12:16], data[20:30]
    if len(body) == 10 and chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if len(body) == 10 and chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if len(body) == 10 and chunk == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise UnreadableImage("The WebP is damaged or cut short.")


_OPENERS = {
    "image/png": ("PNG", open_png),
    "image/jpeg": ("JPEG", open_jpeg),
    "image/bmp": ("BMP", open_bmp),
    "image/webp": ("WebP", open_webp),
}


def open_raster(data: bytes, media_type: str, *, limits: DecodeLimits) -> ImageFile:
    """Return the picture, its header read and nothing of it decoded; it is one page.

    Raises:
        UnreadableImage: the header is damaged.
        ImageTooLarge: more pixels than the limits allow.
    """
    _, opener = _OPENERS[media_type]
    return opener(data, limits)


def decode_raster(image: ImageFile, media_type: str) -> Page:
    """Return an opened picture as page 0.

    Raises:
        UnreadableImage: damaged, cut short, or of a pixel format without meaning as a scan.
        ImageTooLarge: more pixels than the limits allow.
    """
    name, _ = _OPENERS[media_type]
    with damage_as_unreadable(name):
        return to_page(image, 0, orientation=exif_orientation(image))
