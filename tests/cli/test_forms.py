"""`tallyscan forms make`: from a page of YAML to paper and a template, and back from paper to a table."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from core.settings import Settings
from core.types import Page
from examples.drawing import files, filled
from examples.drawing.hand import draw_hand
from forms.kit.layout import lay_out
from forms.kit.spec_file import load_spec
from forms.kit.typeface import open_typeface
from forms.templates import parse_template
from segmentation.registration.codes import read_code
from storage import migrate
from tests.cli.app_server import AppServer
from tests.cli.conftest import Tallyscan

SPEC = """\
form: slip
title: A slip
sections:
  - fields:
      - {name: customer, type: {name: luhn, length: 8}}
      - {name: day, type: {name: date, earliest: 2020-01-01, latest: 2029-12-31}}
  - new_page: true
    fields:
      - {name: amount, type: {name: amount, decimals: 2}}
"""

TEXTS = {"customer": "40213761", "day": "24062025", "amount": "7350"}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A form's specification."""
    path = tmp_path / "slip.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def database(home: Path) -> Settings:
    """A home folder whose service is not running."""
    home.mkdir()
    settings = Settings(home=home)
    migrate.upgrade(settings.resolved_database_url)
    return settings


def codes(pdf: Path) -> list[str]:
    found = [read_code(Page(0, pixels)) for pixels in filled.print_pages(pdf.read_bytes())]
    return [code.text for code in found if code is not None]


def fill_in(spec: Path, pdf: Path) -> list[filled.Pixels]:
    """Return the printed form, filled in."""
    rng = np.random.default_rng(11)
    writer = filled.by_hand(draw_hand(rng))
    layout = lay_out(load_spec(spec), open_typeface())
    return [
        filled.fill_in(paper, page.blanks, TEXTS, writer=writer, rng=rng)
        for paper, page in zip(filled.print_pages(pdf.read_bytes()), layout.pages, strict=True)
    ]


def test_from_a_page_of_yaml_to_a_table(tallyscan: Tallyscan, database: Settings, spec: Path, tmp_path: Path) -> None:
    pdf, scan, table = tmp_path / "slip.pdf", tmp_path / "scan.pdf", tmp_path / "readings.csv"
    made = tallyscan("forms", "make", spec, "--out", pdf)
    assert made.stdout == f"slip version 1: 3 fields on 2 pages, {pdf}\n"
    assert codes(pdf) == ["tallyscan:slip:1:1", "tallyscan:slip:1:2"]
    first, second = fill_in(spec, pdf)
    scan.write_bytes(files.pdf([files.as_image(second), files.as_image(first)]))
    assert tallyscan("read", scan, "--template", "slip", "--out", table).exit_code == 0
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["page"], row["field"], row["text"], row["value"]) for row in rows] == [
        ("2", "customer", "40213761", "40213761"),
        ("2", "day", "24062025", "2025-06-24"),
        ("1", "amount", "7350", "73.50"),
    ]


def test_what_is_missing_stands_in_every_output(
    tallyscan: Tallyscan, database: Settings, spec: Path, tmp_path: Path
) -> None:
    pdf, scan = tmp_path / "slip.pdf", tmp_path / "scan.png"
    tallyscan("forms", "make", spec, "--out", pdf)
    scan.write_bytes(files.encode(files.as_image(fill_in(spec, pdf)[0]), "PNG"))
    said = tallyscan("read", scan, "--template", "slip", "--format", "json")
    (document,) = json.loads(said.stdout)
    assert [(note["code"], note["form_page"]) for note in document["notes"]] == [("page_missing", 2)]
    assert document["pages"][0]["registration"]["form_page"] == {
        "form": "slip",
        "number": 1,
        "of": 2,
        "told_by": "code",
    }
    assert "Page 2 of 2 of the form is missing. (page_missing)" in said.stderr
    assert said.exit_code == 0
    table = tallyscan("read", scan, "--template", "slip", "--format", "csv").stdout
    assert table.splitlines()[-1] == f"{scan},,,page,2,,,false,page_missing"
    assert "page missing" in tallyscan("read", scan, "--template", "slip").stdout


def test_the_version_on_the_paper_is_the_one_that_was_stored(
    tallyscan: Tallyscan, database: Settings, spec: Path, tmp_path: Path
) -> None:
    pdf = tmp_path / "slip.pdf"
    for _ in range(2):
        assert "slip version 1" in tallyscan("forms", "make", spec, "--out", pdf).stdout
    spec.write_text(SPEC.replace("length: 8", "length: 10"))
    assert "slip version 2" in tallyscan("forms", "make", spec, "--out", pdf).stdout
    assert codes(pdf) == ["tallyscan:slip:2:1", "tallyscan:slip:2:2"]


def test_a_service_stores_it_too(tallyscan: Tallyscan, app: AppServer, spec: Path, tmp_path: Path) -> None:
    options = ["--url", app.endpoint.url, "--key", app.endpoint.key]
    made = tallyscan("forms", "make", spec, "--out", tmp_path / "slip.pdf", *options)
    assert "slip version 1" in made.stdout
    stored = app.services.store.templates.get("slip")
    assert parse_template(stored.body).pages == 2


def test_a_form_can_be_made_without_any_store(tallyscan: Tallyscan, spec: Path, tmp_path: Path) -> None:
    pdf, template = tmp_path / "slip.pdf", tmp_path / "slip.json"
    refused = tallyscan("forms", "make", spec, "--out", pdf)
    assert (refused.exit_code, "no database" in refused.stderr, pdf.exists()) == (2, True, False)
    made = tallyscan("forms", "make", spec, "--out", pdf, "--no-register", "--template-out", template)
    assert made.stdout.startswith("slip not registered: 3 fields on 2 pages")
    assert codes(pdf)[0] == "tallyscan:slip:0:1"
    kept = parse_template(json.loads(template.read_text()))
    assert [(field.name, field.page) for field in kept.fields] == [("customer", 1), ("day", 1), ("amount", 2)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("length: 8", "length: 80"), "line 5"),
        (("title: A slip", "title: A slip\nhelp: 水"), "--font"),
        (("form: slip", "form: a slip"), "line 1"),
    ],
)
def test_a_faulty_page_is_one_line_of_error(
    tallyscan: Tallyscan, spec: Path, change: tuple[str, str], message: str
) -> None:
    spec.write_text(SPEC.replace(*change))
    result = tallyscan("forms", "make", spec, "--no-register")
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_place_that_cannot_be_written_is_named(tallyscan: Tallyscan, spec: Path, tmp_path: Path) -> None:
    result = tallyscan("forms", "make", spec, "--no-register", "--out", tmp_path / "none" / "slip.pdf")
    assert (result.exit_code, "Cannot write" in result.stderr) == (2, True)
