"""Chooses the template of a page by what the page shows: `template=auto`.

```
Page ─ QR code ─▶ markers ─▶ print of references ─▶ cheque with a MICR line ─▶ Chosen, or None
```

What says most is asked first. Where two templates fit alike nothing is chosen: a page that is read by the wrong one
looks sound, and is not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from core.types import Box, FieldReading, Page, PageReading, ReviewReason, TemplateUse
from forms.micr import LEAST_KNOWN, parse
from segmentation.prepare import shrink
from segmentation.registration.codes import FormCode, read_code
from segmentation.registration.geometry import Size, as_grey, quarter_turns_of, size_of
from segmentation.registration.markers import find_markers, lay_coded, see_coded
from segmentation.registration.recognise import recognise
from segmentation.registration.reference import Reference
from segmentation.registration.target import RegistrationTarget
from worker.cheque_laying import TURNS, find_cheque
from worker.form_reading import Form
from worker.micr import MicrReader

CHEQUES: Final = {"us": "cheque-us", "cts2010": "cheque-cts2010"}
"""Built-in templates by the layout of the MICR line; `ANY_CHEQUE` for others, and for a CTS-2010 cheque in a photo."""

ANY_CHEQUE: Final = "cheque"

FLAT: Final = "cheque-cts2010"
"""Its pages are stretched over it as they came, so it takes scans that show exactly the cheque."""

CHEQUE_SIZE: Final[Size] = (2386, 1087)
"""Pixels of CTS-2010 at 300 dpi; others have nearly the same proportions."""

CODE_SIDE: Final = 1000
"""Pixels of a page's longer side at which its code is sought first; at full size, where nothing else fits."""

MARKERS_LEAD: Final = 2.0
"""Pixels by which marks lie better on one template than on another."""

UNKNOWN_FIELD: Final = "page"
"""Name of the field that stands for a page without a number on it, so that it is not passed over."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A template that may be chosen, by as little of it as tells it from others.

    Attributes:
        use: its name and version.
        target: how pages are laid over it; its reference without the picture at full size.
        open: opens it whole, once it is chosen.
    """

    use: TemplateUse
    target: RegistrationTarget
    open: Callable[[], Form]

    @classmethod
    def of(cls, use: TemplateUse, form: Form, opening: Callable[[], Form]) -> "Known":
        """Return what is kept of an open form."""
        target, reference = form.target, form.target.reference
        if isinstance(reference, Reference):
            # Twenty pages at 300 dpi would take as much memory as all the rest of a worker.
            target = replace(target, reference=replace(reference, grey=reference.working))
        return cls(use, target, opening)


class Catalogue(Protocol):
    """The templates to choose from."""

    def known(self) -> Sequence[Known]:
        """Return the latest version of every template, the built-in ones with them."""

    def printed(self, code: FormCode) -> Known | None:
        """Return the version that a form's code names, or the latest where that is not kept; None where none is."""


Choose = Callable[[Page, Callable[[], MicrReader]], Known | None]


class Chooser:
    """Chooses among a catalogue's templates."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Choose from `catalogue`, which is asked anew for each page."""
        self._catalogue = catalogue

    def __call__(self, page: Page, micr: Callable[[], MicrReader]) -> Known | None:
        """Return the template that the page shows; None where none fits, or several do alike.

        Args:
            page: as it came, turned any way.
            micr: gives what reads E-13B.
        """
        known = self._catalogue.known()
        # Only a template that somebody stored can stand in a code.
        coded = any(each.use.version is not None for each in known)
        return (
            (self._by_code(_small(page)) if coded else None)
            or by_markers(page, known)
            or by_print(page, known)
            or by_cheque(page, known, micr())
            or by_print(page, known, thorough=True)
            or (self._by_code(page) if coded else None)
        )

    def _by_code(self, page: Page) -> Known | None:
        code = read_code(page)
        return None if code is None else self._catalogue.printed(code)


def _small(page: Page) -> Page:
    """Return the page as small as a clean code can be read: a code is sought in a fifth of the time."""
    scale = min(1.0, CODE_SIDE / max(page.width, page.height))
    if scale == 1.0:
        return page
    return replace(page, pixels=shrink(as_grey(page.pixels), scale))


def by_markers(page: Page, known: Sequence[Known]) -> Known | None:
    """Return the template whose marks lie on the page as it has them; None where none does, or several do."""
    marked = [each for each in known if each.target.markers is not None]
    if not marked:
        return None
    grey = as_grey(page.pixels)
    seen = see_coded(grey, wanted=set(range(4)))
    fits: list[tuple[float, Known]] = []
    for each in marked:
        target, layout = each.target, each.target.markers
        if layout is None:
            continue
        if layout.coded:
            found = lay_coded(seen, target.size, layout, size_of(grey))
        else:
            found = find_markers(grey, target.size, layout)
        residual = min((answer.residual_px for answer in found), default=float("inf"))
        if residual <= target.max_residual_px:
            fits.append((residual, each))
    return _told_apart(page, fits)


def _told_apart(page: Page, fits: list[tuple[float, Known]]) -> Known | None:
    """Return the best of those whose marks fit; of several alike, the one whose print is the page's."""
    fits.sort(key=lambda each: each[0])
    alike = [each for residual, each in fits if residual - fits[0][0] < MARKERS_LEAD]
    return alike[0] if len(alike) == 1 else by_print(page, alike)


def by_print(page: Page, known: Sequence[Known], *, thorough: bool = False) -> Known | None:
    """Return the template whose reference shows the page's print; None where none does, or two do alike.

    Args:
        page: as it came.
        known: templates to choose from; those without a reference are never the one.
        thorough: look longer, for print that is faint or blurred.
    """
    with_reference = [(each, each.target.reference) for each in known if isinstance(each.target.reference, Reference)]
    found = recognise(page.pixels, [reference for _, reference in with_reference], thorough=thorough)
    return None if found is None else with_reference[found.place][0]


def by_cheque(page: Page, known: Sequence[Known], micr: MicrReader) -> Known | None:
    """Return the cheque template for the page's MICR line; None where the page is no cheque."""
    # A cheque fills most of its picture, or is a sheet with edges: a whole page of print takes long to search.
    laid = find_cheque(page, CHEQUE_SIZE, micr, turns=TURNS[:1] if page.width > page.height else ())
    if laid is None or laid.band is None:
        return None
    line = parse(laid.band.cells.probabilities)
    if line.known < LEAST_KNOWN:
        return None
    by_name = {each.use.name: each for each in known}
    name = CHEQUES.get(line.family, ANY_CHEQUE)
    if name == FLAT and (laid.outline.from_edges or quarter_turns_of(laid.outline.transform, CHEQUE_SIZE)):
        name = ANY_CHEQUE
    return by_name.get(name) or by_name.get(ANY_CHEQUE)


def named(reading: PageReading, use: TemplateUse) -> PageReading:
    """Return the page's reading with the template that was chosen for it."""
    if reading.registration is None:
        return reading
    return replace(reading, registration=replace(reading.registration, template=use))


def unknown(reading: PageReading) -> PageReading:
    """Return the reading of a page that no template fits: nothing on it is accepted, and no page is passed over."""
    fields = reading.fields or (_whole(reading),)
    return replace(reading, fields=tuple(_unknown(field) for field in fields))


def _unknown(field: FieldReading) -> FieldReading:
    reasons = (*field.review_reasons, ReviewReason.TEMPLATE_UNKNOWN)
    return replace(field, accepted=False, review_reasons=reasons)


def _whole(reading: PageReading) -> FieldReading:
    box = Box(0, 0, reading.width, reading.height)
    return FieldReading(
        UNKNOWN_FIELD, "digits", box, "", None, 0.0, accepted=False, review_reasons=(ReviewReason.EMPTY,)
    )
