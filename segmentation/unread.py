"""Whether something is written in a field in which nothing was read: a value would be lost that passes for none.

Writing that the readers make nothing of is still taller than a dash, and than what is left of the field's print.
"""

from typing import Final

from segmentation.cuts import Components

WRITTEN: Final = 0.15
"""Of the field's height, or that of its frame's interior: ink so tall is writing. Of numbers drawn for forms that
were struck out or displaced and in which nothing was read, 0.17 to 0.43 remain; dashes have 0.09 at most, and what is
left of an empty field's print 0.06."""

LED_OUT: Final = 0.1
"""The same at top and foot, where the rest of it is outside: no dash stands there."""

THIN: Final = 0.05
"""Of the field's height: what is no wider at its left or right edge is left of a printed side, however tall."""


def holds_writing(ink: Components) -> bool:
    """Return whether ink as tall as writing stands in a field.

    Args:
        ink: of the field, without ruling lines.
    """
    height, width = ink.ink.shape
    for x, y, across, down, _ in ink.stats.tolist():
        of_a_side = across <= max(1, THIN * height) and (x == 0 or x + across == width)
        leads_out = y == 0 or y + down == height
        if not of_a_side and down >= (LED_OUT if leads_out else WRITTEN) * height:
            return True
    return False
