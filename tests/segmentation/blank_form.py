"""An empty form, drawn: boxes, combs, solid and dotted lines, and print that asks for nothing."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, Page
from segmentation.drafting import Kind

SIZE: Final = (1654, 2339)
"""A4 at 200 dpi."""

ASKED: Final[tuple[tuple[str, Kind, Box, int | None], ...]] = (
    ("account", Kind.COMB, Box(520, 300, 640, 80), 8),
    ("date", Kind.COMB, Box(520, 440, 480, 70), 6),
    ("pin", Kind.COMB, Box(520, 560, 400, 80), 4),
    ("amount", Kind.BOX, Box(520, 700, 420, 90), None),
    ("fee", Kind.BOX, Box(1000, 700, 300, 90), None),
    ("meter", Kind.LINE, Box(520, 873, 500, 51), None),
    ("serial", Kind.LINE, Box(520, 1003, 600, 51), None),
    ("first_cell", Kind.BOX, Box(600, 1200, 300, 70), None),
    ("second_cell", Kind.BOX, Box(600, 1270, 300, 70), None),
)
"""Name, what is printed around it, where it is, and how many boxes it has; a line's box is what lies above it."""


def blank_form(*, angle_degrees: float = 0.0, noise: float = 0.0) -> Page:
    """Return the form, turned and with grain as a scanner may add."""
    grey = np.full((SIZE[1], SIZE[0]), 250, np.uint8)
    _print(grey)
    for name, kind, box, cells in ASKED:
        _label(grey, name, box)
        _DRAW[kind](grey, box, cells or 1)
    turn = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), angle_degrees, 1.0)
    turned = np.asarray(cv2.warpAffine(grey, turn, SIZE, borderValue=250, flags=cv2.INTER_AREA), np.float64)
    grain = np.random.default_rng(5).normal(0.0, noise, turned.shape) if noise else 0.0
    return Page(index=0, pixels=np.clip(turned + grain, 0, 255).astype(np.uint8), dpi=200.0)


def _label(grey: NDArray[np.uint8], name: str, box: Box) -> None:
    if not name.endswith("cell"):
        cv2.putText(grey, name, (200, box.bottom - 14), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 30, 2, cv2.LINE_AA)


def _draw_box(grey: NDArray[np.uint8], box: Box, _: int) -> None:
    cv2.rectangle(grey, (box.x, box.y), (box.right, box.bottom), 40, 2)


def _draw_comb(grey: NDArray[np.uint8], box: Box, cells: int) -> None:
    pitch = box.width // cells
    if cells == 4:  # boxes that stand apart
        for cell in range(cells):
            _draw_box(grey, Box(box.x + cell * pitch + 10, box.y, pitch - 20, box.height), 1)
        return
    _draw_box(grey, box, 1)
    for cell in range(1, cells):
        x = box.x + cell * pitch
        cv2.line(grey, (x, box.y), (x, box.bottom), 40, 2)
    if cells == 6:
        for cell, letter in enumerate("DDMMYY"):
            at = (box.x + cell * pitch + pitch // 2 - 10, box.y + 48)
            cv2.putText(grey, letter, at, cv2.FONT_HERSHEY_SIMPLEX, 0.8, 150, 1, cv2.LINE_AA)


def _draw_line(grey: NDArray[np.uint8], box: Box, _: int) -> None:
    y = box.bottom
    if box.width == 600:
        for x in range(box.x, box.right, 10):
            cv2.circle(grey, (x, y), 1, 40, -1)
    else:
        cv2.line(grey, (box.x, y), (box.right, y), 40, 2)


_DRAW = {Kind.BOX: _draw_box, Kind.COMB: _draw_comb, Kind.LINE: _draw_line}


def _print(grey: NDArray[np.uint8]) -> None:
    """Print a heading with a rule across the page, a table's head, a paragraph and an underlined word."""
    cv2.putText(grey, "DEPOSIT OF CHEQUES", (200, 150), cv2.FONT_HERSHEY_DUPLEX, 2.0, 20, 3, cv2.LINE_AA)
    cv2.line(grey, (150, 220), (1500, 220), 30, 4)
    for row, text in enumerate(("Total", "1", "2")):
        top = 1130 + 70 * row
        cv2.rectangle(grey, (400, top), (600, top + 70), 40, 2)
        cv2.rectangle(grey, (600, top), (900, top + 70), 40, 2)
        cv2.putText(grey, text, (420, top + 50), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 30, 2, cv2.LINE_AA)
    cv2.putText(grey, "Euro and cents", (615, 1180), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 30, 2, cv2.LINE_AA)
    for row in range(12):
        line = "Whoever signs here has read the terms and is bound by them in all things."
        cv2.putText(grey, line, (200, 1500 + 45 * row), cv2.FONT_HERSHEY_COMPLEX, 0.9, 30, 1, cv2.LINE_AA)
    cv2.line(grey, (205, 1510), (330, 1510), 30, 2)
