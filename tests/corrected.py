"""Corrected fields in a hand that the shipped readers hardly know: drawn digits, leant over far."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Truth
from examples.drawing.scenes import Background, draw_field
from worker.corrected import FIELDS_FOLDER, CorrectedField, write_labels

LEAN = -0.85
"""Columns a row, to the left: mirror-wise to how people's hands lean."""


def leaning(text: str, *, seed: int) -> NDArray[np.uint8]:
    """Return a drawn field whose writing leans over to the left: uint8 BGR."""
    image = draw_field(text, seed=seed, background=Background.PLAIN).image
    height, width = image.shape[:2]
    shear = np.array([[1, -LEAN, LEAN * height], [0, 1, 0]]) if LEAN > 0 else np.array([[1, -LEAN, 0], [0, 1, 0]])
    size = (width + round(abs(LEAN) * height), height)
    paper = tuple(int(each) for each in np.median(image.reshape(-1, 3), axis=0))
    return np.asarray(cv2.warpAffine(image, shear.astype(np.float32), size, borderValue=paper), np.uint8)


def number(place: int) -> str:
    """Return a number of three to six digits; another for each place."""
    rng = np.random.default_rng(place)
    return "".join(map(str, rng.integers(0, 10, int(rng.integers(3, 7)))))


def leaning_png(place: int) -> bytes:
    """Return the picture of `number(place)` as PNG."""
    return cv2.imencode(".png", leaning(number(place), seed=place))[1].tobytes()


def corrected_folder(folder: Path, count: int, *, wrong: bool = False) -> Path:
    """Fill `folder` with corrections of `count` documents of one field each, with others' truths where `wrong`."""
    (folder / FIELDS_FOLDER).mkdir(parents=True)
    rows = []
    for place in range(count):
        data = leaning_png(place)
        file = f"{FIELDS_FOLDER}/{place}.png"
        (folder / file).write_bytes(data)
        text = number((place + 1) % count) if wrong else number(place)
        rows.append(CorrectedField(file, text, Truth.TEXT, document=hashlib.sha256(data).hexdigest(), by="ann"))
    write_labels(folder, rows)
    return folder
