"""Contact sheets: many fields on one picture, each with a line of text, for a person to look through.

Fields of real collections must not get into the project, so sheets are written outside of it alone.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT: Final = Path(__file__).resolve().parent.parent

COLUMNS: Final = 5
ROWS: Final = 14
CELL: Final = (340, 84)
"""Width and height of a field's place, in pixels."""

CAPTION: Final = 18


def outside(place: str | Path) -> Path:
    """Return the folder, made where it is missing.

    Raises:
        SystemExit: it lies in the project, and real fields do not belong there.
    """
    folder = Path(place)
    if folder.resolve().is_relative_to(ROOT):
        raise SystemExit(f"{folder} lies in the project: choose a folder outside")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_sheets(folder: Path, name: str, pictures: Sequence[tuple[bytes, str]]) -> list[Path]:
    """Write as many sheets as the captioned pictures need; nothing where there are none."""
    each = COLUMNS * ROWS
    paths = []
    for number, start in enumerate(range(0, len(pictures), each), start=1):
        path = folder / f"{name}-{number}.png"
        path.write_bytes(cv2.imencode(".png", _sheet(pictures[start : start + each]))[1].tobytes())
        paths.append(path)
    return paths


def _sheet(pictures: Sequence[tuple[bytes, str]]) -> NDArray[np.uint8]:
    width, height = CELL
    rows = -(-len(pictures) // COLUMNS)
    sheet = np.full((rows * (height + CAPTION), COLUMNS * width, 3), 255, np.uint8)
    for place, (data, caption) in enumerate(pictures):
        top, left = place // COLUMNS * (height + CAPTION), place % COLUMNS * width
        pixels = _fitted(data)
        sheet[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        foot = (left + 2, top + height + CAPTION - 5)
        # OpenCV's fonts hold ASCII alone.
        ascii_caption = caption.encode("ascii", "replace").decode()
        cv2.putText(sheet, ascii_caption, foot, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 180), 1, cv2.LINE_AA)
    return sheet


def _fitted(data: bytes) -> NDArray[np.uint8]:
    pixels = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    scale = min((CELL[0] - 6) / pixels.shape[1], CELL[1] / pixels.shape[0], 3.0)
    size = (max(1, int(pixels.shape[1] * scale)), max(1, int(pixels.shape[0] * scale)))
    return np.asarray(
        cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), np.uint8
    )
