"""Functions and files stay short enough to be read."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

PACKAGES = ("api", "cli", "core", "forms", "model", "segmentation", "storage", "worker")
UNTELLING = {"utils", "helpers", "common", "misc", "manager"}


def modules(root: Path) -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((root / package).rglob("*.py"))


def function_lengths(root: Path) -> dict[str, int]:
    lengths = {}
    for path in modules(root):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lengths[f"{path.relative_to(root)}:{node.name}"] = (node.end_lineno or 0) - node.lineno + 1
    return lengths


def test_functions_are_short(project_root: Path) -> None:
    lengths = function_lengths(project_root)
    assert median(lengths.values()) <= 12
    assert quantiles(lengths.values(), n=10)[-1] <= 35
    assert {name: length for name, length in lengths.items() if length > 60} == {}


def test_files_are_short(project_root: Path) -> None:
    lengths = {
        str(path.relative_to(project_root)): len(path.read_text().splitlines()) for path in modules(project_root)
    }
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_names_tell(project_root: Path) -> None:
    assert [path for path in modules(project_root) if path.stem in UNTELLING] == []
