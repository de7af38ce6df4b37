"""The shipped network reads, whatever the number of glyphs, without TensorFlow."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.datasets import normalised
from model.recogniser import MAX_BATCH, Recogniser, batches
from tests.model.drawn import printed_digits


@pytest.fixture(scope="module")
def reader() -> Recogniser:
    return Recogniser.load()


@given(st.integers(0, 500))
def test_batches_hold_every_glyph_once(count: int) -> None:
    plan = batches(count)
    assert all(1 <= size <= MAX_BATCH for _, size in plan)
    assert [place for start, size in plan for place in range(start, start + size)] == list(range(count))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 33, 64, 65, 150])
def test_a_glyph_reads_the_same_in_any_company(reader: Recogniser, count: int) -> None:
    glyphs = normalised(printed_digits(150)).images[:count]
    together = reader.classify(glyphs)
    assert together.shape == (count, len(reader.classes))
    assert together.dtype == np.float32
    alone = [reader.classify(glyph[None])[0] for glyph in glyphs[-3:]]
    assert np.allclose(together[-3:], np.array(alone).reshape(-1, len(reader.classes)), atol=1e-6)


def test_rows_are_probabilities(reader: Recogniser) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 28, 28)).astype(np.uint8)
    scores = reader.classify(noise)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert scores.min() >= 0


def test_printed_digits_are_mostly_read(reader: Recogniser) -> None:
    digits = normalised(printed_digits(200))
    read = reader.classify(digits.images)[:, :10].argmax(axis=1)
    assert np.mean(read == digits.labels) > 0.8


@pytest.mark.parametrize("shape", [(28, 28), (2, 20, 20), (2, 28, 28, 1)])
def test_another_shape_is_refused(reader: Recogniser, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="uint8"):
        reader.classify(np.zeros(shape, np.uint8))


def test_floats_are_refused(reader: Recogniser) -> None:
    with pytest.raises(ValueError, match="float32"):
        reader.classify(np.zeros((1, 28, 28), np.float32))


def test_reading_loads_neither_tensorflow_nor_opencv(project_root: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from model.recogniser import Recogniser\n"
        "Recogniser.load().classify(np.zeros((3, 28, 28), np.uint8))\n"
        "print(sorted({'tensorflow', 'keras', 'cv2', 'matplotlib'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project_root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_loading_is_quick() -> None:
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        Recogniser.load()
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.2
