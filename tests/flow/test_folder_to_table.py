"""A folder in, a table out: by the service exactly what `read` gives here."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.factories import bomb_png, pdf_bytes
from tests.flow.conftest import Command
from tests.live.running import RunningService

pytestmark = pytest.mark.live


@pytest.fixture
def folder(make_scans: Callable[[int], Path]) -> Path:
    """Scans, two pages in one file, and three that cannot be read."""
    folder = make_scans(12)
    (folder / "sub").mkdir()
    (folder / "sub" / "pages.pdf").write_bytes(pdf_bytes(["70315", "4821"]))
    (folder / "bomb.png").write_bytes(bomb_png())
    (folder / "cut.png").write_bytes((folder / "000.png").read_bytes()[:400])
    (folder / "empty.png").write_bytes(b"")
    return folder


def test_submit_gives_the_same_table_as_read(tallyscan: Command, folder: Path, tmp_path: Path) -> None:
    for arguments in ((), ("--type", "digits")):
        here, there = tmp_path / "read.csv", tmp_path / "submit.csv"
        assert tallyscan("read", folder, "--out", here, *arguments).returncode == 1
        sent = tallyscan("submit", folder, "--out", there, *arguments)
        assert sent.returncode == 1, sent.stderr
        assert there.read_text() == here.read_text()
        assert "(image_too_large)" in sent.stderr
        files = {row["file"] for row in csv.DictReader(there.read_text().splitlines())}
        assert files == {str(path) for path in folder.rglob("*.*") if path.is_file()}


def test_a_batch_is_sent_now_and_fetched_later(
    tallyscan: Command, make_scans: Callable[[int], Path], tmp_path: Path
) -> None:
    folder = make_scans(6)
    sent = tallyscan("submit", folder, "--type", "digits", "--batch", "monday", "--no-wait")
    assert sent.returncode == 0, sent.stderr
    batch = sent.stdout.strip()
    last = json.loads(tallyscan("results", batch, "--format", "json").stdout)[-1]["id"]
    waited = tallyscan("status", last, "--wait", "20", "--format", "json")
    assert json.loads(waited.stdout)["status"] == "done"
    # The same run taken up again sends nothing, and waits for all of it.
    resumed = tallyscan("submit", folder, "--type", "digits", "--batch", "monday", "--resume", "--format", "csv")
    assert resumed.returncode == 0, resumed.stderr
    counts = json.loads(tallyscan("status", batch, "--format", "json").stdout)
    assert (counts["name"], counts["total"], counts["counts"]["done"]) == ("monday", 6, 6)
    assert "monday" in tallyscan("status", batch).stdout
    table = tallyscan("results", batch, "--format", "csv")
    assert table.returncode == 0
    texts = {Path(row["file"]).name: row["text"] for row in csv.DictReader(resumed.stdout.splitlines())}
    assert {row["file"]: row["text"] for row in csv.DictReader(table.stdout.splitlines())} == texts
    assert last in tallyscan("status", last).stdout


def test_results_of_the_command_line_and_of_the_service_are_one_table(
    tallyscan: Command, make_scans: Callable[[int], Path], service: RunningService
) -> None:
    sent = tallyscan("submit", make_scans(5), "--type", "digits", "--format", "jsonl")
    document = json.loads(sent.stdout.splitlines()[0])["id"]
    batch = service.document(document)["batch_id"]
    ours = tallyscan("results", batch, "--format", "csv").stdout
    assert service.client.get(f"/v1/batches/{batch}/results.csv").text.splitlines() == ours.splitlines()


def test_equal_files_reuse_one_reading_when_asked(
    tallyscan: Command, make_scans: Callable[[int], Path], tmp_path: Path
) -> None:
    folder = make_scans(16)  # eight drawings, each of them twice
    sent = tallyscan("submit", folder, "--type", "digits", "--duplicates", "reuse", "--format", "jsonl", "--jobs", "1")
    assert sent.returncode == 0, sent.stderr
    records = [json.loads(line) for line in sent.stdout.splitlines()]
    assert [Path(record["file"]).name for record in records] == [f"{number:03}.png" for number in range(16)]
    assert len({record["id"] for record in records}) == 8


def test_unknown_ids_are_told(tallyscan: Command, tmp_path: Path) -> None:
    out = tmp_path / "none.csv"
    for arguments in (("status", "nosuch"), ("results", "nosuch", "--out", out)):
        result = tallyscan(*arguments)
        assert result.returncode == 1
        assert result.stderr.endswith("(not_found)\n")
    assert not out.exists()


def test_a_wrong_key_is_one_line(tallyscan: Command, make_scans: Callable[[int], Path]) -> None:
    result = tallyscan("submit", make_scans(1), "--key", "ts_wrong_wrong")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith("(unauthorized)")
