"""Pages of forms within a document: their order, and what is missing or doubled."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.form_code import FormCode, parse_code
from core.form_pages import document_notes, in_form_order
from core.rows import document_rows
from core.types import Box, Failure, FieldReading, FormPage, PageReading, Phase, Registration, ToldBy


def page(index: int, number: int | None, *, of: int = 2, form: str = "slip") -> PageReading:
    """Return a page of a document that is page `number` of a form; None for one that could not be read."""
    if number is None:
        failure = Failure("unreadable_image", Phase.DECODE, "The file is cut short.", retryable=False)
        return PageReading(index=index, width=0, height=0, failure=failure)
    told = FormPage(form, number, of=of, told_by=ToldBy.CODE)
    return PageReading(index=index, width=10, height=10, registration=Registration("markers", 0.2, told))


def document(numbers: list[int | None], *, of: int = 2) -> list[PageReading]:
    return [page(index, number, of=of) for index, number in enumerate(numbers)]


def notes(numbers: list[int | None], *, of: int = 2) -> list[tuple[str, int, tuple[int, ...]]]:
    return [(str(note.code), note.form_page, note.pages) for note in document_notes(document(numbers, of=of))]


@pytest.mark.parametrize(
    ("numbers", "order"),
    [
        ([2, 1], [1, 0]),
        ([3, 1, 2], [1, 2, 0]),
        ([2, 1, 1, 2], [1, 0, 2, 3]),
        ([2, None, 1], [2, 0, 1]),
        ([None, 2, 1], [0, 2, 1]),
        ([None, None], [0, 1]),
    ],
)
def test_pages_come_set_by_set_in_the_order_of_the_form(numbers: list[int | None], order: list[int]) -> None:
    assert [each.index for each in in_form_order(document(numbers, of=3))] == order


def test_pages_of_no_form_stay_as_they_came_and_want_nothing() -> None:
    pages = [PageReading(index=index, width=1, height=1) for index in range(3)]
    assert in_form_order(pages) == tuple(pages)
    assert document_notes(pages) == ()


@pytest.mark.parametrize("numbers", [[1, 2], [2, 1], [1, 2, 1, 2], [2, 1, 2, 1, 2, 1]])
def test_complete_sets_are_not_remarked_on(numbers: list[int | None]) -> None:
    assert notes(numbers) == []


def test_a_missing_page_is_named() -> None:
    assert notes([1]) == [("page_missing", 2, (0,))]
    assert notes([1, None]) == [("page_missing", 2, (0,))]
    assert notes([3, 1], of=3) == [("page_missing", 2, (0, 1))]


def test_a_doubled_page_is_named() -> None:
    assert notes([1, 1, 2]) == [("page_doubled", 1, (0, 1))]
    assert notes([1, 2, 1]) == [("page_doubled", 1, (0, 2))]
    assert notes([1, 1]) == [("page_missing", 2, (0, 1)), ("page_doubled", 1, (0, 1))]


def test_in_a_stack_the_set_that_lacks_a_page_is_named() -> None:
    assert notes([1, 2, 1, 1, 2]) == [("page_missing", 2, (2,))]
    (note,) = document_notes(document([1, 2, 1, 1, 2]))
    assert "set 2 of 3" in note.message
    assert "page 3 of the document" in note.message


@pytest.mark.parametrize(
    ("numbers", "of", "first", "indexes"),
    [
        ([2, 1, 1, 2], 2, 1, (2, 3)),
        ([1, 2, 2, 1, 1, 2], 2, 2, (2, 3)),
        ([2, 3, 1, 2, 3, 1], 3, 2, (0, 1, 2)),
        ([1, 2, 3, 1, 3, 2], 3, 1, (3, 4, 5)),
    ],
)
def test_sets_that_run_in_different_orders_may_be_mixed(
    numbers: list[int | None], of: int, first: int, indexes: tuple[int, ...]
) -> None:
    assert notes(numbers, of=of) == [("page_doubled", first, indexes)]
    (note,) = document_notes(document(numbers, of=of))
    assert f"begins on page {indexes[0] + 1} of the document" in note.message
    assert "different page orders" in note.message


@pytest.mark.parametrize("numbers", [[1, 2, 3, 1, 2, 3], [3, 2, 1, 3, 2, 1], [3, 1, 2], [1, 1, 1]])
def test_one_set_or_sets_in_one_order_are_not_mixed(numbers: list[int | None]) -> None:
    assert not any("orders" in note.message for note in document_notes(document(numbers, of=3)))


def filled(index: int, number: int, *texts: str, of: int = 2) -> PageReading:
    """Return a page with these fields."""
    box = Box(0, 0, 9, 9)
    fields = tuple(
        FieldReading(f"field{place}", "digits", box, text, text, 0.99, accepted=True)
        for place, text in enumerate(texts)
    )
    return replace(page(index, number, of=of), fields=fields)


def test_a_page_that_came_twice_in_place_of_anothers_is_named() -> None:
    pages = [
        filled(0, 1, "402135", "77"),
        filled(1, 2, "88", "1250"),
        filled(2, 1, "998877", "12"),
        filled(3, 2, "88", "1250"),
    ]
    (note,) = document_notes(pages)
    assert (str(note.code), note.form_page, note.pages) == ("page_doubled", 2, (1, 3))
    assert "pages 2 and 4 of the document" in note.message
    assert document_notes([*pages[:3], filled(3, 2, "88", "1251")]) == ()


def test_a_form_of_one_page_that_was_fed_twice_is_named() -> None:
    pages = [filled(0, 1, "40213", of=1), filled(1, 1, "77156", of=1), filled(2, 1, "40213", of=1)]
    assert [(str(note.code), note.pages) for note in document_notes(pages)] == [("page_doubled", (0, 2))]


@pytest.mark.parametrize("texts", [("7", "12"), ("", ""), ()])
def test_a_few_digits_may_be_alike_on_two_sheets(texts: tuple[str, ...]) -> None:
    pages = [filled(0, 1, "402135"), filled(1, 2, *texts), filled(2, 1, "998877"), filled(3, 2, *texts)]
    assert document_notes(pages) == ()


def test_forms_of_several_kinds_are_counted_apart() -> None:
    pages = [page(0, 2), page(1, 1), page(2, 1, of=1, form="card"), page(3, 1, of=1, form="card"), page(4, 1)]
    assert [each.index for each in in_form_order(pages)] == [1, 0, 2, 3, 4]
    assert [(str(note.code), note.form_page, note.pages) for note in document_notes(pages)] == [
        ("page_doubled", 1, (1, 4))
    ]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12))
def test_every_page_is_kept_and_an_incomplete_document_never_passes_for_a_whole_one(numbers: list[int]) -> None:
    pages = document(list(numbers), of=4)
    assert sorted(each.index for each in in_form_order(pages)) == list(range(len(numbers)))
    equally_often = len({numbers.count(number) for number in range(1, 5)}) == 1
    assert document_notes(pages) or equally_often


def test_a_note_is_a_row_of_the_table() -> None:
    rows = list(document_rows("a.pdf", pages=document([2]), failure=None))
    assert rows[-1] == ("a.pdf", "", "", "page", "1", "", "", "false", "page_missing")


def test_codes_are_said_and_understood() -> None:
    code = FormCode("water-meter", 3, 2)
    assert code.text == "tallyscan:water-meter:3:2"
    assert parse_code(code.text) == code
    assert parse_code("tallyscan:water-meter:3") is None
