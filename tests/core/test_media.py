"""Types come from bytes."""

import pytest

from core.media import ACCEPTED, SNIFF_BYTES, ZIP, sniff


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(8), "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"BM" + bytes(12), "image/bmp"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", None),
        (b"II*\x00" + bytes(4), "image/tiff"),
        (b"MM\x00*" + bytes(4), "image/tiff"),
        (b"%PDF-1.7", "application/pdf"),
        (b"junk before\n%PDF-1.4", "application/pdf"),
        (bytes(SNIFF_BYTES) + b"%PDF-1.4", None),
        (b"PK\x03\x04", ZIP),
        (b"", None),
        (b"hello", None),
    ],
)
def test_the_first_bytes_tell(head: bytes, expected: str | None) -> None:
    assert sniff(head) == expected


def test_a_zip_is_no_document() -> None:
    assert ZIP not in ACCEPTED
