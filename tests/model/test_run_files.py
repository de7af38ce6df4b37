"""Files of a run lie there whole or not at all, and what is there already stays."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from model.run_files import write_whole


def archive(path: Path, *, weights: str = "w", saved: str = "today", address: int = 9) -> None:
    """Write what Keras saves, by and large."""
    with ZipFile(path, "w") as made:
        made.writestr("metadata.json", saved)
        made.writestr("config.json", f'{{"shared_object_id": {address}, "layers": []}}')
        made.writestr("model.weights.h5", weights)


def first_written(path: Path, write: Callable[[Path], object]) -> bytes:
    """Write the file, date it back, and return its bytes."""
    write_whole(path, write)
    os.utime(path, (1, 1))
    return path.read_bytes()


def is_left_alone(path: Path) -> bool:
    return path.stat().st_mtime == 1


def test_arrays_that_are_there_already_are_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "held_out.npz"
    write = partial(np.savez_compressed, x=np.arange(9), y=np.arange(3))
    content = first_written(path, write)
    write_whole(path, write)
    assert (path.read_bytes(), is_left_alone(path)) == (content, True)
    write_whole(path, partial(np.savez_compressed, x=np.arange(9), y=np.arange(1, 4)))
    assert np.load(path)["y"].tolist() == [1, 2, 3]
    assert [each.name for each in tmp_path.iterdir()] == ["held_out.npz"]


def test_when_and_where_a_network_was_saved_makes_it_no_other(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    first_written(path, archive)
    write_whole(path, partial(archive, saved="tomorrow", address=12))
    assert is_left_alone(path)
    write_whole(path, partial(archive, weights="other"))
    assert ZipFile(path).read("model.weights.h5") == b"other"


@pytest.mark.parametrize("damage", [lambda data: data[:-30], lambda data: data.replace(b"ww", b"wv"), lambda _: b""])
def test_a_damaged_file_is_written_again(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path, write = tmp_path / "model.keras", partial(archive, weights="ww")
    content = first_written(path, write)
    path.write_bytes(damage(content))
    write_whole(path, write)
    assert path.read_bytes() == content


def test_a_kill_while_a_file_is_written_leaves_the_one_before(tmp_path: Path) -> None:
    def killed(path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    path = tmp_path / "model.keras"
    content = first_written(path, archive)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, killed)
    assert path.read_bytes() == content
    write_whole(path, partial(archive, weights="other"))
    assert [each.name for each in tmp_path.iterdir()] == ["model.keras"]
