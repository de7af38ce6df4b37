"""Directions of import hold, and processes load only what they need."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("cv2", "tensorflow", "keras", "ai_edge_litert", "pypdfium2")


def loaded_after(statement: str, *, root: Path) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after `statement`."""
    script = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_import_contracts_hold(project_root: Path) -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=project_root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_api_loads_neither_pixels_nor_network(project_root: Path, tmp_path: Path) -> None:
    statement = (
        "from api.app import create_app; from core.settings import Settings; "
        f"create_app(Settings(home={str(tmp_path)!r}))"
    )
    assert not loaded_after(statement, root=project_root) & set(HEAVY)


def test_the_workers_parent_loads_neither_pixels_nor_network(project_root: Path) -> None:
    # cv2 or TensorFlow used before a fork hangs the child (opencv #5150, tensorflow #27074).
    assert not loaded_after("import worker.app", root=project_root) & set(HEAVY)


@pytest.mark.parametrize("package", ["core.queue", "forms.decoder", "storage.store"])
def test_packages_below_the_worker_stay_light(package: str, project_root: Path) -> None:
    assert not loaded_after(f"import {package}", root=project_root) & set(HEAVY)


def test_reading_a_document_loads_no_tensorflow(project_root: Path) -> None:
    statement = (
        "from core.settings import Settings; from worker.pipeline import Reader, ReadRequest; "
        "from tests.factories import png_bytes; "
        "reading = Reader.load(Settings()).read(png_bytes('42', seed=1), request=ReadRequest('digits')); "
        "assert reading.pages[0].fields"
    )
    assert not loaded_after(statement, root=project_root) & {"tensorflow", "keras"}
