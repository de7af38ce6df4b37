"""Gaps between the digits of a number."""

from core.types import Box
from forms.spacing import gaps_between


def test_gaps_are_pixels_between_neighbours_and_negative_where_they_overlap() -> None:
    boxes = [Box(0, 0, 10, 30), Box(14, 5, 10, 30), Box(22, 0, 10, 30)]
    assert gaps_between(boxes) == [4, -2]
    assert gaps_between(boxes[:1]) == gaps_between([]) == []
