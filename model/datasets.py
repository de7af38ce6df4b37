"""Labelled glyphs from files: IDX, npz, Kaggle's CSV, or MNIST by Keras; for training, evaluation and prediction.

Images come out as they lie in the file; `normalised` brings them to what the network sees.
"""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest, UnreadableImage
from model.training_extra import load_keras
from segmentation.normalise import normalise_glyphs

UNKNOWN = -1
"""The label of a glyph whose file names none."""

_MNIST_NAMES = {"train": ("train-images", "train-labels"), "test": ("t10k-images", "t10k-labels")}
_NPZ_NAMES = {
    "train": (("x_train", "y_train"), ("x", "y"), ("images", "labels")),
    "test": (("x_test", "y_test"), ("x", "y"), ("images", "labels")),
}


@dataclass(frozen=True, slots=True)
class Samples:
    """Glyphs and what they show.

    Attributes:
        images: uint8, shape (n, height, width), ink bright.
        labels: int64, shape (n,), an index into the classes, or `UNKNOWN`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of glyphs."""
        return len(self.labels)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Samples":
        """Return the chosen glyphs."""
        return Samples(self.images[index], self.labels[index])


def normalised(samples: Samples) -> Samples:
    """Return the samples with each image as the reader would hand it to the network."""
    return Samples(normalise_glyphs(list(samples.images)), samples.labels)


def joined(parts: list[Samples]) -> Samples:
    """Return all of `parts`, which share one image size, as one."""
    return Samples(np.concatenate([p.images for p in parts]), np.concatenate([p.labels for p in parts]))


def load_samples(path: Path | None, *, split: str = "train") -> Samples:
    """Return the glyphs at `path`, its kind told by its name.

    Args:
        path: a folder of IDX files, an IDX file of images, an npz or a CSV; None asks Keras for MNIST.
        split: "train" or "test", where the place holds both.

    Raises:
        InvalidRequest: there is nothing of that kind.
        UnreadableImage: the file is damaged.
    """
    if path is None:
        return keras_mnist(split=split)
    if not path.exists():
        raise InvalidRequest(f"There is no data at {path}.")
    try:
        return _load(path, split)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile, zlib.error) as error:
        raise UnreadableImage(f"{path} is damaged: {error}") from error


def _load(path: Path, split: str) -> Samples:
    if path.is_dir():
        return _idx_folder(path, split)
    if path.suffix == ".npz":
        return _npz(path, split)
    if path.suffix == ".csv":
        return _csv(path)
    if "idx3" in path.name:
        return _idx_pair(path)
    raise InvalidRequest(f"{path.name} is no IDX, npz or CSV file of glyphs.")


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


def _idx_folder(folder: Path, split: str) -> Samples:
    images = sorted(folder.glob(f"{_MNIST_NAMES[split][0]}*"))
    if not images:
        raise InvalidRequest(f"{folder} holds no {_MNIST_NAMES[split][0]}… file.")
    return _idx_pair(images[0])


def _idx_pair(images: Path) -> Samples:
    """Return the images with the labels beside them, or without where no file of labels lies there."""
    pixels = read_idx(images)
    labels = images.with_name(images.name.replace("images", "labels").replace("idx3", "idx1"))
    if labels == images or not labels.exists():
        return Samples(pixels, np.full(len(pixels), UNKNOWN))
    return _matched(pixels, read_idx(labels))


def _npz(path: Path, split: str) -> Samples:
    # Opened here: numpy leaves the file open when it is no archive.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        for images, labels in _NPZ_NAMES[split]:
            if images in arrays:
                known = arrays[labels] if labels in arrays else np.full(len(arrays[images]), UNKNOWN)
                return _matched(arrays[images], known)
    raise InvalidRequest(f"{path.name} holds none of the arrays x, x_{split}, images.")


def _csv(path: Path) -> Samples:
    """Return Kaggle's table of pixels: `label,pixel0…`, or without the label for a test set."""
    with path.open(encoding="utf-8") as lines:
        labelled = lines.readline().startswith("label")
    table = np.loadtxt(path, np.uint8, delimiter=",", skiprows=1, ndmin=2)
    pixels = table[:, 1:] if labelled else table
    side = int(pixels.shape[1] ** 0.5)
    if side * side != pixels.shape[1]:
        raise ValueError(f"{pixels.shape[1]} pixels make no square")
    labels = table[:, 0] if labelled else np.full(len(table), UNKNOWN)
    return _matched(pixels.reshape(-1, side, side), labels)


def _matched(images: NDArray[np.uint8], labels: NDArray[np.generic]) -> Samples:
    if images.ndim != 3 or len(images) != len(labels):
        raise ValueError(f"{images.shape} images do not match {labels.shape} labels")
    if images.dtype != np.uint8:
        raise ValueError(f"pixels are {images.dtype}, not bytes")
    return Samples(images, labels.astype(np.int64))
