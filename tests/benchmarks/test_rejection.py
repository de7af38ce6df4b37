"""Pictures of what is no number, drawn again from the same seed, and how they are counted."""

import cv2
import numpy as np
import pytest

from benchmarks.nonfields import LOOK_ALIKE_KIND, kinds
from benchmarks.rejection import figures_of, over_all
from core.types import Box, FieldReading


def read(text: str, *, accepted: bool) -> FieldReading:
    return FieldReading("digits", "digits", Box(0, 0, 9, 9), text, text, 0.9, accepted=accepted)


def test_kinds_are_drawn_without_any_collection_and_again_the_same() -> None:
    first, second = (dict(kinds(None, count=3)) for _ in range(2))
    assert {"blank paper", "empty boxes", "noise", "scribbles", "signatures", "struck out"} <= first.keys()
    assert first == second
    for kind, files in first.items():
        assert len(set(files)) == 3, kind
        assert all(cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_GRAYSCALE) is not None for file in files)


def test_only_accepted_numbers_count() -> None:
    found = [read("7", accepted=True), read("", accepted=True), read("4", accepted=False), read("", accepted=False)]
    figures = figures_of(found)
    assert (figures["accepted"], figures["read_anything"]) == (0.25, 0.5)
    rows = {"noise": figures, LOOK_ALIKE_KIND: figures_of([read("0", accepted=True)])}
    assert over_all(rows)["accepted"] == pytest.approx(0.25)
