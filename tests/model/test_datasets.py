"""Every kind of file gives the same glyphs, and a damaged one says so."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import InvalidRequest, UnreadableImage
from model.datasets import UNKNOWN, Samples, load_samples, normalised, read_idx
from segmentation.normalise import normalise_glyphs
from tests.model.drawn import printed_digits


@pytest.fixture(scope="module")
def digits() -> Samples:
    return printed_digits(30)


def idx(array: NDArray[np.generic]) -> bytes:
    head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


def write_idx(folder: Path, digits: Samples, *, prefix: str = "train", packed: bool = False) -> None:
    for kind, array in (("images-idx3", digits.images), ("labels-idx1", digits.labels)):
        content = idx(array)
        path = folder / f"{prefix}-{kind}-ubyte{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(content) if packed else content)


def same(one: Samples, other: Samples) -> bool:
    return np.array_equal(one.images, other.images) and np.array_equal(one.labels, other.labels)


@pytest.mark.parametrize("packed", [False, True])
def test_idx_is_read_packed_or_not(tmp_path: Path, digits: Samples, packed: bool) -> None:
    write_idx(tmp_path, digits, packed=packed)
    assert same(load_samples(tmp_path), digits)


def test_a_folder_holds_a_training_and_a_test_part(tmp_path: Path, digits: Samples) -> None:
    write_idx(tmp_path, digits)
    write_idx(tmp_path, digits.take(slice(7)), prefix="t10k")
    assert (len(load_samples(tmp_path)), len(load_samples(tmp_path, split="test"))) == (30, 7)


def test_idx_images_without_labels_are_unknown(tmp_path: Path, digits: Samples) -> None:
    path = tmp_path / "scans-idx3-ubyte"
    path.write_bytes(idx(digits.images))
    assert set(load_samples(path).labels) == {UNKNOWN}


@pytest.mark.parametrize(("images", "labels"), [("x_train", "y_train"), ("x", "y"), ("images", "labels")])
def test_npz_goes_by_the_usual_names(tmp_path: Path, digits: Samples, images: str, labels: str) -> None:
    path = tmp_path / "digits.npz"
    arrays: dict[str, Any] = {images: digits.images, labels: digits.labels}
    np.savez(path, **arrays)
    assert same(load_samples(path), digits)


def test_kaggle_csv_comes_with_labels_or_without(tmp_path: Path, digits: Samples) -> None:
    pixels = digits.images.reshape(len(digits), -1)
    names = ",".join(f"pixel{index}" for index in range(pixels.shape[1]))
    np.savetxt(tmp_path / "train.csv", np.c_[digits.labels, pixels], "%d", ",", header=f"label,{names}", comments="")
    np.savetxt(tmp_path / "test.csv", pixels, "%d", ",", header=names, comments="")
    assert same(load_samples(tmp_path / "train.csv"), digits)
    assert np.array_equal(load_samples(tmp_path / "test.csv").images, digits.images)


@pytest.mark.parametrize("label", ["label", '"label"', "\ufefflabel", '\ufeff"label"'])
def test_a_table_out_of_a_spreadsheet_is_read_as_any_other(tmp_path: Path, digits: Samples, label: str) -> None:
    names = ",".join(f'"pixel{index}"' for index in range(784))
    rows = [",".join([f'"{digit}"', *map(str, image.ravel())]) for digit, image in zip(digits.labels, digits.images,
                                                                                      strict=True)]  # fmt: skip
    (tmp_path / "train.csv").write_text("\n".join([f"{label},{names}", *rows]), "utf-8")
    assert same(load_samples(tmp_path / "train.csv"), digits)


@pytest.mark.parametrize("content", ["", "\n", "label,pixel0\n", "pixel0,pixel1,pixel2,pixel3\n\n"])
def test_a_table_without_glyphs_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "empty.csv").write_text(content)
    with pytest.raises(InvalidRequest, match=r"empty\.csv holds no glyphs"):
        load_samples(tmp_path / "empty.csv")


def test_files_without_glyphs_are_refused(tmp_path: Path, digits: Samples) -> None:
    write_idx(tmp_path, digits.take(slice(0)))
    np.savez(tmp_path / "none.npz", x=digits.images[:0], y=digits.labels[:0])
    for path in (tmp_path, tmp_path / "none.npz"):
        with pytest.raises(InvalidRequest, match="holds no glyphs"):
            load_samples(path)


def test_an_array_by_the_name_of_an_archive_is_refused(tmp_path: Path, digits: Samples) -> None:
    with (tmp_path / "x.npz").open("wb") as file:
        np.save(file, digits.images)
    with pytest.raises(UnreadableImage, match="single array"):
        load_samples(tmp_path / "x.npz")


@pytest.mark.parametrize("classes", [np.array("0123456789"), np.array([], str), np.array([["a", "b"]])])
def test_classes_that_are_no_list_are_refused(tmp_path: Path, digits: Samples, classes: NDArray[np.str_]) -> None:
    np.savez(tmp_path / "x.npz", x=digits.images, y=digits.labels, classes=classes)
    with pytest.raises(UnreadableImage, match="no list of names"):
        load_samples(tmp_path / "x.npz")


def test_images_without_labels_need_their_shape_too(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.uint8(3))
    with pytest.raises(UnreadableImage, match="shape nothing"):
        load_samples(tmp_path / "x.npz")


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no data"):
        load_samples(tmp_path / "nowhere.npz")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut-idx3-ubyte", idx(np.zeros((3, 28, 28)))[:-1]),
        ("cut-idx3-ubyte.gz", gzip.compress(idx(np.zeros((3, 28, 28))), mtime=0)[:-9]),
        ("other-idx3-ubyte", b"\x89PNG"),
        ("bad.npz", b"PK\x03\x04 no archive"),
        ("bad.csv", b"label,pixel0\n1,300\n"),
        ("odd.csv", b"label,pixel0,pixel1\n1,2,3\n"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableImage, match=name):
        load_samples(tmp_path / name)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "code.npz", x=np.array([{"run": "me"}], object), y=np.zeros(1))
    with pytest.raises(UnreadableImage):
        load_samples(tmp_path / "code.npz")


def test_normalised_glyphs_are_what_the_reader_sees(digits: Samples) -> None:
    glyphs = normalised(digits)
    assert glyphs.images.shape == (30, 28, 28)
    assert np.array_equal(glyphs.images[4], normalise_glyphs([digits.images[4]])[0])


def test_mnist_is_read_whole(shared_data: Path) -> None:
    digits = load_samples(shared_data / "mnist")
    assert digits.images.shape == (60_000, 28, 28)
    assert np.bincount(digits.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert read_idx(shared_data / "mnist" / "t10k-labels-idx1-ubyte.gz")[:5].tolist() == [7, 2, 1, 0, 4]
