"""Labelled glyphs from files, for training, evaluation and prediction: what comes in, whatever its format.

IDX, npz, Kaggle's CSV, a folder of pictures for each class, EMNIST's transposed files, corrections exported by the
service, or MNIST by Keras. Images come out as they lie in the file, upright; `normalised` brings them to what the
network sees.
"""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from core.errors import InvalidRequest, UnreadableImage
from model import folders
from model.classes import DIGIT_CLASSES, EMNIST, emnist_classes
from model.training_extra import load_keras
from segmentation.normalise import normalise_glyphs

UNKNOWN = -1
"""The label of a glyph whose file names none."""

_MNIST_NAMES = {"train": ("train-images", "train-labels"), "test": ("t10k-images", "t10k-labels")}
_EMNIST_PARTS = {"train": "train-images", "test": "test-images"}
_NPZ_NAMES = {
    "train": (("x_train", "y_train"), ("x", "y"), ("images", "labels")),
    "test": (("x_test", "y_test"), ("x", "y"), ("images", "labels")),
}
_CLASSES: Final = "classes"
"""Array of an npz that names what its labels count."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Glyphs and what they show.

    Attributes:
        images: uint8, shape (n, height, width), ink bright.
        labels: int64, shape (n,), an index into the classes, or `UNKNOWN`.
        classes: what the labels count.
        names: of the picture that each comes from, within its folder; empty where glyphs have no files of their own.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...] = DIGIT_CLASSES
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of glyphs."""
        return len(self.labels)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Samples":
        """Return the chosen glyphs."""
        names = tuple(np.array(self.names)[index].tolist()) if self.names else ()
        return Samples(self.images[index], self.labels[index], self.classes, names)


def normalised(samples: Samples) -> Samples:
    """Return the samples with each image as the reader would hand it to the network."""
    return replace(samples, images=normalise_glyphs(list(samples.images)))


def joined(parts: list[Samples]) -> Samples:
    """Return all of `parts`, which share one image size and the classes, as one; names are left out."""
    images, labels = np.concatenate([p.images for p in parts]), np.concatenate([p.labels for p in parts])
    return Samples(images, labels, parts[0].classes)


def load_samples(path: Path | None, *, split: str = "train", classes: tuple[str, ...] | None = None) -> Samples:
    """Return the glyphs at `path`, its kind told by its name.

    Args:
        path: a folder of IDX files, of pictures by class or without one, or of exported corrections; an IDX file of
            images, an npz or a CSV; None asks Keras for MNIST.
        split: "train" or "test", where the place holds both.
        classes: what the labels count; None leaves it to the data.

    Raises:
        InvalidRequest: there is nothing of that kind, it holds no glyphs, or a label is none of the classes.
        UnreadableImage: the file is damaged.
    """
    if path is None:
        return keras_mnist(split=split)
    if not path.exists():
        raise InvalidRequest(f"There is no data at {path}.")
    try:
        samples = _load(path, split)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile, zlib.error) as error:
        raise UnreadableImage(f"{path} is damaged: {error}") from error
    return _checked(samples if classes is None else replace(samples, classes=classes), path)


def check_every_class(samples: Samples, name: str) -> None:
    """See that there is a glyph of every class: a network cannot learn what it is never shown.

    Raises:
        InvalidRequest: a class is empty.
    """
    counts = np.bincount(samples.labels[samples.labels >= 0], minlength=len(samples.classes))
    empty = [each for each, count in zip(samples.classes, counts, strict=True) if not count]
    if empty:
        raise InvalidRequest(f"{name} holds no glyph of the class{'es' if len(empty) > 1 else ''} {', '.join(empty)}.")


def _load(path: Path, split: str) -> Samples:
    if path.is_dir():
        return _folder(path, split)
    if path.suffix == ".npz":
        return _npz(path, split)
    if path.suffix == ".csv":
        return _csv(path)
    if "idx3" in path.name:
        return _idx_pair(path)
    raise InvalidRequest(f"{path.name} is no IDX, npz or CSV file of glyphs.")


def _checked(samples: Samples, path: Path) -> Samples:
    """Return the samples once there are some and every label is one of the classes."""
    if not len(samples):
        raise InvalidRequest(f"{path} holds no glyphs.")
    wrong = np.unique(samples.labels[(samples.labels < UNKNOWN) | (samples.labels >= len(samples.classes))])
    if len(wrong):
        raise InvalidRequest(
            f"{path} has the label {wrong[0]}, which is none of its {len(samples.classes)} classes "
            f"{samples.classes[0]} to {samples.classes[-1]}. An npz can name its classes in an array of that name."
        )
    return samples


def keras_mnist(*, split: str) -> Samples:
    """Return MNIST from Keras's cache, fetched when it is not there.

    Raises:
        ExtraMissing: TensorFlow is not installed.
        InvalidRequest: it is neither cached nor to be fetched.
    """
    keras = load_keras()
    try:
        parts = dict(zip(("train", "test"), keras.datasets.mnist.load_data(), strict=True))
    # Keras wraps what urllib raises into a bare Exception.
    except Exception as error:
        raise InvalidRequest("MNIST cannot be fetched here; name a file or folder of glyphs.") from error
    images, labels = parts[split]
    return Samples(images, labels.astype(np.int64))


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array of bytes in an IDX file, gzipped or not.

    Raises:
        ValueError: it is no IDX file of bytes, or it is cut short.
    """
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError("not an IDX file of bytes")
    header = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:header], ">u4").astype(int)
    return np.frombuffer(content[header:], np.uint8).reshape(shape)


def _folder(folder: Path, split: str) -> Samples:
    names = [f"{_MNIST_NAMES[split][0]}*", f"{EMNIST}*{_EMNIST_PARTS[split]}*"]
    images = [path for name in names for path in sorted(folder.glob(name))]
    if len(images) > 1:
        raise InvalidRequest(
            f"{folder} holds several collections; name one: {', '.join(path.name for path in images)}."
        )
    if images:
        return _idx_pair(images[0])
    if folders.holds_classes(folder):
        return Samples(*folders.load(folder))
    if folders.pictures(folder):
        glyphs, own = folders.load_unlabelled(folder)
        return Samples(glyphs, np.full(len(glyphs), UNKNOWN), names=own)
    raise InvalidRequest(
        f"{folder} holds no {_MNIST_NAMES[split][0]}… file, no pictures, and no folder of them a class."
    )


def _idx_pair(images: Path) -> Samples:
    """Return the images with the labels beside them, or without where no file of labels lies there."""
    pixels = read_idx(images)
    labels = images.with_name(images.name.replace("images", "labels").replace("idx3", "idx1"))
    known = labels != images and labels.exists()
    found = _matched(pixels, read_idx(labels) if known else np.full(len(pixels), UNKNOWN))
    return _upright(found, images) if images.name.startswith(EMNIST) else found


def _upright(samples: Samples, path: Path) -> Samples:
    """Return EMNIST's glyphs the way they were written: its files hold them transposed, and letters count from one."""
    numbered = emnist_classes(path)
    places = np.full(max(256, *numbered, *samples.labels.tolist()) + 1, UNKNOWN - 1)
    places[list(numbered)] = range(len(numbered))
    labels = np.where(samples.labels == UNKNOWN, UNKNOWN, places[samples.labels])
    if (labels < UNKNOWN).any():
        wrong = samples.labels[labels < UNKNOWN][0]
        raise InvalidRequest(f"{path.name} has the label {wrong}, for which its mapping names no character.")
    images = np.ascontiguousarray(samples.images.transpose(0, 2, 1))
    return Samples(images, labels.astype(np.int64), tuple(numbered.values()))


def _npz(path: Path, split: str) -> Samples:
    # Opened here: numpy leaves the file open when it is no archive.
    with path.open("rb") as file:
        arrays = np.load(file, allow_pickle=False)
        if not isinstance(arrays, NpzFile):
            raise ValueError("a single array, not an archive of them")  # noqa: TRY004 - of the file, not of an argument
        classes = _named(arrays[_CLASSES]) if _CLASSES in arrays else DIGIT_CLASSES
        for images, labels in _NPZ_NAMES[split]:
            if images in arrays:
                pixels = arrays[images]
                found = _matched(pixels, arrays[labels] if labels in arrays else np.full(pixels.shape[:1], UNKNOWN))
                return Samples(found.images, found.labels, classes)
    raise InvalidRequest(f"{path.name} holds none of the arrays x, x_{split}, images.")


def _named(classes: NDArray[np.generic]) -> tuple[str, ...]:
    if classes.ndim != 1 or not len(classes):
        raise ValueError(f"its classes have the shape {_times(classes.shape)}, and are no list of names")
    return tuple(str(each) for each in classes)


def _csv(path: Path) -> Samples:
    """Return Kaggle's table of pixels: `label,pixel0…`, or without the label for a test set.

    EMNIST's tables have no header, the label first, and lie as its IDX files do.
    """
    with path.open(encoding="utf-8-sig") as lines:
        # Excel begins a table with a mark of the byte order, R puts names in quotes.
        first = lines.readline().partition(",")[0].strip().strip('"')
        headed = not first.isdigit()
        if headed and not any(map(str.strip, lines)):
            raise InvalidRequest(f"{path} holds no glyphs.")
    table = np.loadtxt(
        path, np.uint8, delimiter=",", skiprows=int(headed), encoding="utf-8-sig", quotechar='"', ndmin=2
    )
    if first == "label" or not headed:
        found = _matched(_squares(table[:, 1:]), table[:, 0])
    else:
        found = _matched(_squares(table), np.full(len(table), UNKNOWN))
    return _upright(found, path) if path.name.startswith(EMNIST) else found


def _squares(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = int(rows.shape[1] ** 0.5)
    if side * side != rows.shape[1]:
        raise ValueError(f"{rows.shape[1]} pixels make no square")
    return rows.reshape(-1, side, side)


def _matched(images: NDArray[np.uint8], labels: NDArray[np.generic]) -> Samples:
    if images.ndim != 3 or 0 in images.shape[1:]:
        raise ValueError(f"images have the shape {_times(images.shape)}, not count × height × width")
    if labels.shape != images.shape[:1]:
        raise ValueError(f"{len(images)} images do not match labels of the shape {_times(labels.shape)}")
    if images.dtype != np.uint8:
        raise ValueError(f"pixels are {images.dtype}, not bytes")
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels are {labels.dtype}, not whole numbers")
    return Samples(images, labels.astype(np.int64))


def _times(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape)) or "nothing"
