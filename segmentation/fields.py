"""Where the fields of a page are: the whole page, or every line of figures on it."""

from core.types import Box, FieldCrop, Page
from segmentation.prepare import to_grey


def whole_page(page: Page, *, type_name: str) -> FieldCrop:
    """Return the page as one field of the type, named after it."""
    box = Box(x=0, y=0, width=page.width, height=page.height)
    return FieldCrop(name=type_name, type=type_name, box=box, pixels=to_grey(page))
