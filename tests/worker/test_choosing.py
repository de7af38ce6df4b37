"""`template=auto`: the template that a page shows, by code, marks, print or MICR line; none where none fits."""

import hashlib
import io
import time
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.errors import UnknownTemplate
from core.settings import Settings
from core.status import Status
from core.types import Page, ReviewReason, TemplateUse
from forms.builtins import builtin_template
from forms.templates import Template, parse_template
from segmentation.decoding import DecodeLimits
from segmentation.registration.codes import FormCode
from tests import factories
from tests.model.micr import cheques
from tests.segmentation.registration import drawn
from tests.worker.conftest import Submit
from worker.choosing import Chooser, Known
from worker.desk import Desk
from worker.form_reading import open_form
from worker.micr import MicrReader
from worker.pipeline import Reader, ReadRequest

Grey = NDArray[np.uint8]
SIZE = (827, 1170)
"""A4 at 100 dpi: forms are told apart at that."""

BOX = {"x": 300, "y": 600, "width": 300, "height": 70}


def form(seed: int) -> Grey:
    return np.asarray(cv2.resize(drawn.draw_form(seed), SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def png(picture: Grey) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def template(name: str, **registration: object) -> Template:
    field = {"name": "number", "type": "digits", "box": BOX, "required": False}
    size = {"width": SIZE[0], "height": SIZE[1]}
    return parse_template({"name": name, "page": size, "registration": registration, "fields": [field]})


def by_print(name: str, reference: Grey) -> tuple[Template, bytes]:
    data = png(reference)
    return template(name, method="features", reference=hashlib.sha256(data).hexdigest()), data


class Listed:
    """A catalogue of templates in memory."""

    def __init__(self, entries: Sequence[tuple[Template, bytes | None]]) -> None:
        limits = DecodeLimits.from_settings(Settings())
        forms = [open_form(each, reference=reference, limits=limits) for each, reference in entries]
        self._known = [
            Known.of(TemplateUse(each.template.name, 1), each, lambda each=each: each)  # type: ignore[misc]
            for each in forms
        ]

    def known(self) -> Sequence[Known]:
        """Return all of them."""
        return self._known

    def printed(self, code: FormCode) -> Known | None:
        """Return the one of the code's name."""
        return next((each for each in self._known if each.use.name == code.name), None)


def choose(entries: Sequence[tuple[Template, bytes | None]], picture: Grey) -> str | None:
    chosen = Chooser(Listed(entries))(Page(0, picture), MicrReader.load)
    return None if chosen is None else chosen.use.name


@pytest.fixture(scope="module")
def several() -> Sequence[tuple[Template, bytes]]:
    """Templates of forms that share their words and their kinds of boxes."""
    return [by_print(f"form-{seed}", form(seed)) for seed in range(10)]


@pytest.mark.parametrize("seed", [0, 9])
@pytest.mark.parametrize("turns", [0, 3])
def test_a_filled_form_is_known_by_its_print(seed: int, turns: int, several: Sequence[tuple[Template, bytes]]) -> None:
    filled = drawn.fill_in(drawn.draw_form(seed), seed=seed)
    how = replace(drawn.scanner(seed), quarter_turns=turns, scale=0.6)
    assert choose(several, drawn.capture(filled, how)[0]) == f"form-{seed}"


def test_a_photographed_form_is_known_too(several: Sequence[tuple[Template, bytes]]) -> None:
    filled = drawn.fill_in(drawn.draw_form(4), seed=1)
    how = drawn.Capture(skew_degrees=6, scale=0.6, perspective=0.02, table=True, shadow=0.3, seed=4)
    assert choose(several, drawn.capture(filled, how)[0]) == "form-4"


@pytest.mark.parametrize("seed", [30, 31, 32])
def test_a_form_that_nobody_registered_is_not_taken_for_another(
    seed: int, several: Sequence[tuple[Template, bytes]]
) -> None:
    assert choose(several, form(seed)) is None


def test_of_two_templates_with_one_print_none_is_guessed() -> None:
    assert choose([by_print("one", form(1)), by_print("two", form(1))], form(1)) is None
    assert choose([by_print("one", form(1)), by_print("other", form(2))], form(1)) == "one"


def test_a_code_counts_more_than_print() -> None:
    coded = drawn.with_code(drawn.draw_form(1), "tallyscan:two:1:1")
    entries = [by_print("one", form(1)), by_print("two", form(2))]
    assert choose(entries, coded) == "two"


def test_a_code_of_no_template_here_says_nothing() -> None:
    coded = drawn.with_code(drawn.draw_form(1), "tallyscan:elsewhere:1:1")
    assert choose([by_print("one", form(1))], coded) == "one"


def test_marks_tell_forms_apart_by_where_they_are() -> None:
    marked, _ = drawn.with_markers(drawn.draw_form(3))
    across = SIZE[0] / drawn.A4[0]
    near = template("near", method="markers", markers={"side": 96 * across, "margin": 70 * across})
    far = template("far", method="markers", markers={"side": 60 * across, "margin": 160 * across})
    assert choose([(far, None), (near, None)], marked) == "near"
    assert choose([(near, None), (near.model_copy(update={"name": "twin"}), None)], marked) is None


def test_a_template_without_print_or_marks_is_never_chosen() -> None:
    assert choose([(template("plain", method="none"), None)], form(1)) is None


def test_ten_templates_cost_a_fraction_of_a_second(several: Sequence[tuple[Template, bytes]]) -> None:
    chooser, page = Chooser(Listed(several)), Page(0, form(7))
    chooser(page, MicrReader.load)  # features of references are found once
    started = time.process_time()
    assert chooser(page, MicrReader.load) is not None
    # 0.15 s on an idle core; four times that where others share it.
    assert time.process_time() - started < 0.6


def us_cheque() -> Grey:
    text = cheques.US.format(routing="322271779", account="4192580", cheque_number="1005")
    return cheques.cheque(text, width=1500).pixels


def cts_cheque() -> Grey:
    text = cheques.CTS.format(cheque_number="083654", routing="500025033", account="290062", transaction_code="31")
    return cheques.cheque(text, width=1800).pixels


@pytest.mark.parametrize(
    ("picture", "turns", "name"),
    [
        (us_cheque(), 0, "cheque-us"),
        (us_cheque(), 2, "cheque-us"),
        (cts_cheque(), 0, "cheque-cts2010"),
        (cts_cheque(), 1, "cheque"),
    ],
)
def test_cheques_are_known_by_their_micr_line(picture: Grey, turns: int, name: str, desk: Desk) -> None:
    turned = np.ascontiguousarray(np.rot90(picture, turns))
    chosen = desk.choose(Page(0, turned), MicrReader.load)
    assert chosen is not None
    # It is stored when it is first chosen, so that the document can name its version.
    assert chosen.use == TemplateUse(name, 1)
    assert desk.store.templates.get(name).version == 1


def stored(desk: Desk, name: str, reference: Grey) -> None:
    body, data = by_print(name, reference)
    desk.blobs.put(data)
    desk.store.templates.put(name, body.as_json())


def test_a_document_names_the_template_that_was_chosen(desk: Desk, submit: Submit) -> None:
    stored(desk, "meter", form(1))
    document = submit(png(form(1)), type_name=None, template="auto")
    assert document.template == ("auto", None)
    desk.read_document(document.id)
    after = desk.store.documents.get(document.id, owner="me")
    assert (after.status, after.template) == (Status.DONE, ("meter", 1))
    registration = after.pages[0].registration
    assert registration is not None
    assert registration.template == TemplateUse("meter", 1)
    assert after.steps[0].settings == {"template": "auto"}


def test_a_long_document_names_every_network_that_read_a_page(desk: Desk, submit: Submit) -> None:
    stored(desk, "meter", form(1))
    desk.store.templates.put("cheque-cts2010", builtin_template("cheque-cts2010").as_json())
    pages = [cv2.cvtColor(page, cv2.COLOR_GRAY2BGR) for page in (cts_cheque(), form(1))]
    found, data = cv2.imencodemulti(".tiff", pages)
    assert found
    document = submit(data.tobytes(), type_name=None, template="auto")
    desk.read_document(document.id)
    for index in (1, 0):
        desk.read_page(document.id, index)
    after = desk.store.documents.get(document.id, owner="me")
    assert (after.status, after.pages_done) == (Status.DONE, 2)
    assert [step.name for step in after.steps] == ["locate", "normalise", *["recognise"] * 3, "judge"]
    assert [step.settings["model"] for step in after.steps[2:5]] == ["digits", "printed", "micr"]
    whole = desk.readers().read(data.tobytes(), request=ReadRequest(choose=desk.choose))
    assert whole.steps == after.steps


def test_a_change_and_a_removal_count_at_once(desk: Desk, submit: Submit) -> None:
    def read() -> tuple[str, int | None] | None:
        document = submit(png(form(1)), type_name=None, template="auto")
        desk.read_document(document.id)
        return desk.store.documents.get(document.id, owner="me").template

    assert read() == ("auto", None)
    stored(desk, "meter", form(1))
    assert read() == ("meter", 1)
    changed = by_print("meter", form(1))[0].model_copy(update={"description": "Another."})
    desk.store.templates.put("meter", changed.as_json())
    assert read() == ("meter", 2)
    desk.store.templates.remove("meter")
    assert read() == ("auto", None)


def test_a_template_whose_reference_is_gone_keeps_nobody_from_the_others(desk: Desk) -> None:
    body, _ = by_print("broken", form(2))
    desk.store.templates.put("broken", body.as_json())
    stored(desk, "meter", form(1))
    chosen = desk.choose(Page(0, form(1)), MicrReader.load)
    assert chosen is not None
    assert chosen.use.name == "meter"


def test_pages_of_several_forms_name_each_its_own(desk: Desk, submit: Submit) -> None:
    stored(desk, "first", form(1))
    stored(desk, "second", form(2))
    stream, pages = io.BytesIO(), [Image.fromarray(form(seed)) for seed in (1, 2)]
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    document = submit(stream.getvalue(), type_name=None, template="auto")
    desk.read_document(document.id)
    for index in range(2):
        desk.read_page(document.id, index)
    after = desk.store.documents.get(document.id, owner="me")
    assert (after.status, after.template) == (Status.DONE, ("auto", None))
    names = [
        page.registration.template.name for page in after.pages if page.registration and page.registration.template
    ]
    assert names == ["first", "second"]


def test_a_long_document_of_one_form_names_it(desk: Desk, submit: Submit) -> None:
    stored(desk, "first", form(1))
    stream, pages = io.BytesIO(), [Image.fromarray(form(1))] * 2
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    document = submit(stream.getvalue(), type_name=None, template="auto")
    desk.read_document(document.id)
    for index in range(2):
        desk.read_page(document.id, index)
    assert desk.store.documents.get(document.id, owner="me").template == ("first", 1)


def test_a_page_that_no_template_fits_is_read_and_nothing_accepted() -> None:
    reader, chooser = Reader.load(Settings()), Chooser(Listed([]))
    drawn_page = factories.form_page(["4711", "90210"])
    page = reader.read_pixels(Page(0, drawn_page.image), request=ReadRequest(choose=chooser))
    assert "90210" in {field.text for field in page.fields}
    assert all(ReviewReason.TEMPLATE_UNKNOWN in field.review_reasons and not field.accepted for field in page.fields)


def test_a_page_without_template_and_numbers_is_not_passed_over() -> None:
    reader, chooser = Reader.load(Settings()), Chooser(Listed([]))
    page = reader.read_pixels(factories.blank_page(), request=ReadRequest(choose=chooser))
    (field,) = page.fields
    assert (field.name, field.text) == ("page", "")
    assert field.review_reasons == (ReviewReason.EMPTY, ReviewReason.TEMPLATE_UNKNOWN)


def test_auto_is_no_template_of_its_own(desk: Desk) -> None:
    with pytest.raises(UnknownTemplate):
        desk.store.templates.get("auto")
