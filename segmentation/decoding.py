"""First step of the flow: untrusted bytes to upright pages.

```
bytes ─ inspect ─▶ SourceInfo        bytes, page index ─ decode_page ─▶ Page
bytes ─ open_document ─▶ OpenDocument ─ page index ─▶ Page
```

The type comes from the bytes, sizes from headers before any pixel is decoded, and only the page asked for is
decoded. Whatever the bytes are, the answer is a result or an `InputError`; only `MemoryError` and a time limit's
exception pass through, since they say nothing about the file.
"""

from dataclasses import dataclass

from PIL.ImageFile import ImageFile

from core.errors import TooManyPages, UnreadableImage, UnsupportedMediaType
from core.media import PDF, SNIFF_BYTES, TIFF, ZIP, sniff
from core.types import Page
from segmentation.decoding_limits import DecodeLimits, SourceInfo
from segmentation.decoding_pdf import count_pdf_pages, decode_pdf
from segmentation.decoding_raster import decode_raster, open_raster
from segmentation.decoding_tiff import count_tiff_pages, decode_tiff

__all__ = ["DecodeLimits", "OpenDocument", "SourceInfo", "decode_page", "inspect", "open_document"]


@dataclass(slots=True)
class OpenDocument:
    """A file whose headers were read and found to be within the limits.

    Attributes:
        source: what it is, and how many pages it has.
    """

    source: SourceInfo
    _data: bytes
    _limits: DecodeLimits
    _picture: ImageFile | None = None

    def page(self, index: int) -> Page:
        """Return page `index`, as `decode_page` does; a picture's header is not read again.

        Raises:
            InputError: the page cannot be decoded.
        """
        # Pillow lets go of the file once the pixels are there, so a picture is good for one decoding.
        picture, self._picture = self._picture, None
        if picture is None or index != 0:
            return decode_page(self._data, index, limits=self._limits)
        return decode_raster(picture, self.source.media_type)


def inspect(data: bytes, limits: DecodeLimits) -> SourceInfo:
    """Return what the file is and how many pages it has, from its headers alone.

    Raises:
        InputError: as `open_document` does.
    """
    return open_document(data, limits).source


def open_document(data: bytes, limits: DecodeLimits) -> OpenDocument:
    """Return the file with its headers read: what it is and how many pages it has, and nothing decoded.

    Raises:
        UnsupportedMediaType: the bytes are none of the accepted types, or there are none.
        UnreadableImage: the headers are damaged.
        ImageTooLarge: a one-page picture has more pixels than the limits allow.
        TooManyPages: more pages than the limits allow.
        EncryptedDocument: the PDF asks for a password.
    """
    media_type = _media_type(data)
    pages, picture = 1, None
    if media_type == PDF:
        pages = count_pdf_pages(data, limits=limits)
    elif media_type == TIFF:
        pages = count_tiff_pages(data, limits=limits)
    else:
        picture = open_raster(data, media_type, limits=limits)
    if pages > limits.max_pages:
        raise TooManyPages(f"The document has {pages} pages; this service accepts {limits.max_pages}.")
    return OpenDocument(SourceInfo(media_type=media_type, pages=pages), data, limits, picture)


def decode_page(data: bytes, index: int, *, limits: DecodeLimits) -> Page:
    """Return page `index`, counted from 0: upright, uint8, grey (height, width) or BGR (height, width, 3).

    EXIF orientation is applied, transparency lies on white, samples of more than 8 bits are scaled down.

    Raises:
        UnsupportedMediaType: the bytes are none of the accepted types.
        UnreadableImage: the page is damaged, cut short or not there.
        ImageTooLarge: the page, or a picture inside of it, is larger than the limits allow.
        TooManyPages: more pages than the limits allow.
        EncryptedDocument: the PDF asks for a password.
    """
    media_type = _media_type(data)
    if media_type == PDF:
        return decode_pdf(data, index, limits=limits)
    if media_type == TIFF:
        return decode_tiff(data, index, limits=limits)
    if index != 0:
        raise UnreadableImage(f"The picture has no page {index + 1}.")
    return decode_raster(open_raster(data, media_type, limits=limits), media_type)


def _media_type(data: bytes) -> str:
    if not data:
        raise UnsupportedMediaType("The file is empty.")
    media_type = sniff(data[:SNIFF_BYTES])
    if media_type is None or media_type == ZIP:
        raise UnsupportedMediaType
    return media_type
