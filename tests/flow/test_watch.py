"""A watched folder: files arrive, are read, and move aside; nothing is sent, written or moved twice."""

import csv
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.flow.conftest import Start
from tests.live.running import RunningService, eventually

pytestmark = pytest.mark.live

SETTLE = "0.5"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """An empty folder to watch."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def watching(start: Start, inbox: Path, tmp_path: Path) -> Callable[[], object]:
    """Return a function that starts to watch, and returns the process."""
    return lambda: start(
        "submit", "--watch", inbox, "--settle", SETTLE, "--type", "digits", "--out", tmp_path / "out.csv"
    )


def rows(tmp_path: Path) -> list[tuple[str, str]]:
    """Return file name and review reasons of each row written."""
    out = tmp_path / "out.csv"
    if not out.exists():
        return []
    with out.open(newline="") as stream:
        return sorted((Path(row["file"]).name, row["review_reasons"]) for row in csv.DictReader(stream))


def finished(inbox: Path) -> set[str]:
    """Return the files that were moved aside."""
    return {
        str(path.relative_to(inbox))
        for name in ("done", "failed")
        for path in (inbox / name).rglob("*")
        if path.is_file()
    }


def _reached(inbox: Path, count: int) -> bool:
    return len(finished(inbox)) >= count


def documents(service: RunningService) -> int:
    """Return how many documents the service has, up to a hundred."""
    return len(service.client.get("/v1/documents", params={"limit": 100}).json()["documents"])


def test_what_arrives_is_read_and_moved_aside(
    watching: Start, service: RunningService, inbox: Path, make_scans: Callable[[int], Path], tmp_path: Path
) -> None:
    scans = make_scans(3)
    before = documents(service)
    (scans / "000.png").rename(inbox / "early.png")
    process = watching()
    eventually(lambda: finished(inbox) == {"done/early.png"}, seconds=30, what="the file that was there")
    (inbox / "sub").mkdir()
    (scans / "001.png").rename(inbox / "sub" / "late.png")
    (inbox / "bad.png").write_bytes(b"no scan")
    (inbox / "notes.txt").write_text("left alone")
    expected = {"done/early.png", "done/sub/late.png", "failed/bad.png", "failed/bad.png.reason.txt"}
    eventually(lambda: finished(inbox) == expected, seconds=30, what="all of them")
    assert "unsupported_media_type" in (inbox / "failed" / "bad.png.reason.txt").read_text()
    assert (inbox / "notes.txt").exists()
    # The same file again is a new file; what is moved aside is never overwritten.
    (scans / "002.png").rename(inbox / "early.png")
    eventually(lambda: "done/early-2.png" in finished(inbox), seconds=30, what="the second of that name")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 1, "one file failed"
    assert [name for name, _ in rows(tmp_path)] == ["bad.png", "early.png", "early.png", "late.png"]
    assert documents(service) == before + 3


def test_a_file_that_still_grows_is_left_alone(
    watching: Start, service: RunningService, inbox: Path, make_scans: Callable[[int], Path], tmp_path: Path
) -> None:
    data = (make_scans(1) / "000.png").read_bytes()
    process = watching()
    pieces = [data[start : start + len(data) // 12 + 1] for start in range(0, len(data), len(data) // 12 + 1)]
    written = iter(pieces)

    def write_on() -> bool:
        with (inbox / "slow.png").open("ab") as stream:
            stream.write(next(written, b""))
        return (inbox / "slow.png").stat().st_size == len(data)

    eventually(write_on, seconds=30, what="the copy to end", pause=0.2)
    eventually(lambda: finished(inbox), seconds=30, what="the file to be read")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert finished(inbox) == {"done/slow.png"}
    assert [name for name, _ in rows(tmp_path)] == ["slow.png"]


def test_a_watch_that_is_killed_goes_on_where_it_was(
    watching: Start, service: RunningService, inbox: Path, make_scans: Callable[[int], Path], tmp_path: Path
) -> None:
    before = documents(service)
    count = 40
    for scan in make_scans(count).iterdir():
        scan.rename(inbox / scan.name)
    for limit in (3, 15, 30):
        process = watching()
        eventually(partial(_reached, inbox, limit), seconds=30, what="some files", pause=0.005)
        process.kill()
        process.wait()
    watching()
    eventually(lambda: len(finished(inbox)) == count, seconds=40, what="all files")
    eventually(lambda: len(rows(tmp_path)) >= count, seconds=10, what="all rows")
    assert [name for name, _ in rows(tmp_path)] == sorted(f"{number:03}.png" for number in range(count))
    assert min(documents(service), 100) == min(before + count, 100)


def test_a_watch_survives_the_service(
    watching: Start, service: RunningService, inbox: Path, make_scans: Callable[[int], Path], tmp_path: Path
) -> None:
    scans = make_scans(4)
    process = watching()
    (scans / "000.png").rename(inbox / "first.png")
    eventually(lambda: finished(inbox) == {"done/first.png"}, seconds=30, what="the first file")
    api = service.child("api")
    assert api is not None
    for each in [api, *api.children(recursive=True)]:
        os.kill(each.pid, signal.SIGKILL)
    (scans / "001.png").rename(inbox / "second.png")
    eventually(lambda: "done/second.png" in finished(inbox), seconds=40, what="the second file")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
