"""`tallyscan read`: files to readings in one process."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from core.rows import COLUMNS
from core.types import DocumentReading
from forms.field_types import FIELD_TYPES
from tests.cli.conftest import Tallyscan
from tests.factories import blank_png, pdf_bytes
from tests.model.micr import cheques
from tests.model.micr.cheques import CTS, cheque
from worker.pipeline import Reader, ReadRequest


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_folder_is_read_with_its_subfolders(tallyscan: Tallyscan, scans: Path) -> None:
    result = tallyscan("read", scans, "--type", "digits", "--format", "csv")
    assert result.exit_code == 0
    rows = table(result.stdout)
    assert tuple(rows[0]) == COLUMNS
    assert [row["file"] for row in rows] == [str(scans / name) for name in ("a.png", "b.png", "more/c.png")]
    assert all(row["text"].isdigit() and 0 < float(row["confidence"]) <= 1 for row in rows)
    assert "3 files: 3 read, 0 failed" in result.stderr


def test_one_file_is_one_file(tallyscan: Tallyscan, scans: Path) -> None:
    assert "1 file: 1 read, 0 failed" in tallyscan("read", scans / "a.png", "--type", "digits").stderr


def test_a_file_that_fails_has_a_row_and_a_line_and_stops_nobody(tallyscan: Tallyscan, scans: Path) -> None:
    (scans / "a0.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing else")
    result = tallyscan("read", scans, "--type", "digits", "--format", "csv")
    assert result.exit_code == 1
    rows = table(result.stdout)
    assert len(rows) == 4
    assert rows[1] == {**dict.fromkeys(COLUMNS, ""), **_failed(scans / "a0.png", "unreadable_image")}
    assert f"{scans / 'a0.png'}: " in result.stderr
    assert "(unreadable_image)" in result.stderr


def _failed(file: Path, code: str) -> dict[str, str]:
    return {"file": str(file), "accepted": "false", "review_reasons": code}


def test_a_file_that_is_named_is_read_whatever_its_name(tallyscan: Tallyscan, scans: Path) -> None:
    odd = (scans / "a.png").rename(scans / "scan")
    assert table(tallyscan("read", odd, "--type", "digits", "--format", "csv").stdout)[0]["text"]
    refused = tallyscan("read", scans / "notes.txt", "--format", "csv")
    assert refused.exit_code == 1
    assert table(refused.stdout)[0]["review_reasons"] == "unsupported_media_type"


def test_a_folder_is_searched_by_content_as_well_as_by_name(tallyscan: Tallyscan, scans: Path) -> None:
    (scans / "a.png").rename(scans / "a.dat")
    (scans / ".hidden.png").write_bytes(blank_png())
    files = [row["file"] for row in table(tallyscan("read", scans, "--type", "digits", "--format", "csv").stdout)]
    assert files == [str(scans / name) for name in ("a.dat", "b.png", "more/c.png")]


def test_a_file_that_may_not_be_read_fails_alone(tallyscan: Tallyscan, scans: Path) -> None:
    (scans / "gone.png").symlink_to(scans / "nowhere.png")
    result = tallyscan("read", scans, "--type", "digits", "--format", "csv")
    assert result.exit_code == 1
    assert [row["review_reasons"] for row in table(result.stdout) if "gone" in row["file"]] == ["unreadable_image"]


def test_a_file_over_the_limit_is_not_read(tallyscan: Tallyscan, scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSCAN_MAX_FILE_BYTES", "100")
    result = tallyscan("read", scans / "a.png", "--format", "csv")
    assert table(result.stdout)[0]["review_reasons"] == "payload_too_large"


def test_a_blank_page_is_empty_and_no_failure(tallyscan: Tallyscan, tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    blank.write_bytes(blank_png())
    typed = tallyscan("read", blank, "--type", "digits", "--format", "csv")
    assert typed.exit_code == 0
    assert table(typed.stdout)[0]["review_reasons"] == "empty"
    assert table(tallyscan("read", blank, "--format", "csv").stdout)[0]["review_reasons"] == "empty"


def test_every_page_has_its_row(tallyscan: Tallyscan, tmp_path: Path) -> None:
    file = tmp_path / "two.pdf"
    file.write_bytes(pdf_bytes(["70315", "4821"]))
    rows = table(tallyscan("read", file, "--type", "digits", "--format", "csv").stdout)
    assert [row["page"] for row in rows] == ["1", "2"]


def test_a_cheques_micr_line_is_compared_with_the_callers(tallyscan: Tallyscan, tmp_path: Path) -> None:
    page = cheque(CTS.format(cheque_number="083654", routing="500025033", account="290062", transaction_code="31"))
    file = tmp_path / "cheque.png"
    file.write_bytes(cv2.imencode(".png", page.pixels)[1].tobytes())
    by = ("read", file, "--template", "cheque-cts2010", "--format", "csv")
    for line, wrong in (("C083654C 500025033A 290062C 31", []), ("C083654C 500025034A 290062C 31", ["micr_routing"])):
        rows = table(tallyscan(*by, "--micr", line).stdout)
        assert [row["field"] for row in rows if "check_failed" in row["review_reasons"]] == wrong


def test_a_micr_line_that_nothing_can_be_compared_with_is_refused(tallyscan: Tallyscan, scans: Path) -> None:
    line = "C083654C 500025033A 290062C 31"
    for options in ((scans / "a.png",), (scans, "--template", "cheque-cts2010")):
        assert tallyscan("read", *options, "--micr", line).exit_code == 2
    refused = tallyscan("read", scans / "a.png", "--template", "cheque-cts2010", "--micr", "none")
    assert refused.exit_code == 2
    assert "no MICR line" in refused.stderr


def test_json_has_the_names_of_the_http_interface(tallyscan: Tallyscan, scans: Path) -> None:
    (record,) = json.loads(tallyscan("read", scans / "a.png", "--type", "digits", "--format", "json").stdout)
    assert {"file", "status", "failure", "reader", "notes", "pages"} == set(record)
    digit = record["pages"][0]["fields"][0]["digits"][0]
    assert {"char", "confidence", "box", "alternatives"} == set(digit)


def test_json_lines_are_one_document_each(tallyscan: Tallyscan, scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert tallyscan("read", scans, "--type", "digits", "--out", out).exit_code == 0
    assert [json.loads(line)["status"] for line in out.read_text().splitlines()] == ["done"] * 3


def test_the_table_shows_text_confidence_and_review(tallyscan: Tallyscan, scans: Path) -> None:
    lines = tallyscan("read", scans / "a.png", "--type", "digits").stdout.splitlines()
    assert any("file" in line and "review" in line for line in lines)
    assert any(str(scans / "a.png") in line and "%" in line for line in lines)


def test_an_output_that_cannot_be_written_is_told_before_reading(tallyscan: Tallyscan, scans: Path) -> None:
    result = tallyscan("read", scans, "--out", scans / "nowhere" / "out.csv")
    assert result.exit_code == 2
    assert "Cannot write" in result.stderr


def test_an_unknown_type_is_wrong_usage(tallyscan: Tallyscan, scans: Path) -> None:
    result = tallyscan("read", scans, "--type", "runes")
    assert result.exit_code == 2
    assert "digits" in result.stderr


@pytest.mark.parametrize("command", ["read", "submit"])
@pytest.mark.parametrize("share", ["0", "-1", "0.6", "nan", "few"])
def test_a_target_error_out_of_range_is_wrong_usage(
    command: str, share: str, tallyscan: Tallyscan, scans: Path
) -> None:
    result = tallyscan(command, scans, "--target-error", share)
    assert result.exit_code == 2
    assert "--target-error" in result.stderr


def test_the_reader_hears_of_the_target_error(
    tallyscan: Tallyscan, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []
    read = Reader.read

    def listen(reader: Reader, data: bytes, *, request: ReadRequest) -> DocumentReading:
        heard.append(request)
        return read(reader, data, request=request)

    monkeypatch.setattr(Reader, "read", listen)
    assert tallyscan("read", scans / "a.png", "--type", "digits", "--target-error", "0.05").exit_code == 0
    assert tallyscan("read", scans / "a.png").exit_code == 0
    assert heard == [ReadRequest("digits", target_error=0.05), ReadRequest()]


def test_help_lists_the_field_types(tallyscan: Tallyscan) -> None:
    assert f"--type [{'|'.join(FIELD_TYPES)}]" in tallyscan("read", "--help").stdout


def test_timings_are_told_by_stage(tallyscan: Tallyscan, scans: Path) -> None:
    result = tallyscan("read", scans, "--type", "digits", "--timings")
    for stage in ("decode", "segment", "network", "decode_field"):
        assert f"{stage}: " in result.stderr


def test_a_name_that_is_no_text_is_read_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (Path(str(folder)) / b"caf\xe9.png".decode("utf-8", "surrogateescape")).write_bytes(blank_png())
    command = [sys.executable, "-m", "cli", "read", str(folder), "--type", "digits", "--format", "csv"]
    result = subprocess.run(command, capture_output=True, check=False)
    assert result.returncode == 0
    assert b"caf" in result.stdout


def test_reading_never_loads_tensorflow(scans: Path) -> None:
    script = (
        "import sys; from cli.main import cli\n"
        f"cli(['read', {str(scans)!r}, '--type', 'digits'], standalone_mode=False)\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'tensorflow', 'keras', 'flask', 'celery', 'sqlalchemy'}, loaded"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 0


def test_auto_reads_a_page_that_no_template_fits_and_accepts_nothing(tallyscan: Tallyscan, scans: Path) -> None:
    result = tallyscan("read", scans / "a.png", "--template", "auto", "--format", "csv")
    assert result.exit_code == 0
    rows = table(result.stdout)
    assert rows
    assert all("template_unknown" in row["review_reasons"] and row["accepted"] == "false" for row in rows)


def test_auto_knows_a_cheque(tallyscan: Tallyscan, tmp_path: Path) -> None:
    text = cheques.US.format(routing="322271779", account="4192580", cheque_number="1005")
    cv2.imwrite(str(tmp_path / "cheque.png"), cheques.cheque(text, width=1500).pixels)
    result = tallyscan("read", tmp_path / "cheque.png", "--template", "auto", "--format", "csv")
    rows = {row["field"]: row for row in table(result.stdout)}
    assert {"date", "amount", "micr_routing"} <= set(rows)
    assert rows["micr_routing"]["text"] == "322271779"
