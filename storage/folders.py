"""Folders of blobs on this machine: which of them is one, and which only looks like one while its volume is away.

Where a volume is not mounted its mount point lies bare. A scan that were stored there would be hidden as soon as the
volume is back, and what waits to be removed would be taken for gone. So a folder of blobs has a mark.
"""

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from core.errors import BlobStoreUnavailable

MARK = ".tallyscan-blobs"
"""The file that tells a folder of blobs. One that was made before there were marks gets it with its next blob."""

DRAFT_SECONDS = 86_400.0
"""No upload takes longer: an older draft is of a process that was killed."""

_MEANING = (
    "Tallyscan keeps scans and pictures of pages in this folder.\n"
    "Without this file it would count as a volume that is not mounted, and take none as long as there are documents.\n"
)
_FIRST_DIGITS = "[0-9a-f][0-9a-f]"
_ELSEWHERE = re.compile(r"(?!(?:file|local):(?!:)).*://.*", re.DOTALL)


def is_folder(url: str) -> bool:
    """Return whether an fsspec URL means a folder of this machine, whatever that is called.

    For fsspec `::` parts a chain of file systems, wherever it stands; none of these begins with a folder.
    """
    return not _ELSEWHERE.fullmatch(url)


def holds_blobs(root: Path) -> bool:
    """Return whether a folder is one of blobs, if only of blobs that have gone."""
    # The folders of blobs stay when the last blob has gone.
    with suppress(OSError):
        return (root / MARK).is_file() or next(root.glob(_FIRST_DIGITS), None) is not None
    return False


def settle(root: Path, *, known: bool) -> None:
    """Make a folder one of blobs, where it is none yet.

    Args:
        root: the folder.
        known: it was one of blobs before.

    Raises:
        BlobStoreUnavailable: it was, and is none now.
    """
    mark = root / MARK
    if mark.is_file():
        return
    if known and not holds_blobs(root):
        raise BlobStoreUnavailable
    root.mkdir(parents=True, exist_ok=True)
    mark.write_text(_MEANING)


def remove_old_drafts(root: Path) -> None:
    """Remove what processes that were killed have left."""
    # Drafts lie at the top, beside 256 folders of blobs, so looking is cheap. What cannot be removed can wait.
    with suppress(OSError):
        for draft in root.glob(".draft-*"):
            if time.time() - draft.stat().st_mtime > DRAFT_SECONDS:
                draft.unlink(missing_ok=True)


def former_folder(url: str, *, home: Path) -> Path | None:
    """Return the folder in which an earlier version kept the blobs that belong in `url`, where it holds some.

    They quoted the home's path as URLs do, which nobody undid: the blobs of `/srv/a b` went to `/srv/a%20b/blobs`. And
    they took a path for ended where it has `::`.
    """
    if not is_folder(url):
        return None
    root = re.sub("^(?:file|local):(?://)?", "", url)
    candidates = [Path(root.split("::", 1)[0])] if "::" in root else []
    if Path(root) == home / "blobs":
        candidates.append(Path(quote(os.fsencode(home)), "blobs"))
    for folder in candidates:
        if folder != Path(root) and holds_blobs(folder):
            return folder
    return None
