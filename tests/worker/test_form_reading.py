"""Whole pages by a template: drawn forms, a real queue's document, and real cheques."""

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import InvalidRequest
from core.settings import Settings
from core.status import Status
from core.types import Box, Page, PageReading, ReviewReason
from forms.builtins import builtin_template
from forms.templates import Template, parse_template
from segmentation.decoding import DecodeLimits
from tests import factories
from tests.model.micr import cheques
from tests.worker.conftest import Submit
from worker.desk import Desk
from worker.form_reading import open_form
from worker.pipeline import Reader, ReadRequest

PLACES = {"id": Box(60, 80, 320, 90), "total": Box(500, 300, 320, 90)}
TEXTS = {"id": "42020", "total": "7531"}
SIZE = (900, 450)

Grey = NDArray[np.uint8]
Read = Callable[[Grey, Template], PageReading]


def template(**changes: object) -> Template:
    fields = [
        {"name": name, "type": "digits", "box": {"x": b.x, "y": b.y, "width": b.width, "height": b.height}}
        for name, b in PLACES.items()
    ]
    body = {"name": "slip", "page": {"width": SIZE[0], "height": SIZE[1]}, "fields": fields}
    return parse_template({**body, **changes})


def slip(texts: dict[str, str] = TEXTS) -> Grey:
    """Return a filled form; each number fills the middle of its box."""
    page = np.full((SIZE[1], SIZE[0]), 245, np.uint8)
    for name, text in texts.items():
        drawn = factories.field(text, seed=3).image
        grey = drawn if drawn.ndim == 2 else cv2.cvtColor(drawn, cv2.COLOR_BGR2GRAY)
        box = PLACES[name]
        scale = min((box.width - 8) / grey.shape[1], (box.height - 8) / grey.shape[0])
        small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height, width = small.shape
        page[box.y + 4 : box.y + 4 + height, box.x + 4 : box.x + 4 + width] = small
    return page


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load(Settings())


@pytest.fixture(scope="module")
def read(reader: Reader) -> Read:
    def by_template(pixels: Grey, wanted: Template) -> PageReading:
        form = open_form(wanted, reference=None, limits=DecodeLimits.from_settings(Settings()))
        return reader.read_pixels(Page(0, pixels), request=ReadRequest(form=form))

    return by_template


def inside(box: Box, outer: Box) -> bool:
    return (
        outer.x - 2 <= box.x
        and outer.y - 2 <= box.y
        and box.right <= outer.right + 2
        and box.bottom <= outer.bottom + 2
    )


@pytest.mark.parametrize("scale", [1.0, 1.6])
def test_each_field_is_read_where_the_template_has_it(read: Read, scale: float) -> None:
    page = np.asarray(cv2.resize(slip(), None, fx=scale, fy=scale), np.uint8)
    reading = read(page, template())
    assert {field.name: field.text for field in reading.fields} == TEXTS
    assert reading.registration is not None
    assert reading.registration.method == "none"
    assert (reading.width, reading.height) == (page.shape[1], page.shape[0])
    for field in reading.fields:
        place = PLACES[field.name]
        stretched = Box(*(round(scale * side) for side in (place.x, place.y, place.width, place.height)))
        assert inside(field.box, stretched)
        assert all(inside(digit.box, stretched) for digit in field.digits)


def test_what_a_field_may_hold_is_asked_of_its_own_type(read: Read) -> None:
    fields = [{**field, "type": {"name": "digits", "length": 4}} for field in template().as_json()["fields"]]
    reading = read(slip(), template(fields=fields))
    assert all(len(field.text) in {0, 4} for field in reading.fields)
    assert next(field.text for field in reading.fields if field.name == "total") == TEXTS["total"]


def test_a_check_between_fields_sends_them_to_a_person(read: Read) -> None:
    equal = template(checks=[{"kind": "equal", "fields": ["id", "total"]}])
    assert all(ReviewReason.CHECK_FAILED in field.review_reasons for field in read(slip(), equal).fields)
    same = {"id": "7531", "total": "7531"}
    assert not any(ReviewReason.CHECK_FAILED in field.review_reasons for field in read(slip(same), equal).fields)


def test_a_page_that_does_not_fit_vouches_for_nothing(read: Read) -> None:
    marked = template(registration={"method": "markers", "markers": {"side": 30, "margin": 10}})
    reading = read(slip(), marked)
    assert reading.registration is not None
    assert reading.fields
    assert not any(field.accepted for field in reading.fields)
    assert all(ReviewReason.REGISTRATION_POOR in field.review_reasons for field in reading.fields)


def test_a_band_of_e13b_is_read_as_its_parts(read: Read) -> None:
    parts = {"cheque_number": "083654", "routing": "500025033", "account": "290062", "transaction_code": "31"}
    page = cheques.cheque(cheques.CTS.format(**parts), width=2386, seed=4)
    found = {field.name: field for field in read(page.pixels, builtin_template("cheque-cts2010")).fields}
    assert {name: found[f"micr_{name}"].text for name in parts} == parts
    assert all(found[f"micr_{name}"].accepted for name in parts)
    assert ReviewReason.EMPTY in found["account_number"].review_reasons


def test_fields_that_differ_from_the_callers_micr_line_go_to_a_person(reader: Reader) -> None:
    parts = {"cheque_number": "083654", "routing": "500025033", "account": "290062", "transaction_code": "31"}
    page = cheques.cheque(cheques.CTS.format(**parts), width=2386, seed=4)
    limits = DecodeLimits.from_settings(Settings())
    form = open_form(builtin_template("cheque-cts2010"), reference=None, limits=limits)
    expected = cheques.CTS.format(**{**parts, "account": "290063"})
    for line, wrong in ((expected, {"micr_account"}), (cheques.CTS.format(**parts), set())):
        read = reader.read_pixels(page, request=ReadRequest(form=form, expected_micr=line))
        flagged = {field.name for field in read.fields if ReviewReason.CHECK_FAILED in field.review_reasons}
        assert flagged == wrong
        assert {field.name for field in read.fields if field.name in wrong and field.accepted} == set()
        assert {field.name: field.text for field in read.fields}["micr_account"] == "290062"


def test_a_worker_compares_with_the_line_that_was_sent_along(desk: Desk, submit: Submit) -> None:
    desk.store.templates.put("cheque-cts2010", builtin_template("cheque-cts2010").as_json())
    parts = {"cheque_number": "083654", "routing": "500025033", "account": "290062", "transaction_code": "31"}
    page = cheques.cheque(cheques.CTS.format(**parts), width=1800, seed=4)
    data = cv2.imencode(".png", page.pixels)[1].tobytes()
    line = cheques.CTS.format(**{**parts, "cheque_number": "083655"})
    document = submit(data, type_name=None, template="cheque-cts2010", expected_micr=line)
    desk.read_document(document.id)
    after = desk.store.documents.get(document.id, owner="me")
    reasons = {field.name: field.review_reasons for field in after.pages[0].fields}
    assert after.expected_micr == line
    assert ReviewReason.CHECK_FAILED in reasons["micr_cheque_number"]
    assert ReviewReason.CHECK_FAILED not in reasons["micr_routing"]
    models = [step.settings["model"] for step in after.steps if step.name == "recognise"]
    assert models == ["digits", "printed", "micr"]


def test_a_form_by_features_needs_its_reference() -> None:
    featured = template(registration={"method": "features", "reference": "0" * 64})
    form = open_form(featured, reference=None, limits=DecodeLimits.from_settings(Settings()))
    with pytest.raises(InvalidRequest, match="reference"):
        form.lay(Page(0, slip()))


def test_a_worker_reads_a_document_by_the_stored_version_of_its_template(desk: Desk, submit: Submit) -> None:
    desk.store.templates.put("slip", template().as_json())
    data = cv2.imencode(".png", slip())[1].tobytes()
    document = submit(data, type_name=None, template="slip")
    # A later version must not touch a document that is pinned to this one.
    moved = [{**field, "box": {"x": 1, "y": 1, "width": 9, "height": 9}} for field in template().as_json()["fields"]]
    desk.store.templates.put("slip", template(fields=moved).as_json())
    desk.read_document(document.id)
    after = desk.store.documents.get(document.id, owner="me")
    assert after.status is Status.DONE
    assert after.template == ("slip", 1)
    assert {field.name: field.text for field in after.pages[0].fields} == TEXTS


def test_real_cheques_are_read_by_the_built_in_template(read: Read, shared_data: Path) -> None:
    home = shared_data / "idrbt_cheques"
    with (home / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["file"])
    columns = {
        "date": "date_ddmmyyyy",
        "amount": "amount_digits",
        "micr_cheque_number": "micr_cheque_no",
        "micr_routing": "micr_city_bank_branch",
    }
    right = dict.fromkeys(columns, 0)
    for row in rows[:12]:
        pixels = np.asarray(cv2.imread(str(home / "images" / row["file"])), np.uint8)
        for field in read(pixels, builtin_template("cheque-cts2010")).fields:
            if field.name in columns:
                right[field.name] += field.text == row[columns[field.name]]
                assert field.text == row[columns[field.name]] or not field.accepted
    assert right["micr_cheque_number"] == right["micr_routing"] == 12
    assert right["date"] >= 11
    assert right["amount"] >= 9


@pytest.mark.parametrize("method", [{"method": "page"}, {"method": "cheque"}, {"method": "none", "code": True}])
@pytest.mark.parametrize("size", [(1, 1), (900, 1), (1, 2400), (5000, 3)])
def test_a_sliver_of_a_page_is_no_form_and_breaks_nothing(size: tuple[int, int], method: dict[str, object]) -> None:
    width, height = size
    pages = [slip(), np.full((height, width), 240, np.uint8), slip()]
    found, data = cv2.imencodemulti(".tiff", pages)
    assert found
    form = open_form(template(registration=method), reference=None, limits=DecodeLimits.from_settings(Settings()))
    read = Reader.load(Settings()).read(data.tobytes(), request=ReadRequest(form=form))
    codes = [page.failure and page.failure.code for page in read.pages]
    assert (codes[0], codes[2]) == (None, None)
    assert codes[1] in {None, "page_unknown"}
    assert not any(field.accepted for field in read.pages[1].fields)


def test_a_page_on_which_something_unforeseen_happens_fails_alone() -> None:
    class Stumbling(Reader):
        """A reader for which the second page is too much."""

        def _read_fields(self, page: Page, request: ReadRequest) -> PageReading:
            if page.index == 1:
                raise ZeroDivisionError
            return super()._read_fields(page, request)

    reader = Stumbling(Reader.load(Settings())._networks, Settings())
    read = reader.read(factories.tiff_bytes(["42", "17", "305"], seed=1), request=ReadRequest("digits"))
    assert [page.failure and page.failure.code for page in read.pages] == [None, "internal_error", None]
    assert read.pages[2].fields[0].text == "305"


def test_a_field_that_may_be_empty_is_not_when_something_else_stands_there() -> None:
    optional = template()
    fields = [field.model_copy(update={"required": False}) for field in optional.fields]
    optional = optional.model_copy(update={"fields": tuple(fields)})
    form = open_form(optional, reference=None, limits=DecodeLimits.from_settings(Settings()))
    reader = Reader.load(Settings())

    def read(page: Grey) -> dict[str, tuple[str, bool, tuple[ReviewReason, ...]]]:
        fields = reader.read_pixels(Page(0, page), request=ReadRequest(form=form)).fields
        return {field.name: (field.text, field.accepted, field.review_reasons) for field in fields}

    assert read(slip({}))["id"] == ("", True, ())
    crossed = slip({})
    box = PLACES["id"]
    cv2.line(crossed, (box.x + 10, box.y + 8), (box.right - 10, box.bottom - 8), 40, 4)
    cv2.line(crossed, (box.right - 10, box.y + 8), (box.x + 10, box.bottom - 8), 40, 4)
    text, accepted, reasons = read(crossed)["id"]
    assert not accepted, text
    assert ReviewReason.NOT_DIGITS in reasons
