"""Valid files of every kind come out as upright uint8 pages."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from core.errors import InputError, UnreadableImage, UnsupportedMediaType
from core.settings import Settings
from core.types import Page
from examples.drawing import files
from segmentation.decoding import DecodeLimits, decode_page, inspect, open_document
from segmentation.preview import encode_preview
from tests import factories

LIMITS = DecodeLimits(max_pixels=4_000_000, max_side=10_000, max_pages=20, pdf_dpi=150)
Pixels = NDArray[np.uint8]


def corner() -> Pixels:
    """Return a grey picture in which each corner can be told from the others: 60 wide, 40 high."""
    pixels = np.full((40, 60), 255, np.uint8)
    pixels[:10, :20] = 0
    pixels[30:, 40:] = 120
    return pixels


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(data: bytes, index: int = 0) -> Page:
    return decode_page(data, index, limits=LIMITS)


def grey(page: Page) -> Pixels:
    return page.pixels if page.pixels.ndim == 2 else page.pixels.mean(axis=2).round().astype(np.uint8)


def difference(a: Pixels, b: Pixels) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


LOSSLESS: dict[str, bytes] = {
    "png": encoded(Image.fromarray(corner()), "PNG"),
    "png interlaced 1-bit": encoded(Image.fromarray(corner() > 200), "PNG"),
    "png palette": encoded(Image.fromarray(corner()).convert("RGB").quantize(8), "PNG"),
    "png 16-bit": encoded(Image.fromarray(corner().astype(np.uint16) * 257), "PNG"),
    "png alpha": encoded(Image.fromarray(corner()).convert("LA"), "PNG"),
    "png rgba": encoded(Image.fromarray(corner()).convert("RGBA"), "PNG"),
    "bmp": encoded(Image.fromarray(corner()).convert("RGB"), "BMP"),
    "bmp palette": encoded(Image.fromarray(corner()), "BMP"),
    "webp": encoded(Image.fromarray(corner()).convert("RGB"), "WEBP", lossless=True),
    "tiff": encoded(Image.fromarray(corner()), "TIFF"),
    "tiff lzw": encoded(Image.fromarray(corner()), "TIFF", compression="tiff_lzw"),
    "tiff deflate": encoded(Image.fromarray(corner()), "TIFF", compression="tiff_adobe_deflate"),
    "tiff packbits": encoded(Image.fromarray(corner()), "TIFF", compression="packbits"),
    "tiff big": encoded(Image.fromarray(corner()), "TIFF", big_tiff=True),
    "tiff rgb": encoded(Image.fromarray(corner()).convert("RGB"), "TIFF", compression="tiff_lzw"),
    "tiff 16-bit": encoded(Image.fromarray(corner().astype(np.uint16) * 257), "TIFF", compression="tiff_lzw"),
    "tiff float": encoded(Image.fromarray(corner().astype(np.float32) / 255), "TIFF"),
    "tiff cmyk": encoded(Image.fromarray(corner()).convert("RGB").convert("CMYK"), "TIFF"),
    "pdf": encoded(Image.fromarray(corner()).convert("1", dither=Image.Dither.NONE), "PDF", resolution=200),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_every_kind_of_picture_becomes_its_pixels(name: str) -> None:
    page = decoded(LOSSLESS[name])
    expected = corner()
    if "1-bit" in name:
        expected = np.where(expected > 200, 255, 0).astype(np.uint8)
    if name == "pdf":
        expected = np.where(expected > 127, 255, 0).astype(np.uint8)

    assert page.pixels.dtype == np.uint8
    assert page.pixels.flags.c_contiguous
    assert difference(grey(page), expected) < 1.0


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "YCbCr"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpegs_of_every_colour_space_are_read(mode: str, progressive: bool) -> None:
    image = Image.fromarray(corner()).convert("RGB").convert(mode)

    page = decoded(encoded(image, "JPEG", quality=95, progressive=progressive))

    assert page.pixels.ndim == (2 if mode == "L" else 3)
    assert difference(grey(page), corner()) < 4


def test_jpeg_inside_tiff_and_ccitt_are_read() -> None:
    image = Image.fromarray(corner())
    bilevel = image.convert("1", dither=Image.Dither.NONE)

    assert difference(grey(decoded(encoded(image, "TIFF", compression="jpeg"))), corner()) < 6
    for compression in ("group3", "group4"):
        page = decoded(encoded(bilevel, "TIFF", compression=compression))
        assert np.array_equal(page.pixels, np.where(corner() > 127, 255, 0))


def test_tiled_tiffs_are_read() -> None:
    pixels = np.tile(corner(), (2, 2))
    data = tiled_tiff(pixels, tile=32)

    assert np.array_equal(decoded(data).pixels, pixels)


def test_the_white_of_a_tiff_of_12_bits_is_the_largest_of_12_bits() -> None:
    page = decoded(twelve_bit_tiff(corner()))

    assert np.array_equal(page.pixels, corner())


def twelve_bit_tiff(pixels: Pixels) -> bytes:
    """Return an uncompressed TIFF of 12 bits a sample, which Pillow cannot write; the width must be even."""
    height, width = pixels.shape
    samples = np.round(pixels * (4095 / 255)).astype(np.uint16).ravel()
    first, second = samples[::2], samples[1::2]
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=1).astype(np.uint8).tobytes()
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 12), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, len(packed))]
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries) + struct.pack("<I", 0)
    return struct.pack("<2sHI", b"II", 42, 8 + len(packed)) + packed + struct.pack("<H", len(entries)) + directory


def tiled_tiff(pixels: Pixels, *, tile: int) -> bytes:
    """Return an uncompressed tiled TIFF, which Pillow cannot write."""
    height, width = pixels.shape
    down, across = -(-height // tile), -(-width // tile)
    padded = np.zeros((down * tile, across * tile), np.uint8)
    padded[:height, :width] = pixels
    tiles = padded.reshape(down, tile, across, tile).swapaxes(1, 2).reshape(-1, tile * tile)
    count, ifd = len(tiles), 8
    arrays = ifd + 2 + 12 * 9 + 4
    body = arrays + 8 * count
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(322, 4, 1, tile), (323, 4, 1, tile), (324, 4, count, arrays), (325, 4, count, arrays + 4 * count)]
    head = struct.pack("<2sHIH", b"II", 42, ifd, len(entries))
    head += b"".join(struct.pack("<HHII", *entry) for entry in entries) + struct.pack("<I", 0)
    offsets = struct.pack(f"<{count}I", *(body + i * tile * tile for i in range(count)))
    return head + offsets + struct.pack(f"<{count}I", *[tile * tile] * count) + tiles.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_page_upright(kind: str, orientation: int) -> None:
    upright = corner()
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = as_the_camera_held_it(upright, orientation)
    options = {"quality": 95} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}

    page = decoded(encoded(Image.fromarray(stored), kind, exif=exif, **options))

    assert (page.height, page.width) == upright.shape
    assert difference(grey(page), upright) < 3


def as_the_camera_held_it(upright: Pixels, orientation: int) -> Pixels:
    """Return the stored pixels that EXIF `orientation` turns into `upright`."""
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: np.rot90(upright.T, 2),
        8: np.rot90(upright, 3),
    }[orientation]
    return np.ascontiguousarray(stored)


def test_transparency_lies_on_white_paper() -> None:
    rgba = np.zeros((20, 30, 4), np.uint8)
    rgba[:, 15:, 3] = 255
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        page = decoded(encoded(Image.fromarray(rgba), kind, **options))
        assert page.pixels[10, 5].tolist() == [255, 255, 255]
        assert page.pixels[10, 25].tolist() == [0, 0, 0]


def test_colours_come_out_as_bgr() -> None:
    red = Image.new("RGB", (20, 20), (250, 10, 20))
    for kind, options in (("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True}), ("PDF", {})):
        blue, green, red_value = decoded(encoded(red, kind, **options)).pixels[10, 10].tolist()
        assert red_value > 240, kind
        assert max(blue, green) < 40, kind


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "TIFF", "PDF"])
def test_a_single_pixel_is_a_page(kind: str) -> None:
    page = decoded(encoded(Image.new("RGB", (1, 1), "white"), kind))

    assert (page.height, page.width) == (1, 1)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_one_page_its_first_picture(kind: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("white", "black")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)

    assert inspect(data, LIMITS).pages == 1
    assert decoded(data).pixels.min() > 250


@pytest.mark.parametrize(("stated", "read"), [(300, 300), (72, 72), (1, None), (72_000, None)])
def test_only_plausible_resolutions_are_believed(stated: int, read: float | None) -> None:
    for kind in ("PNG", "JPEG", "TIFF"):
        if kind == "JPEG" and stated > 65_535:
            continue
        data = encoded(Image.new("L", (30, 30)), kind, dpi=(stated, stated))
        dpi = decoded(data).dpi
        assert dpi == (pytest.approx(read, abs=0.1) if read else None), kind


def test_pixels_far_from_square_have_no_single_resolution() -> None:
    assert decoded(encoded(Image.new("1", (30, 30)), "TIFF", dpi=(204, 98))).dpi is None


def test_a_scan_in_a_pdf_keeps_its_own_pixels() -> None:
    drawn = factories.field("42020").image
    for resolution in (72, 200, 300):
        data = encoded(files.as_image(drawn), "PDF", resolution=resolution, quality=95)
        page = decoded(data)
        assert page.pixels.shape == drawn.shape
        assert page.dpi == pytest.approx(resolution, abs=0.5)
        assert difference(page.pixels, drawn) < 4


def test_a_pdf_page_without_a_scan_is_rendered_at_the_setting() -> None:
    page = decoded(factories.vector_pdf_bytes(width=144, height=72))

    assert (page.width, page.height) == (300, 150)
    assert page.dpi == 150
    assert page.pixels[75, 150].max() < 10
    assert page.pixels[5, 5].min() == 255


def test_pages_are_counted_and_read_one_by_one() -> None:
    for data, kind in (
        (factories.tiff_bytes(["1", "22", "333"]), "image/tiff"),
        (factories.pdf_bytes(["1", "22", "333"]), "application/pdf"),
    ):
        info = inspect(data, LIMITS)
        widths = [decoded(data, index).width for index in range(3)]

        assert (info.media_type, info.pages) == (kind, 3)
        assert widths == sorted(set(widths))
        assert [decoded(data, index).index for index in range(3)] == [0, 1, 2]
        with pytest.raises(UnreadableImage):
            decoded(data, 3)


def test_an_open_document_gives_its_pages_as_often_as_asked() -> None:
    files_of_each_kind = [*LOSSLESS.values(), factories.jpeg_bytes("7"), factories.pdf_bytes(["1", "22"])]
    for data in files_of_each_kind:
        document = open_document(data, LIMITS)
        assert document.source == inspect(data, LIMITS)
        for index in [0, 0, document.source.pages - 1]:
            assert np.array_equal(document.page(index).pixels, decoded(data, index).pixels)
        with pytest.raises(UnreadableImage):
            document.page(document.source.pages)


def test_a_picture_cut_short_opens_and_fails_at_its_page() -> None:
    document = open_document(factories.jpeg_bytes("7")[:-200], LIMITS)
    for _ in range(2):
        with pytest.raises(UnreadableImage):
            document.page(0)


def test_the_type_comes_from_the_bytes() -> None:
    assert inspect(factories.jpeg_bytes("7"), LIMITS).media_type == "image/jpeg"
    for data in (b"hello, not an image", b"GIF89a" + bytes(30), b"PK\x03\x04" + bytes(30), bytes(100)):
        with pytest.raises(UnsupportedMediaType):
            inspect(data, LIMITS)
        with pytest.raises(UnsupportedMediaType):
            decoded(data)


def test_empty_files_are_of_no_type() -> None:
    for call in (lambda: inspect(b"", LIMITS), lambda: decoded(b"")):
        with pytest.raises(UnsupportedMediaType, match="empty"):
            call()


def test_limits_come_from_the_settings() -> None:
    limits = DecodeLimits.from_settings(Settings(max_page_pixels=123, max_page_side=45, max_pages=6, pdf_dpi=99))

    assert limits == DecodeLimits(max_pixels=123, max_side=45, max_pages=6, pdf_dpi=99)


PREFIXES = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"BM",
    b"RIFF\x20\0\0\0WEBPVP8X",
    b"II*\0",
    b"MM\0+",
    b"%PDF-1.7\n",
]


@settings(max_examples=300, deadline=None)
@given(prefix=st.sampled_from(PREFIXES), rest=st.binary(max_size=300))
def test_any_bytes_give_a_page_or_an_input_error(prefix: bytes, rest: bytes) -> None:
    try:
        info = inspect(prefix + rest, LIMITS)
        pages = [decoded(prefix + rest, index) for index in range(info.pages)]
    except InputError:
        return
    assert all(page.pixels.size for page in pages)


def test_previews_are_small_upright_webp() -> None:
    page = factories.field_page("0123456789")
    small = decoded(encode_preview(page, max_side=100))
    same = decoded(encode_preview(page, max_side=5000))

    assert (small.width, small.height) == (100, round(100 * page.height / page.width))
    assert same.pixels.shape == page.pixels.shape
    assert difference(same.pixels, page.pixels) < 8


def test_previews_of_slivers_and_grey_pages_work() -> None:
    sliver = Page(index=0, pixels=np.zeros((1, 9000), np.uint8))

    assert decoded(encode_preview(sliver, max_side=90)).pixels.shape[:2] == (1, 90)
