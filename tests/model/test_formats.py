"""EMNIST's files, folders a class and exported corrections: the classes come from the data, and faults are named."""

import gzip
import struct
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import InvalidRequest, UnreadableImage
from model.classes import DIGIT_CLASSES
from model.datasets import UNKNOWN, Samples, check_every_class, load_samples, normalised
from tests.model.drawn import printed, printed_digits

LETTERS = tuple(ascii_uppercase)


def write_emnist(
    folder: Path, kind: str, samples: Samples, *, first: int, part: str = "train", mapping: str | None = None
) -> None:
    """Write the samples as EMNIST lies: transposed, gzipped, its classes counted from `first`."""
    for name, array in (("images-idx3", samples.images.transpose(0, 2, 1)), ("labels-idx1", samples.labels + first)):
        head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
        content = gzip.compress(head + np.ascontiguousarray(array).astype(np.uint8).tobytes())
        (folder / f"emnist-{kind}-{part}-{name}-ubyte.gz").write_bytes(content)
    if mapping is not None:
        (folder / f"emnist-{kind}-mapping.txt").write_text(mapping)


def write_folders(folder: Path, samples: Samples, *, dark: bool = True) -> None:
    """Write a folder a class, with pictures of any size, by a pen on paper or bright on black."""
    for number, (image, label) in enumerate(zip(samples.images, samples.labels, strict=True)):
        home = folder / samples.classes[label]
        home.mkdir(parents=True, exist_ok=True)
        side = 40 + number % 30
        grown = cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR)
        cv2.imwrite(str(home / f"{number:04}.png"), (230 - grown * (190 / 255)).astype(np.uint8) if dark else grown)


def alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return how alike two stacks of glyphs are: the mean correlation."""
    pairs = zip(one.reshape(len(one), -1), other.reshape(len(other), -1), strict=True)
    return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs]))


@pytest.mark.parametrize("mapping", [None, "\n".join(f"{n} {64 + n} {96 + n}" for n in range(1, 27))])
def test_emnist_letters_come_upright_and_from_one(tmp_path: Path, mapping: str | None) -> None:
    drawn = printed(LETTERS, 52)
    write_emnist(tmp_path, "letters", drawn, first=1, mapping=mapping)
    found = load_samples(tmp_path)
    assert found.classes == LETTERS
    assert np.array_equal(found.images, drawn.images)
    assert np.array_equal(found.labels, drawn.labels)


def test_emnist_digits_are_digits_and_have_a_test_part(tmp_path: Path) -> None:
    write_emnist(tmp_path, "digits", printed_digits(30), first=0)
    write_emnist(tmp_path, "digits", printed_digits(10), first=0, part="test")
    assert load_samples(tmp_path).classes == DIGIT_CLASSES
    assert len(load_samples(tmp_path, split="test")) == 10
    assert len(load_samples(tmp_path / "emnist-digits-train-images-idx3-ubyte.gz")) == 30


def test_emnist_tables_have_no_header_and_lie_as_its_files_do(tmp_path: Path) -> None:
    drawn = printed(LETTERS, 52)
    rows = np.c_[drawn.labels + 1, drawn.images.transpose(0, 2, 1).reshape(52, -1)]
    np.savetxt(tmp_path / "emnist-letters-train.csv", rows, "%d", ",")
    found = load_samples(tmp_path / "emnist-letters-train.csv")
    assert np.array_equal(found.images, drawn.images)
    assert found.classes == LETTERS


def test_a_kind_of_emnist_without_its_mapping_is_refused(tmp_path: Path) -> None:
    write_emnist(tmp_path, "balanced", printed("AB", 4), first=10)
    with pytest.raises(InvalidRequest, match=r"emnist-balanced-mapping\.txt"):
        load_samples(tmp_path)


def test_a_label_that_the_mapping_leaves_out_is_refused(tmp_path: Path) -> None:
    write_emnist(tmp_path, "balanced", printed("AB", 4), first=10, mapping="10 65\n12 66\n")
    with pytest.raises(InvalidRequest, match="label 11"):
        load_samples(tmp_path)


def test_several_collections_in_a_folder_must_be_told_apart(tmp_path: Path) -> None:
    write_emnist(tmp_path, "letters", printed(LETTERS, 26), first=1)
    write_emnist(tmp_path, "digits", printed_digits(10), first=0)
    with pytest.raises(InvalidRequest, match="several collections"):
        load_samples(tmp_path)


@pytest.mark.parametrize("dark", [True, False])
def test_folders_a_class_give_the_glyphs_whatever_their_size_and_paper(tmp_path: Path, dark: bool) -> None:
    drawn = printed("ABCX", 12)
    write_folders(tmp_path, drawn, dark=dark)
    found = load_samples(tmp_path)
    assert found.classes == ("A", "B", "C", "X")
    assert found.labels.tolist() == sorted(drawn.labels)
    order = np.argsort(drawn.labels, kind="stable")
    assert alike(found.images, normalised(drawn).images[order]) > 0.8


def test_folders_of_some_digits_still_mean_ten(tmp_path: Path) -> None:
    write_folders(tmp_path, printed("37", 6))
    found = load_samples(tmp_path)
    assert found.classes == DIGIT_CLASSES
    assert set(found.labels) == {3, 7}
    with pytest.raises(InvalidRequest, match="0, 1, 2, 4, 5, 6, 8, 9"):
        check_every_class(found, "some")


def test_pictures_without_a_class_are_no_material_to_learn_from(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "scan.png"), np.full((30, 30), 255, np.uint8))
    found = load_samples(tmp_path)
    assert (found.names, found.labels.tolist()) == (("scan.png",), [UNKNOWN])
    with pytest.raises(InvalidRequest, match="holds no glyph of the classes 0, 1"):
        check_every_class(found, "scans")


def test_chosen_glyphs_keep_their_names(tmp_path: Path) -> None:
    write_folders(tmp_path, printed("37", 6))
    found = load_samples(tmp_path)
    assert found.names[0] == "3/0000.png"
    assert found.take(found.labels == 7).names == tuple(name for name in found.names if name.startswith("7/"))


def write_tight(folder: Path, samples: Samples, *, dark: bool = True) -> None:
    """Write a folder a class with pictures cut to the ink; those of class 1 are a bar with hardly any paper."""
    for number, (image, label) in enumerate(zip(samples.images, samples.labels, strict=True)):
        x, y, width, height = cv2.boundingRect((image > 60).view(np.uint8))
        tight = image[y : y + height, x : x + width]
        if samples.classes[label] == "1":
            tight = np.full((20, 5), 255, np.uint8)
            tight[:8, 0] = tight[14:, 4] = 0
        home = folder / samples.classes[label]
        home.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(home / f"{number:04}.png"), (240 - tight * (200 / 255)).astype(np.uint8) if dark else tight)


@pytest.mark.parametrize("dark", [True, False])
def test_pictures_without_a_margin_keep_their_ink(tmp_path: Path, dark: bool) -> None:
    drawn = printed_digits(40)
    write_tight(tmp_path, drawn, dark=dark)
    found = load_samples(tmp_path)
    order = np.argsort(drawn.labels, kind="stable")
    whole = normalised(drawn).images[order]
    assert alike(found.images[found.labels != 1], whole[found.labels != 1]) > 0.8
    ones = found.images[found.labels == 1] > 127
    assert (ones[:, 8:20, 13:15].mean(), ones[:, :, :9].any()) == (1, False), "a bar in the middle, and not its rim"


def test_what_is_transparent_is_paper(tmp_path: Path) -> None:
    drawn = printed_digits(20)
    for number, (image, label) in enumerate(zip(drawn.images, drawn.labels, strict=True)):
        (tmp_path / str(label)).mkdir(exist_ok=True)
        black = np.zeros((*image.shape, 4), np.uint8)
        black[..., 3] = image
        cv2.imwrite(str(tmp_path / str(label) / f"{number:02}.png"), black)
    order = np.argsort(drawn.labels, kind="stable")
    assert alike(load_samples(tmp_path).images, normalised(drawn).images[order]) > 0.99


@pytest.mark.parametrize("level", [0, 120, 255])
def test_an_empty_picture_is_no_glyph_of_a_class_but_stays_one_to_label(tmp_path: Path, level: int) -> None:
    write_folders(tmp_path, printed("37", 6))
    cv2.imwrite(str(tmp_path / "7" / "blank.png"), np.full((30, 30), level, np.uint8))
    with pytest.raises(InvalidRequest, match=r"blank\.png is an empty picture, which shows no 7"):
        load_samples(tmp_path)
    assert not load_samples(tmp_path / "7").images[-1].any()


def test_a_class_without_pictures_is_named(tmp_path: Path) -> None:
    write_folders(tmp_path, printed("AB", 4))
    (tmp_path / "Q").mkdir()
    with pytest.raises(InvalidRequest, match="class Q"):
        load_samples(tmp_path)


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    write_folders(tmp_path, printed("AB", 4))
    (tmp_path / "A" / "broken.png").write_bytes(b"\x89PNG")
    with pytest.raises(UnreadableImage, match=r"broken\.png"):
        load_samples(tmp_path)


def test_an_npz_can_name_its_classes(tmp_path: Path) -> None:
    drawn = printed(LETTERS, 30)
    np.savez(tmp_path / "letters.npz", x=drawn.images, y=drawn.labels, classes=np.array(LETTERS))
    assert load_samples(tmp_path / "letters.npz").classes == LETTERS


@pytest.mark.parametrize("label", [10, -2])
def test_a_label_out_of_range_is_refused(tmp_path: Path, label: int) -> None:
    drawn = printed_digits(12)
    np.savez(tmp_path / "odd.npz", x=drawn.images, y=np.append(drawn.labels[:-1], label))
    with pytest.raises(InvalidRequest, match=f"label {label}, which is none of its 10 classes 0 to 9"):
        load_samples(tmp_path / "odd.npz")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": np.zeros((4, 28), np.uint8), "y": np.zeros(4, int)}, "4 × 28"),
        ({"x": np.zeros((4, 28, 28, 3), np.uint8), "y": np.zeros(4, int)}, "4 × 28 × 28 × 3"),
        ({"x": np.zeros((4, 28, 28), np.uint8), "y": np.zeros(3, int)}, "4 images do not match labels of the shape 3"),
        ({"x": np.zeros((4, 28, 28), np.uint8), "y": np.zeros((4, 10), int)}, "shape 4 × 10"),
        ({"x": np.zeros((4, 28, 28)), "y": np.zeros(4, int)}, "float64, not bytes"),
        ({"x": np.zeros((4, 28, 28), np.uint8), "y": np.zeros(4)}, "not whole numbers"),
    ],
)
def test_a_wrong_shape_or_type_is_told(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    np.savez(tmp_path / "wrong.npz", **arrays)
    with pytest.raises(UnreadableImage, match=said):
        load_samples(tmp_path / "wrong.npz")
