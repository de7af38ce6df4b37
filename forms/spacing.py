"""How far the digits of a number stand from each other."""

from collections.abc import Sequence
from itertools import pairwise

from core.types import Box


def gaps_between(boxes: Sequence[Box]) -> list[int]:
    """Return the pixels between each two neighbours, negative where they overlap.

    Args:
        boxes: from left to right.
    """
    return [after.x - before.right for before, after in pairwise(boxes)]
