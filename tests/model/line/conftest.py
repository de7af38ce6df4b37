"""Drawn collections, and the ink in them."""

from pathlib import Path

import pytest

from model.line.writing import InkCollection, load_ink
from tests.model.line.collections_drawn import collections


@pytest.fixture(scope="session")
def drawn_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of collections, none of them real."""
    return collections(tmp_path_factory.mktemp("collections"))


@pytest.fixture(scope="session")
def ink(drawn_data: Path) -> InkCollection:
    """The online ink of these collections."""
    return load_ink(drawn_data)
