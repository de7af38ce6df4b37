"""Which entries of a folder are scans, and that none of them is waited for."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cli.scans import Labels, find_scans, is_scan, load_scan
from cli.sending import SendOptions
from cli.watch import Arrivals, Watch
from core.errors import PayloadTooLarge
from tests.factories import png_bytes


@pytest.fixture
def piped(scans: Path) -> Path:
    """The folder of scans with pipes in it, one of them behind a link."""
    for name in ("pipe.png", "pipe"):
        os.mkfifo(scans / name)
    (scans / "link.png").symlink_to(scans / "pipe")
    return scans


def test_a_pipe_in_a_folder_is_no_scan_and_a_dangling_link_is_told(piped: Path) -> None:
    (piped / "gone.png").symlink_to(piped / "nowhere")
    assert not any(is_scan(piped / name) for name in ("pipe.png", "link.png"))
    assert is_scan(piped / "gone.png")


def test_a_folder_with_pipes_is_read(piped: Path) -> None:
    command = [sys.executable, "-m", "cli", "read", str(piped), "--type", "digits", "--format", "csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, "3 files: 3 read" in done.stderr) == (0, True)


def test_a_watched_folder_passes_pipes_over(piped: Path) -> None:
    (piped / "pipe").unlink()
    arrivals = Arrivals(Watch(piped, None, 0.0, 1, None, None, SendOptions()))
    assert arrivals.settled(set()) == [piped / "a.png", piped / "b.png", piped / "more" / "c.png"]


def test_a_pipe_that_is_named_is_read(tmp_path: Path) -> None:
    pipe, data = tmp_path / "pipe", png_bytes("4821")
    os.mkfifo(pipe)
    assert find_scans([pipe]) == [pipe]
    with _written(pipe, data):
        assert load_scan(pipe, max_bytes=len(data)) == data


def test_a_pipe_gives_no_more_than_is_accepted(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with _written(pipe, bytes(1000)), pytest.raises(PayloadTooLarge):
        load_scan(pipe, max_bytes=999)


@contextmanager
def _written(pipe: Path, data: bytes) -> Iterator[None]:
    """Write into a pipe while the block reads from it."""

    def write() -> None:
        with suppress(BrokenPipeError):
            pipe.write_bytes(data)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    yield
    thread.join(30)


def test_scans_are_called_by_where_they_lie_in_the_folder_that_was_named(tmp_path: Path) -> None:
    north, south = tmp_path / "north", tmp_path / "south"
    for folder in (north / "a", south / "a"):
        folder.mkdir(parents=True)
        (folder / "1.png").write_bytes(b"")
    assert Labels([north]).of(north / "a" / "1.png") == "a/1.png"
    assert [Labels([north, south]).of(each / "a" / "1.png") for each in (north, south)] == [
        "north/a/1.png",
        "south/a/1.png",
    ]
    assert Labels([north / "a" / "1.png"]).of(north / "a" / "1.png") == "1.png"


def test_scans_of_folders_that_are_called_alike_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / "p" / "scans", tmp_path / "q" / "scans", tmp_path / "r" / "p"]
    for folder in folders:
        (folder / "scans").mkdir(parents=True)
    labels = Labels(folders)
    assert [labels.of(folder / "scans" / "1.png") for folder in folders] == [
        "p/scans/scans/1.png",
        "q/scans/scans/1.png",
        "r/p/scans/1.png",
    ]
    assert labels.of(folders[2] / "1.png") == "r/p/1.png"
    inside = Labels([folders[0], folders[0] / "scans"])
    assert inside.of(folders[0] / "1.png") == "scans/1.png"
    assert inside.of(folders[0] / "scans" / "1.png") == "scans/scans/1.png"
    monkeypatch.chdir(folders[0])
    assert Labels([Path()]).of(Path("1.png")) == "1.png"
    assert Labels([Path(), folders[0]]).of(Path("1.png")) == "1.png"
    assert Labels([Path(), Path("../../q/scans")]).of(Path("../../q/scans/1.png")) == "q/scans/1.png"


def test_whether_a_name_is_a_folder_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scans = [tmp_path / f"{number}.png" for number in range(20)]
    asked: list[Path] = []
    monkeypatch.setattr(Path, "is_dir", lambda path: bool(asked.append(path)))
    labels = Labels(scans)
    assert [labels.of(scan) for scan in scans] == [scan.name for scan in scans]
    assert asked == scans
