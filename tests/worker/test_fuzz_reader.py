"""Damaged files through the whole reader: every one is read or fails with a known code, and the process survives."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.segmentation.test_fuzz import KNOWN

COUNT = 2000


@pytest.mark.slow
def test_every_damaged_file_is_read_or_fails_with_a_known_code(project_root: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.worker.fuzz_child", "31337", str(COUNT)],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    lines = [json.loads(line) for line in child.stdout.splitlines()]

    assert child.returncode == 0, f"died after {lines[-1:]}:\n{child.stderr[-2000:]}"
    assert [line["number"] for line in lines] == list(range(COUNT))
    codes = Counter(code for line in lines for code in line["codes"])
    assert set(codes) <= {"read"} | KNOWN
    assert codes["read"] > COUNT // 10
