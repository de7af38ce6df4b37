"""The demonstration runs as a person would run it, and compares readings with the truth rightly."""

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from cli.replies import Document
from core.status import Status
from core.types import Box, Failure, FieldReading, PageReading, Phase
from examples.comparison import Written, compare, read_truth, show


@pytest.mark.live
@pytest.mark.slow
def test_the_demonstration_reads_the_examples_and_stops_cleanly(project_root: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="ts-", dir="/tmp") as folder:  # short: a socket's path has 107 bytes
        demo = subprocess.run(
            [sys.executable, "-m", "examples.demo"],
            cwd=project_root,
            env={**os.environ, "COLUMNS": "120", "TMPDIR": folder},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        left_over = [process for process in psutil.process_iter() if _lives_in(process, folder)]

    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "Ready at http://127.0.0.1:" in demo.stdout
    assert "field-plain.png" in demo.stdout
    assert "of 28 numbers read right in 12 files" in demo.stdout
    assert "make up" in demo.stdout
    assert not left_over


def _lives_in(process: psutil.Process, folder: str) -> bool:
    try:
        return process.environ().get("TALLYSCAN_HOME", "").startswith(folder)
    except psutil.Error:
        return False


def document(*fields: FieldReading, failure: Failure | None = None) -> Document:
    page = PageReading(index=0, width=100, height=100, fields=fields)
    return Document(
        id="1",
        status=Status.FAILED if failure else Status.DONE,
        filename="a.png",
        sha256="0",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        failure=failure,
        pages=() if failure else (page,),
    )


def field(text: str, x: int, *, accepted: bool = False) -> FieldReading:
    box = Box(x=x, y=0, width=10, height=10)
    return FieldReading("n", "digits", box, text=text, value=text, confidence=0.5, accepted=accepted)


WRITTEN = [
    Written("a.png", 0, "left", "", "12", Box(x=0, y=0, width=10, height=10)),
    Written("a.png", 0, "right", "", "34", Box(x=50, y=0, width=10, height=10)),
]


def test_readings_are_matched_by_where_they_lie() -> None:
    rows = compare(WRITTEN, {"a.png": document(field("34", 49), field("99", 80), field("17", 1))})

    assert [(row.written, row.reading.text if row.reading else None, row.right) for row in rows] == [
        ("12", "17", False),
        ("34", "34", True),
        (None, "99", False),
    ]


def test_what_was_not_found_and_what_failed_is_said() -> None:
    missing = compare(WRITTEN, {"a.png": document(field("34", 49))})
    failure = Failure("unreadable_image", Phase.DECODE, "Damaged.", retryable=False)
    failed = compare(WRITTEN, {"a.png": document(failure=failure)})
    console = Console(record=True, width=120)
    show(missing + failed, {}, console=console)
    text = console.export_text()

    assert [row.right for row in missing] == [False, True]
    assert [row.failure for row in failed] == [failure, failure]
    assert "not found" in text
    assert text.count("unreadable_image") == 2


def test_an_accepted_wrong_reading_is_counted() -> None:
    console = Console(record=True, width=120)
    documents = {"a.png": document(field("34", 49, accepted=True), field("13", 0, accepted=True))}
    show(compare(WRITTEN, documents), documents, console=console)

    assert "1 of 2 numbers read right in 1 files; 2 accepted without a person's look, 1 of them wrong." in (
        console.export_text()
    )


def test_the_truth_is_read_back(project_root: Path) -> None:
    rows = read_truth(project_root / "examples" / "scans" / "truth.csv")

    assert len(rows) == 28
    assert {row.type for row in rows} == {"", "digits"}
