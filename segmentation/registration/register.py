"""Lays a page over its template, by the method that the template names. A step between decoding and field crops."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from core.types import Page, Registration
from segmentation.registration.features import register_by_features
from segmentation.registration.geometry import (
    Size,
    Transform,
    as_grey,
    from_corners,
    is_plausible,
    quarter_turns_of,
    scale_of,
    scaling,
    size_of,
    warp,
)
from segmentation.registration.markers import find_markers
from segmentation.registration.orientation import lay_outline, lay_whole_frame, tell_upright
from segmentation.registration.reference import Reference, prepare_reference
from segmentation.registration.refine import Measured, refine
from segmentation.registration.sheet import Sheet, find_sheet
from segmentation.registration.target import Found, Method, Registered, RegistrationTarget

_Grey = NDArray[np.uint8]


def register(page: Page, target: RegistrationTarget) -> Registered:
    """Return the page laid over the template's pixels, how it was done and how much is left.

    Where nothing of the template is found the page is scaled, and poor.

    Raises:
        InvalidRequest: the target lacks what its method needs.
    """
    if target.method is Method.CHEQUE:
        raise InvalidRequest("Cheques are laid by their MICR line, which registration alone does not read.")
    reference = _reference(target)
    found = _METHODS[Method(target.method)](page, target, reference)
    poor = found is None or not found.trusted or found.residual_px > target.max_residual_px
    if found is None:
        found = Found(scaling(target.size, (page.width, page.height)), _diagonal(target), oriented=False)
    return Registered(
        page=replace(page, pixels=warp(page.pixels, found.transform, target.size), dpi=_dpi(page, found.transform)),
        transform=found.transform,
        registration=Registration(
            method=(found.method or Method(target.method)).value, residual_px=round(found.residual_px, 2)
        ),
        poor=poor,
        turned_degrees=90 * quarter_turns_of(found.transform, target.size) if found.oriented else None,
        width=page.width,
        height=page.height,
    )


def _reference(target: RegistrationTarget) -> Reference | None:
    if not isinstance(target.reference, Reference):
        return None if target.reference is None else prepare_reference(target.reference, target.size)
    known = target.reference
    return known if known.size == target.size else prepare_reference(known.grey, target.size)


def _dpi(page: Page, transform: Transform) -> float | None:
    """Return the page's resolution where it was left as it came; else the template's counts, not the file's."""
    return page.dpi if np.allclose(transform, np.eye(3)) else None


def _diagonal(target: RegistrationTarget) -> float:
    return float(np.hypot(*target.size))


def _by_frame(page: Page, target: RegistrationTarget, reference: Reference | None) -> Found:
    grey = as_grey(page.pixels)
    return _refined(grey, lay_whole_frame(grey, target.size, reference), reference)


def _by_sheet(page: Page, target: RegistrationTarget, reference: Reference | None) -> Found | None:
    grey = as_grey(page.pixels)
    sheet = find_sheet(page.pixels, target.size)
    if sheet is None:
        found = lay_whole_frame(grey, target.size, reference)
    else:
        found = _on_sheet(grey, sheet, target.size, reference)
    refined = _refined(grey, found, reference)
    if reference is None or (refined.trusted and sheet is not None):
        return refined
    # Where no edges are seen, or the sheet lies otherwise than they say, its print may tell more.
    return _by_features(page, target, reference) or refined


def _on_sheet(grey: _Grey, sheet: Sheet, size: Size, reference: Reference | None) -> Found:
    upright = lay_outline(grey, sheet.corners, size, reference)
    transform = from_corners(size, sheet.corners) if upright is None else upright
    residual = sheet.residual_px / max(scale_of(transform, size), 1e-6)
    told = upright is not None and reference is not None
    return Found(transform, residual, oriented=told, trusted=upright is not None)


def _refined(grey: _Grey, found: Found, reference: Reference | None) -> Found:
    """Return `found` refined against the reference, where there is one and enough of it is seen."""
    if reference is None or not found.oriented:
        return found
    measured = refine(grey, found.transform, reference)
    if measured is None or not measured.trusted or not _is_plausible(grey, measured, reference):
        return found
    return Found(measured.transform, measured.residual_px, oriented=True)


def _is_plausible(grey: _Grey, measured: Measured, reference: Reference) -> bool:
    return is_plausible(measured.transform, reference.size, size_of(grey))


def _by_markers(page: Page, target: RegistrationTarget, reference: Reference | None) -> Found | None:
    if target.markers is None:
        raise InvalidRequest("Registration by markers needs to know where the template's markers are.")
    grey = as_grey(page.pixels)
    answers = find_markers(grey, target.size, target.markers)
    if not answers or answers[0].oriented:
        return answers[0] if answers else None
    return _told_apart(grey, answers, target, reference)


def _told_apart(
    grey: _Grey, answers: Sequence[Found], target: RegistrationTarget, reference: Reference | None
) -> Found:
    """Return the answer that lays the page upright; without a reference, the only one that leaves it as it came."""
    if reference is not None:
        upright = tell_upright(grey, [answer.transform for answer in answers], reference)
        chosen = answers[0 if upright is None else upright]
        return replace(chosen, oriented=upright is not None, trusted=upright is not None)
    as_it_came = [answer for answer in answers if quarter_turns_of(answer.transform, target.size) == 0]
    return as_it_came[0] if as_it_came else replace(answers[0], trusted=False)


def _by_features(page: Page, _target: RegistrationTarget, reference: Reference | None) -> Found | None:
    if reference is None:
        raise InvalidRequest("Registration by features needs a reference picture of the template.")
    measured = register_by_features(page.pixels, reference)
    if measured is None or not measured.trusted:
        return None
    return Found(measured.transform, measured.residual_px, oriented=True, method=Method.FEATURES)


_METHODS: dict[Method, Callable[[Page, RegistrationTarget, Reference | None], Found | None]] = {
    Method.NONE: _by_frame,
    Method.PAGE: _by_sheet,
    Method.MARKERS: _by_markers,
    Method.FEATURES: _by_features,
}
