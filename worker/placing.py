"""Readings back onto the page as it came, whether it was levelled or laid over a template."""

from collections.abc import Callable
from dataclasses import replace

from core.types import Box, FieldReading


def put_back(reading: FieldReading, undo: Callable[[Box], Box]) -> FieldReading:
    """Return the reading with its boxes on the page as it came; a field's box still holds all its digits'.

    Args:
        reading: with boxes on the page that was read.
        undo: maps one of those onto the page as it came.
    """
    digits = tuple(replace(digit, box=undo(digit.box)) for digit in reading.digits)
    # Rounding may push a digit's corner out by a pixel.
    boxes = [undo(reading.box), *(digit.box for digit in digits)]
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return replace(reading, box=Box(x=x, y=y, width=right - x, height=bottom - y), digits=digits)
