"""File types by their first bytes; a name or a declared type is never trusted."""

ZIP = "application/zip"
PDF = "application/pdf"
TIFF = "image/tiff"

SNIFF_BYTES = 1024
"""How many leading bytes `sniff` looks at: a PDF's header may stand anywhere in the first 1024."""

ACCEPTED: tuple[str, ...] = ("image/png", "image/jpeg", "image/bmp", "image/webp", TIFF, PDF)

_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"BM", "image/bmp"),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"II+\x00", TIFF),
    (b"MM\x00+", TIFF),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
)


def sniff(head: bytes) -> str | None:
    """Return the media type that the leading bytes show, or None when they show none we know.

    Args:
        head: the first `SNIFF_BYTES` bytes of a file, or all of a shorter one.
    """
    for prefix, media_type in _PREFIXES:
        if head.startswith(prefix):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return PDF if b"%PDF-" in head[:SNIFF_BYTES] else None
