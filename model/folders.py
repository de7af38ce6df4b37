"""Glyphs as pictures in a folder a class: `DIR/7/any-name.png`; a service exports its corrections so, too."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, InvalidRequest, UnreadableImage
from model.classes import DIGIT_CLASSES
from segmentation.decoding import DecodeLimits, decode_page
from segmentation.normalise import normalise_glyphs

Glyph = NDArray[np.uint8]

PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})

CORRECTED: Final = "digits"
"""Folder of a service's exported corrections that holds the glyphs, beside the fields' `labels.csv`."""

FAINTEST: Final = 24
"""Levels between paper and the darkest ink; less is an empty picture."""

LIMITS: Final = DecodeLimits(max_pixels=40_000_000, max_side=20_000, max_pages=100, pdf_dpi=300)
"""No picture of one glyph is larger than a page."""


def holds_classes(folder: Path) -> bool:
    """Return whether pictures lie in folders named for what they show, here or in exported corrections."""
    return any(_class_folders(_home(folder)))


def load(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], tuple[str, ...], tuple[str, ...]]:
    """Return glyphs (normalised, for pictures have any size), their labels, the classes, and the pictures' names.

    Folders named by digits alone make the ten digits, whichever of them are there; others make the classes themselves.

    Raises:
        InvalidRequest: a class has no pictures, or one of them is empty.
        UnreadableImage: a picture is damaged.
    """
    home = _home(folder)
    names = [each.name for each in _class_folders(home)]
    classes = DIGIT_CLASSES if set(names) <= set(DIGIT_CLASSES) else tuple(names)
    paths, labels = [], []
    for name in names:
        found = pictures(home / name)
        if not found:
            raise InvalidRequest(f"The class {name} in {home} has no pictures.")
        paths += found
        labels += [classes.index(name)] * len(found)
    glyphs = _glyphs(paths)
    empty = [path for path, glyph in zip(paths, glyphs, strict=True) if not glyph.any()]
    if empty:
        raise InvalidRequest(f"{empty[0]} is an empty picture, which shows no {empty[0].parent.name}: take it out.")
    return glyphs, np.asarray(labels, np.int64), classes, _names(paths, folder)


def load_unlabelled(folder: Path) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return the glyphs of the pictures that lie in the folder itself, normalised, and the pictures' names.

    Raises:
        UnreadableImage: a picture is damaged.
    """
    paths = pictures(folder)
    return _glyphs(paths), _names(paths, folder)


def pictures(folder: Path) -> list[Path]:
    """Return the pictures in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


def read_picture(path: Path) -> Glyph:
    """Return a picture in grey, what is transparent on white: uint8, shape (height, width).

    Raises:
        UnreadableImage: it cannot be decoded.
    """
    try:
        pixels = decode_page(path.read_bytes(), 0, limits=LIMITS).pixels
    except InputError as error:
        raise UnreadableImage(f"{path} cannot be read as a picture. {error}") from error
    return pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)


def inked(pictures: Sequence[Glyph]) -> list[Glyph]:
    """Return pictures of one glyph each with their ink bright on 0, whichever way they were drawn; all 0 where none is.

    A margin shows by itself what is paper. A picture without one, as of an upright 1 that is cut tight and is ink
    almost all around, is taken to be drawn as the others are: of most digits, the rim is paper for the larger part.
    """
    light = [_light(picture) for picture in pictures]
    shares = [_rim(each).mean() for each in light if each is not None]
    usual = sum(share < 0.5 for share in shares) <= len(shares) / 2
    return [
        np.zeros_like(picture) if each is None else _ink(picture, each, on_light=_on_light(each, usual=usual))
        for picture, each in zip(pictures, light, strict=True)
    ]


def _home(folder: Path) -> Path:
    exported = (folder / "labels.csv").exists() and (folder / CORRECTED).is_dir()
    return folder / CORRECTED if exported else folder


def _class_folders(home: Path) -> list[Path]:
    """Return the folders whose name is one character, in its order."""
    return sorted(each for each in home.iterdir() if each.is_dir() and len(each.name) == 1)


def _glyphs(paths: list[Path]) -> NDArray[np.uint8]:
    return normalise_glyphs(inked([read_picture(path) for path in paths]))


def _light(picture: Glyph) -> NDArray[np.bool_] | None:
    """Return the lighter side of Otsu's threshold (1979); None where the picture is too even for two."""
    if int(picture.max()) - int(picture.min()) < FAINTEST:
        return None
    return np.asarray(cv2.threshold(picture, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1], np.bool_)


def _on_light(light: NDArray[np.bool_], *, usual: bool) -> bool:
    """Return whether the paper is the lighter side; `usual` where both sides reach the rim."""
    rim = _rim(light)
    return bool(rim[0]) if rim.all() or not rim.any() else usual


def _rim(light: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])


def _ink(picture: Glyph, light: NDArray[np.bool_], *, on_light: bool) -> Glyph:
    """Return how far each pixel is from the paper, the strongest ink at 255; nothing where it is too faint."""
    paper = int(np.median(picture[light == on_light]))
    away = (paper - picture.astype(np.int16)) * (1 if on_light else -1)
    strongest = int(away.max())
    if strongest < FAINTEST:
        return np.zeros_like(picture)
    return np.asarray(np.clip(away, 0, 255) * 255 // strongest, np.uint8)


def _names(paths: list[Path], folder: Path) -> tuple[str, ...]:
    return tuple(path.relative_to(folder).as_posix() for path in paths)
