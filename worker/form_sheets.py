"""Which page of its form a page is: its code says so, else its position in the document.

A code that is another form's makes the page fail: its fields would be read in the wrong places, and look sound. So do
several sheets on one scan, of which nobody can tell which is meant.
"""

from dataclasses import dataclass
from typing import Final

from core.errors import PageUnknown, WrongForm
from core.form_code import FormCode
from core.types import FormPage, Page, ReviewReason, ToldBy
from segmentation.registration.codes import read_code, read_codes
from segmentation.registration.geometry import as_grey
from segmentation.registration.markers import shows_several
from segmentation.registration.target import MarkerLayout, Registered
from worker.form_reading import Form

SEVERAL: Final = "Several sheets lie on this scan; each is to be scanned alone."
"""What a person is told whose page shows the marks or codes of more than one."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of a form.

    Attributes:
        number: from 1.
        form_page: what the reading says of it; None for forms of one page without a code.
        doubts: why nothing on it is to be accepted.
    """

    number: int
    form_page: FormPage | None
    doubts: tuple[ReviewReason, ...] = ()


def tell_sheet(page: Page, laid: Registered, form: Form, *, chosen: bool = False) -> Sheet:
    """Return which page of the form it is.

    Args:
        page: as it came.
        laid: the same, laid over the template.
        form: that it is read as.
        chosen: whether the form was chosen for this page alone, so that its position in the document tells little.

    Raises:
        WrongForm: its code is another form's.
        PageUnknown: it should show a code, and shows neither that nor the form's marks, or both of several sheets.
    """
    template = form.template
    number = 1 + page.index % template.pages
    by_position = FormPage(template.name, number, of=template.pages, told_by=ToldBy.POSITION)
    if not template.registration.code:
        if template.pages == 1:
            return Sheet(1, None)
        return Sheet(by_position.number, by_position, (ReviewReason.PAGE_GUESSED,) if chosen else ())
    code = _code(page, laid, form.target.markers)
    if code is None:
        if laid.poor:
            raise PageUnknown
        return Sheet(by_position.number, by_position, (ReviewReason.PAGE_GUESSED,))
    return _as_coded(code, form)


def _code(page: Page, laid: Registered, markers: MarkerLayout | None) -> FormCode | None:
    """Return the page's code: read on the laid page, which is upright and level, or where that is poor, as it came.

    Raises:
        PageUnknown: several sheets lie on the page, and it is laid by none of them.
    """
    if not laid.poor:
        return read_code(laid.page) or read_code(page)
    codes = read_codes(page)
    if len(codes) > 1 or (markers is not None and shows_several(as_grey(page.pixels), markers)):
        raise PageUnknown(SEVERAL)
    return next(iter(codes), None)


def _as_coded(code: FormCode, form: Form) -> Sheet:
    template = form.template
    if code.name != template.name:
        raise WrongForm(f"The page's code says {code.name}, and it was to be read as {template.name}.")
    if not 1 <= code.page <= template.pages:
        raise WrongForm(f"The page's code says page {code.page}, and {template.name} has {template.pages}.")
    told = FormPage(template.name, code.page, of=template.pages, told_by=ToldBy.CODE)
    # A version of 0 was drawn before the template was stored.
    fits = form.versions is None or code.version == 0 or code.version in form.versions
    return Sheet(told.number, told, () if fits else (ReviewReason.FORM_OUTDATED,))
