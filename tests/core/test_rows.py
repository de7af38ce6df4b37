"""Readings as table rows: one row a field, and a row for everything that has none."""

import csv
import io

import pytest

from core.rows import COLUMNS, csv_lines, document_rows
from core.types import Box, Failure, FieldReading, PageReading, Phase, ReviewReason

BOX = Box(1, 2, 3, 4)
BROKEN = Failure(code="unreadable_image", phase=Phase.DECODE, message="The file is cut short.", retryable=False)


def field(name: str, text: str, **changes: object) -> FieldReading:
    values: dict[str, object] = {"value": text, "confidence": 0.9, "accepted": True, **changes}
    return FieldReading(name=name, type="digits", box=BOX, text=text, **values)  # type: ignore[arg-type]


def test_a_field_becomes_a_row_in_the_order_of_the_columns() -> None:
    page = PageReading(index=0, width=10, height=10, fields=(field("page", "0420", confidence=0.99800004),))
    rows = list(document_rows("a.png", pages=[page], failure=None))
    assert [dict(zip(COLUMNS, row, strict=True)) for row in rows] == [
        {
            "file": "a.png",
            "page": "1",
            "field": "page",
            "type": "digits",
            "text": "0420",
            "value": "0420",
            "confidence": "0.998000",
            "accepted": "true",
            "review_reasons": "",
        }
    ]


def test_a_doubtful_field_names_every_reason() -> None:
    reasons = (ReviewReason.LOW_CONFIDENCE, ReviewReason.INVALID_FORMAT)
    doubtful = field("f", "1", value=None, accepted=False, review_reasons=reasons)
    (row,) = document_rows("a.png", pages=[PageReading(index=2, width=1, height=1, fields=(doubtful,))], failure=None)
    assert row[1] == "3"
    assert row[5] == ""
    assert row[7:] == ("false", "low_confidence;invalid_format")


def test_no_file_is_missing_from_the_rows() -> None:
    pages = [PageReading(index=0, width=1, height=1), PageReading(index=1, width=0, height=0, failure=BROKEN)]
    assert [row[1:2] + row[-1:] for row in document_rows("a.pdf", pages=pages, failure=None)] == [
        ("1", "empty"),
        ("2", "unreadable_image"),
    ]
    (failed,) = document_rows("b.pdf", pages=[], failure=BROKEN)
    assert failed[:2] + failed[-2:] == ("b.pdf", "", "false", "unreadable_image")


def test_csv_survives_commas_quotes_and_line_breaks_in_names() -> None:
    name = 'scan, "second"\nhalf.png'
    text = "".join(csv_lines(document_rows(name, pages=[], failure=BROKEN)))
    assert text.endswith("\r\n")
    assert next(csv.reader(io.StringIO(text, newline="")))[0] == name


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_spreadsheet_takes_a_name_for_a_formula(name: str) -> None:
    text = "".join(csv_lines(document_rows(name, pages=[], failure=BROKEN)))
    (row,) = csv.reader(io.StringIO(text, newline=""))
    assert row == [f"'{name}", *next(document_rows(name, pages=[], failure=BROKEN))[1:]]


def test_other_names_and_cells_stay_as_they_are() -> None:
    rows = [("a=b.png", "1", "-f"), ("'=a.png", "", ""), ("", "", "")]
    assert list(csv.reader(io.StringIO("".join(csv_lines(rows))))) == [list(row) for row in rows]
