"""Pictures that nobody writes numbers on, through the whole reader: each ends as a reading, and soon."""


import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.settings import Settings
from segmentation.prepare import shrink
from worker.pipeline import Reader, ReadRequest

REQUESTS = [ReadRequest(), ReadRequest(type_name="digits")]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load(Settings())


def strip(width: int, height: int) -> NDArray[np.uint8]:
    """Return a picture with a dark stroke every hundred pixels along its longer side."""
    longer = np.arange(max(width, height)) % 100 < 4
    across = longer[None] if width > height else longer[:, None]
    return np.where(np.broadcast_to(across, (height, width)), 30, 230).astype(np.uint8)


@pytest.mark.parametrize("request_", REQUESTS, ids=["numbers", "digits"])
@pytest.mark.parametrize("size", [(20_000, 10), (20_000, 1), (1, 20_000), (10, 20_000)])
def test_a_page_far_longer_than_wide_is_read(reader: Reader, size: tuple[int, int], request_: ReadRequest) -> None:
    data = cv2.imencode(".png", strip(*size))[1].tobytes()

    result = reader.read_page(data, 0, request=request_)

    assert result.reading.failure is None
    assert (result.reading.width, result.reading.height) == size
    assert result.preview


def test_no_side_is_shrunk_to_nothing() -> None:
    assert shrink(np.zeros((3, 9000), np.uint8), 0.1).shape == (1, 900)
    assert shrink(np.zeros((9000, 3), np.float32), 0.1).shape == (900, 1)
    assert shrink(np.zeros((300, 200), np.uint8), 0.1).shape == (30, 20)
