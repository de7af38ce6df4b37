"""Pages of forms: told by their codes, put in order, and never read as another form's."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import PageUnknown, WrongForm
from core.form_pages import document_notes
from core.settings import Settings
from core.status import Status
from core.types import Page, PageReading, ReviewReason, ToldBy
from examples.drawing import files, filled
from examples.drawing.hand import draw_hand
from forms.kit.drawing import draw_form
from forms.kit.layout import CODE_GAP, CODE_SIDE, MARKERS, Layout
from forms.kit.making import template_of
from forms.templates import Template, fits_print
from segmentation.decoding import DecodeLimits
from storage.records import TemplateRef
from tests.forms.kit.kit import small, typeface
from tests.segmentation.registration.drawn import capture, phone, scanner
from tests.worker.conftest import Submit, drain
from worker.desk import Desk
from worker.form_reading import Form, open_form
from worker.form_sheets import SEVERAL
from worker.pipeline import Reader, ReadRequest

TEXTS = {"first": "40213", "second": "77156"}

Pixels = NDArray[np.uint8]


@cache
def sheets(*, form: str = "slip", version: int = 1, pages: int = 2) -> tuple[Pixels, ...]:
    """Return the pages of a filled in form, flat and straight."""
    layout = small(pages=pages, form=form)
    rng = np.random.default_rng(4)
    writer = filled.by_hand(draw_hand(rng))
    printed = filled.print_pages(draw_form(layout, typeface(), version=version))
    return tuple(
        filled.fill_in(paper, page.blanks, TEXTS, writer=writer, rng=rng)
        for paper, page in zip(printed, layout.pages, strict=True)
    )


def opened(layout: Layout, *, versions: frozenset[int] | None = None) -> Form:
    limits = DecodeLimits.from_settings(Settings())
    return open_form(template_of(layout), reference=None, limits=limits, versions=versions)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load(Settings())


def read(reader: Reader, pixels: Pixels, *, index: int = 0, form: Form | None = None) -> PageReading:
    request = ReadRequest(form=form or opened(small(pages=2)), target_error=0.02)
    return reader.read_pixels(Page(index, pixels), request=request)


def texts(reading: PageReading) -> dict[str, str]:
    return {field.name: field.text for field in reading.fields}


def without_code(paper: Pixels) -> Pixels:
    """Return the page with its code blackened."""
    scale = filled.PIXELS_IN_MM
    right = paper.shape[1] - (MARKERS.margin + MARKERS.side + CODE_GAP) * scale
    blackened = paper.copy()
    top, bottom = round(MARKERS.margin * scale), round((MARKERS.margin + CODE_SIDE) * scale)
    blackened[top:bottom, round(right - CODE_SIDE * scale) : round(right)] = 0
    return blackened


def without_markers(paper: Pixels) -> Pixels:
    """Return the page with its four markers whitened."""
    bare, reach = paper.copy(), round((MARKERS.margin + MARKERS.side + CODE_GAP / 2) * filled.PIXELS_IN_MM)
    for rows in (slice(None, reach), slice(-reach, None)):
        for columns in (slice(None, reach), slice(-reach, None)):
            bare[rows, columns] = 255
    return bare


@pytest.mark.parametrize("how", [scanner(5), phone(6)], ids=["scanner", "phone"])
def test_a_page_says_itself_which_one_it_is(reader: Reader, how: object) -> None:
    paper = filled.bend(sheets()[1], depth_px=4, rng=np.random.default_rng(2))
    reading = read(reader, capture(paper, how)[0], index=0)  # type: ignore[arg-type]
    assert texts(reading) == {"second": TEXTS["second"]}
    assert reading.registration is not None
    form_page = reading.registration.form_page
    assert form_page is not None
    assert (form_page.number, form_page.of, form_page.told_by) == (2, 2, ToldBy.CODE)


def test_a_document_comes_in_the_order_of_the_form_and_names_what_is_missing(reader: Reader) -> None:
    request = ReadRequest(form=opened(small(pages=2)))
    turned = files.pdf([files.as_image(paper) for paper in reversed(sheets())])
    reading = reader.read(turned, request=request)
    assert [page.index for page in reading.pages] == [1, 0]
    assert [texts(page) for page in reading.pages] == [{"first": "40213"}, {"second": "77156"}]
    assert document_notes(reading.pages) == ()
    alone = reader.read(files.encode(files.as_image(sheets()[1]), "PNG"), request=request)
    assert [(str(note.code), note.form_page) for note in document_notes(alone.pages)] == [("page_missing", 1)]


def test_without_its_code_a_page_is_guessed_by_its_position_and_a_person_looks(reader: Reader) -> None:
    reading = read(reader, without_code(sheets()[1]), index=1)
    assert texts(reading) == {"second": TEXTS["second"]}
    assert reading.registration is not None
    assert reading.registration.form_page is not None
    assert reading.registration.form_page.told_by is ToldBy.POSITION
    assert all(ReviewReason.PAGE_GUESSED in field.review_reasons for field in reading.fields)
    assert not any(field.accepted for field in reading.fields)


def test_another_form_is_not_read_as_this_one(reader: Reader) -> None:
    reading = read(reader, sheets(form="another", pages=1)[0])
    assert reading.failure is not None
    assert reading.failure.code == WrongForm.code
    assert "another" in reading.failure.message
    assert reading.fields == ()
    assert read(reader, sheets()[1], form=opened(small(pages=1))).failure is not None


def test_a_page_that_shows_nothing_of_the_form_is_no_page_of_it(reader: Reader) -> None:
    reading = read(reader, np.full((1200, 850, 3), 250, np.uint8))
    assert reading.failure is not None
    assert reading.failure.code == PageUnknown.code


@pytest.mark.parametrize("places", [(0, 1), (0, 0)], ids=["two pages", "one page of two sets"])
@pytest.mark.parametrize("turns", [0, 2])
def test_two_sheets_on_one_scan_are_told_from_none(reader: Reader, places: tuple[int, int], turns: int) -> None:
    scan = np.hstack([sheets()[place] for place in places])
    reading = read(reader, np.ascontiguousarray(np.rot90(scan, turns)))
    assert reading.failure is not None
    assert (reading.failure.code, reading.failure.message) == (PageUnknown.code, SEVERAL)
    assert reading.fields == ()


def test_two_codes_on_a_scan_without_markers_are_several_sheets(reader: Reader) -> None:
    first, second = (without_markers(paper) for paper in sheets())
    reading = read(reader, np.hstack([first, second]))
    assert reading.failure is not None
    assert reading.failure.message == SEVERAL
    alone = read(reader, first)
    assert alone.failure is None
    assert ReviewReason.REGISTRATION_POOR in alone.fields[0].review_reasons


def test_a_marker_that_shows_beside_a_whole_sheet_changes_nothing(reader: Reader) -> None:
    """Three of its own are left."""
    paper = sheets()[0]
    reach = round((MARKERS.margin + MARKERS.side + MARKERS.margin) * filled.PIXELS_IN_MM)
    beside = np.full((paper.shape[0], reach, 3), 255, np.uint8)
    beside[:reach] = paper[:reach, :reach]
    reading = read(reader, np.hstack([paper, beside]))
    assert texts(reading) == {"first": TEXTS["first"]}
    assert reading.fields[0].accepted


def test_a_page_of_another_version_goes_to_a_person(reader: Reader) -> None:
    paper = sheets(version=3)[0]
    outdated = read(reader, paper, form=opened(small(pages=2), versions=frozenset({1, 2})))
    assert all(ReviewReason.FORM_OUTDATED in field.review_reasons for field in outdated.fields)
    for versions in (None, frozenset({2, 3})):
        fitting = read(reader, paper, form=opened(small(pages=2), versions=versions))
        assert not any(ReviewReason.FORM_OUTDATED in field.review_reasons for field in fitting.fields)
        assert texts(fitting) == texts(outdated)
    undated = read(reader, sheets(version=0)[0], form=opened(small(pages=2), versions=frozenset({1})))
    assert not any(ReviewReason.FORM_OUTDATED in field.review_reasons for field in undated.fields)


def test_a_version_fits_while_its_boxes_stand_where_they_stood() -> None:
    template = template_of(small(pages=2))
    fields = template.as_json()["fields"]
    ruled = Template.model_validate({**template.as_json(), "fields": [{**each, "required": False} for each in fields]})
    assert fits_print(ruled, template)
    assert not fits_print(template_of(small(pages=2, length=6)), template)
    fewer = Template.model_validate({**template.as_json(), "pages": 1, "fields": fields[:1]})
    assert not fits_print(fewer, template)


def test_a_version_that_came_while_a_worker_runs_is_known_to_it(desk: Desk) -> None:
    template = template_of(small(pages=2)).as_json()
    ruled = [{**field, "required": False} for field in template["fields"]]
    elsewhere = template_of(small(pages=2, length=6)).as_json()
    first = TemplateRef("slip", desk.store.templates.put("slip", template).version)
    assert desk.form_of(first).versions == {1}
    desk.store.templates.put("slip", {**template, "fields": ruled})
    desk.store.templates.put("slip", elsewhere)
    assert desk.form_of(first).versions == {1, 2}
    assert desk.form_of(TemplateRef("slip", 3)).versions == {3}
    assert desk.form_of(first).target is desk.form_of(first).target, "features are found once"


def test_a_form_of_pages_without_codes_goes_by_their_order(reader: Reader) -> None:
    body = template_of(small(pages=2)).as_json()
    del body["registration"]["code"]
    form = open_form(Template.model_validate(body), reference=None, limits=DecodeLimits.from_settings(Settings()))
    second = read(reader, without_code(sheets()[1]), index=1, form=form)
    assert texts(second) == {"second": TEXTS["second"]}
    assert second.registration is not None
    assert second.registration.form_page is not None
    assert second.registration.form_page.told_by is ToldBy.POSITION
    assert not any(ReviewReason.PAGE_GUESSED in field.review_reasons for field in second.fields)


def test_workers_read_the_pages_apart_and_the_document_comes_in_order(desk: Desk, submit: Submit) -> None:
    template = template_of(small(pages=2))
    desk.store.templates.put("slip", template.as_json())
    # A change of the rules alone: pages that were printed as version 1 still fit.
    ruled = [{**field, "required": False} for field in template.as_json()["fields"]]
    desk.store.templates.put("slip", {**template.as_json(), "fields": ruled})
    pages = [sheets()[1], sheets()[0], sheets()[1]]
    document = submit(files.pdf([files.as_image(each) for each in pages]), type_name=None, template="slip")
    desk.read_document(document.id)
    for index in (2, 0, 1):
        desk.read_page(document.id, index)
    after = desk.store.documents.get(document.id, owner="me")
    assert after.status is Status.DONE
    assert after.template == ("slip", 2)
    assert [page.index for page in after.pages] == [1, 0, 2]
    assert [texts(page) for page in after.pages] == [{"first": "40213"}, {"second": "77156"}, {"second": "77156"}]
    reasons = {reason for page in after.pages for field in page.fields for reason in field.review_reasons}
    assert ReviewReason.FORM_OUTDATED not in reasons
    assert [(str(note.code), note.form_page) for note in document_notes(after.pages)] == [("page_doubled", 2)]
    drain(desk.dispatcher)
