"""A form's field out of the page that lies on its template: without what is preprinted there, where that is known.

With a picture of the empty form, its print is taken out, and writing is followed where it leaves its box, since there
is nothing else around it then. Coloured guides drop out of colour scans. With neither, the field is cut as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.types import Box, FieldCrop, Page
from forms.field_types import FieldType
from segmentation.outskirts import is_written_beside, outskirts
from segmentation.preprint import drop_out, subtract_blank
from segmentation.spill import around, gather
from segmentation.surroundings import Surroundings

_Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A field out of its page.

    Attributes:
        crop: without print, where that is known.
        as_it_came: with the print in it, where that tells something more: where a comb's boxes are.
        runs_on: whether what stands in another field follows its writing as closely as if both were one number.
    """

    crop: FieldCrop
    as_it_came: FieldCrop | None = None
    runs_on: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A page that lies on its template, and what is known of the template's print.

    Attributes:
        page: on the template's pixels, as it came: grey or BGR.
        grey: the same in grey, dark ink on light paper.
        blank: the empty form in grey, on the same pixels; None where nobody has it.
        guides: colour of what drops out, as `#rrggbb`, "auto" to find it, or None.
    """

    page: Page
    grey: _Grey
    blank: _Grey | None = None
    guides: str | None = None

    def cut(self, name: str, kind: FieldType, box: Box, *, others: Sequence[Box] = ()) -> Cut:
        """Return a field without print.

        Args:
            name: of the field.
            kind: what it may hold.
            box: where it is to be.
            others: where the form's other fields are; their writing is theirs.
        """
        plain = FieldCrop(name=name, type=kind.name, box=box, pixels=_part(self.grey, box))
        if self.is_plain:
            return Cut(plain)
        if self.blank is None or kind.comb_cells:
            return Cut(replace(plain, pixels=self._clean(box)), plain if kind.comb_cells else None)
        area = around(box, width=self.page.width, height=self.page.height)
        inside, beside = _within(box, area), [_within(other, area) for other in others]
        found = gather(self._clean(area), inside, beside)
        whole = replace(found.box, x=found.box.x + area.x, y=found.box.y + area.y)
        return Cut(replace(plain, box=whole, pixels=found.pixels), runs_on=found.runs_on)

    @property
    def is_plain(self) -> bool:
        """Whether fields are cut as they came, since nothing is known of the print."""
        return self.blank is None and (self.guides is None or self.page.pixels.ndim == 2)

    def around(self, box: Box, others: Sequence[Box] = ()) -> Surroundings:
        """Return a field on the page, where the form's other fields lie at `others`."""
        return Surroundings(self.grey, box, tuple(others))

    def clean_around(self, box: Box, others: Sequence[Box] = ()) -> Surroundings:
        """Return a field on the part of the page around it, without print, and the form's other fields in it."""
        area = outskirts(box, width=self.page.width, height=self.page.height)
        return Surroundings(self._clean(area), _within(box, area), tuple(_within(other, area) for other in others))

    def is_written_beside(self, box: Box, others: Sequence[Box]) -> bool:
        """Return whether writing that nobody reads stands beside an empty field, where the empty form is known.

        Args:
            box: where the field is.
            others: where the form's other fields are, each with its writing.
        """
        return self.blank is not None and is_written_beside(self.clean_around(box, others))

    def _clean(self, box: Box) -> _Grey:
        """Return a part of the page without the blank's print and without guides."""
        part = _part(self.grey, box)
        if self.guides is not None and self.page.pixels.ndim == 3:
            part = drop_out(_part(self.page.pixels, box), guide=self.guides)
        return part if self.blank is None else subtract_blank(part, _part(self.blank, box))


def _part(pixels: _Grey, box: Box) -> _Grey:
    return np.ascontiguousarray(pixels[box.slices])


def _within(box: Box, area: Box) -> Box:
    """Return the box in pixels of the area."""
    return replace(box, x=box.x - area.x, y=box.y - area.y)
