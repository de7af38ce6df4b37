"""Glyphs as pictures in a folder a class: `DIR/7/any-name.png`; a service exports its corrections so, too."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest, UnreadableImage
from model.classes import DIGIT_CLASSES
from segmentation.normalise import normalise_glyphs

Glyph = NDArray[np.uint8]

PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})

CORRECTED: Final = "digits"
"""Folder of a service's exported corrections that holds the glyphs, beside the fields' `labels.csv`."""

FAINTEST: Final = 24
"""Levels between paper and the darkest ink; less is an empty picture."""


def holds_classes(folder: Path) -> bool:
    """Return whether pictures lie in folders named for what they show, here or in exported corrections."""
    return any(_class_folders(_home(folder)))


def load(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], tuple[str, ...], tuple[str, ...]]:
    """Return glyphs (normalised, for pictures have any size), their labels, the classes, and the pictures' names.

    Folders named by digits alone make the ten digits, whichever of them are there; others make the classes themselves.

    Raises:
        InvalidRequest: a class has no pictures.
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
    return _glyphs(paths), np.asarray(labels, np.int64), classes, _names(paths, folder)


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
    """Return a picture of one glyph with its ink bright on 0, whichever way it was drawn: uint8, shape (height, width).

    Raises:
        UnreadableImage: it cannot be decoded.
    """
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise UnreadableImage(f"{path} cannot be read as a picture.")
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = int(np.median(border))
    ink = np.clip(paper - grey.astype(np.int16) if paper > 127 else grey.astype(np.int16) - paper, 0, 255)
    strongest = int(ink.max())
    if strongest < FAINTEST:
        return np.zeros(grey.shape, np.uint8)
    return np.asarray(ink * 255 // strongest, np.uint8)


def _home(folder: Path) -> Path:
    exported = (folder / "labels.csv").exists() and (folder / CORRECTED).is_dir()
    return folder / CORRECTED if exported else folder


def _class_folders(home: Path) -> list[Path]:
    """Return the folders whose name is one character, in its order."""
    return sorted(each for each in home.iterdir() if each.is_dir() and len(each.name) == 1)


def _glyphs(paths: list[Path]) -> NDArray[np.uint8]:
    return normalise_glyphs([read_picture(path) for path in paths])


def _names(paths: list[Path], folder: Path) -> tuple[str, ...]:
    return tuple(path.relative_to(folder).as_posix() for path in paths)
