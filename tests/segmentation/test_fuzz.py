"""Damaged files of every kind: each ends as pages or a known code, and the process that decodes them survives."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from core.errors import (
    EncryptedDocument,
    ImageTooLarge,
    TooManyPages,
    UnreadableImage,
    UnsupportedMediaType,
)
from tests.mutations import mutate
from tests.segmentation.fuzz_child import originals

COUNT = int(os.environ.get("TALLYSCAN_FUZZ_COUNT", "3000"))
KNOWN = {"pages"} | {
    error.code for error in (EncryptedDocument, ImageTooLarge, TooManyPages, UnreadableImage, UnsupportedMediaType)
}


@pytest.mark.slow
def test_damaged_files_end_as_pages_or_a_known_code_and_the_process_survives(project_root: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.segmentation.fuzz_child", "20161", str(COUNT), ""],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    lines = [json.loads(line) for line in child.stdout.splitlines()]

    assert child.returncode == 0, f"died after {lines[-1:]}:\n{child.stderr[-2000:]}"
    outcomes, peak_mib = lines[:-1], lines[-1]["peak_mib"]
    assert [line["number"] for line in outcomes] == list(range(COUNT))
    assert {line["code"] for line in outcomes} <= KNOWN
    assert peak_mib < 600


def test_the_peak_is_the_childs_own_however_large_its_parent_is(project_root: Path) -> None:
    ballast = b"\x01" * (700 << 20)
    child = subprocess.run(
        [sys.executable, "-m", "tests.segmentation.fuzz_child", "1", "20", "scan.pdf"],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert len(ballast) == 700 << 20
    assert 30 < json.loads(child.stdout.splitlines()[-1])["peak_mib"] < 600


@pytest.mark.slow
def test_the_mutations_reach_beyond_the_headers(project_root: Path) -> None:
    """A fuzz test whose files are all refused at the first byte would show nothing."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.segmentation.fuzz_child", "5", "600", ""],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    codes = Counter(json.loads(line).get("code") for line in child.stdout.splitlines())

    assert codes["pages"] > 60
    assert codes["unreadable_image"] > 120
    assert codes["image_too_large"] > 6


def test_mutations_are_the_same_for_a_seed() -> None:
    files = originals()
    first = [mutation.data for mutation in mutate(files, count=60, seed=1)]
    second = [mutation.data for mutation in mutate(files, count=60, seed=1)]
    other = [mutation.data for mutation in mutate(files, count=60, seed=2)]

    assert first == second
    assert first != other
