"""`tallyscan templates`: with a service, without one, from files, and from an empty form."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from cli.template_shelf import find_reference, find_template
from core.errors import UnknownTemplate
from core.settings import Settings
from forms.builtins import builtin_templates
from forms.templates import Template, parse_template
from storage import migrate
from storage.blobs import BlobStore
from tests.cli.app_server import AppServer
from tests.cli.conftest import Tallyscan
from tests.factories import png_bytes
from tests.forms.forms import template_json
from tests.segmentation.blank_form import ASKED, blank_form


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A template's file."""
    path = tmp_path / "card.json"
    path.write_text(json.dumps(template_json()))
    return path


@pytest.fixture
def database(home: Path) -> Settings:
    """A home folder whose service is not running."""
    settings = Settings(home=home)
    home.mkdir()
    migrate.upgrade(settings.resolved_database_url)
    return settings


@pytest.fixture(params=["service", "database"])
def where(request: pytest.FixtureRequest) -> list[str]:
    """The options that lead to a shelf of templates: with a running service, or in this machine's database."""
    if request.param == "database":
        request.getfixturevalue("database")
        return []
    app: AppServer = request.getfixturevalue("app")
    return ["--url", app.endpoint.url, "--key", app.endpoint.key or ""]


@pytest.fixture
def answer(tallyscan: Tallyscan, where: list[str]) -> Callable[..., str]:
    """Return a function that runs the command with that shelf; the service in this process logs to stdout, too."""

    def run(*arguments: object) -> str:
        result = tallyscan("templates", *arguments, *where)
        lines = result.stdout.splitlines() + result.stderr.splitlines()
        return "\n".join(line for line in lines if "] request " not in line)

    return run


def test_a_template_is_added_listed_shown_exported_and_removed(
    answer: Callable[..., str], card: Path, tmp_path: Path
) -> None:
    assert answer("add", card) == "card version 1: 6 fields"
    assert answer("add", card) == "card version 1: 6 fields"
    card.write_text(json.dumps(template_json(description="Another.")))
    assert "version 2" in answer("add", card)
    listed = json.loads(answer("list", "--format", "json"))
    assert {each["name"]: each["version"] for each in listed} == {"card": 2, **dict.fromkeys(builtin_templates())}
    shown = json.loads(answer("show", "card", "--version", "1", "--format", "json"))
    assert parse_template(shown["template"]) == parse_template(template_json())
    exported = tmp_path / "exported.json"
    assert answer("export", "card", "--out", exported) == ""
    assert parse_template(json.loads(exported.read_text())) == parse_template(template_json(description="Another."))
    assert answer("remove", "card") == "card removed"
    assert answer("remove", "card").endswith("(not_found)")
    assert answer("show", "card").endswith("(unknown_template)")


def test_tables_name_every_field(answer: Callable[..., str], card: Path) -> None:
    answer("add", card)
    assert "A deposit card." in answer("list")
    shown = answer("show", "card")
    assert all(field["name"] in shown for field in template_json()["fields"])


def test_what_a_field_may_hold_and_its_page_are_shown(project_root: Path, tallyscan: Tallyscan) -> None:
    result = tallyscan("templates", "show", project_root / "examples" / "forms" / "water-meter.json")
    lines = {line.split()[0]: line for line in result.stdout.splitlines() if line.strip()}
    assert lines["water-meter"].startswith("water-meter (file), ")
    assert lines["customer"].split()[1:4] == ["1", "luhn", "length=8"]
    assert lines["postcode"].split()[1:4] == ["2", "pattern", "pattern=\\d{5}"]


def test_a_built_in_template_is_listed_as_one(answer: Callable[..., str]) -> None:
    rows = [line.split()[:3] for line in answer("list").splitlines() if "cheque-us" in line]
    assert rows == [["cheque-us", "built", "in"]]


def test_without_any_service_home_there_are_the_built_in_ones(tallyscan: Tallyscan, card: Path) -> None:
    assert [each["name"] for each in json.loads(tallyscan("templates", "list", "-f", "json").stdout)] == sorted(
        builtin_templates()
    )
    refused = tallyscan("templates", "add", card)
    assert refused.exit_code == 2
    assert "no database" in refused.stderr


def test_a_built_in_template_is_added_by_its_name(tallyscan: Tallyscan, database: Settings) -> None:
    name = next(iter(builtin_templates()))
    assert f"{name} version 1" in tallyscan("templates", "add", name).stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "not valid"),
        (json.dumps(template_json(fields=[])), "fields: "),
        (" " * (2**20 + 1), "too large"),
    ],
)
def test_a_file_that_is_no_template_says_why(tallyscan: Tallyscan, card: Path, content: str, message: str) -> None:
    card.write_text(content)
    result = tallyscan("templates", "show", card)
    assert (result.exit_code, message in result.stderr) == (2, True)
    assert len(result.stderr.splitlines()) == 1


def test_a_person_names_a_file_a_stored_or_a_built_in_template(
    tallyscan: Tallyscan, database: Settings, card: Path
) -> None:
    tallyscan("templates", "add", card)
    assert find_template("card", database).version == 1
    assert find_template(str(card), database).version is None
    name = next(iter(builtin_templates()))
    assert find_template(name, database).template is builtin_templates()[name]
    with pytest.raises(UnknownTemplate, match="version 7"):
        find_template("card", database, version=7)


def test_a_draft_of_an_empty_form_can_be_added_and_previewed(
    tallyscan: Tallyscan, database: Settings, tmp_path: Path
) -> None:
    blank, draft, picture = tmp_path / "Deposit Form.png", tmp_path / "draft.json", tmp_path / "preview.png"
    page = blank_form()
    cv2.imwrite(str(blank), page.pixels)
    assert tallyscan("templates", "draft", blank, "--out", draft).exit_code == 0
    template: Template = parse_template(json.loads(draft.read_text()))
    assert template.name == "deposit-form"
    assert [field.cells for field in template.fields] == [cells for _, _, _, cells in ASKED]
    reference = template.registration.reference
    assert (template.registration.method, reference) == ("features", hashlib.sha256(blank.read_bytes()).hexdigest())
    assert "9 fields" in tallyscan("templates", "add", draft).stdout
    assert BlobStore.open(database.resolved_blob_url).get(reference) == blank.read_bytes()
    assert tallyscan("templates", "preview", "deposit-form", blank, "--out", picture).exit_code == 0
    drawn = cv2.imread(str(picture))
    assert drawn is not None
    assert drawn.shape == (page.height, page.width, 3)
    for field in template.fields:
        box = template.place(field, width=page.width, height=page.height)
        inside = drawn[box.y + 5 : box.bottom - 5, box.x + 5 : box.right - 5].astype(np.int32)
        assert (inside.max(axis=2) - inside.min(axis=2)).mean() > 20  # coloured, unlike the form


def test_a_template_is_added_together_with_its_reference(answer: Callable[..., str], card: Path) -> None:
    picture = png_bytes("42")
    registration = {"method": "features", "reference": hashlib.sha256(picture).hexdigest()}
    card.write_text(json.dumps(template_json(registration=registration)))
    assert answer("add", card).endswith("(invalid_request)")
    (card.parent / "any name").write_bytes(picture)
    assert answer("add", card) == "card version 1: 6 fields"


def test_a_file_that_may_not_be_read_does_not_hide_the_reference(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = png_bytes("42")
    registration = {"method": "features", "reference": hashlib.sha256(picture).hexdigest()}
    (card.parent / "a closed one").write_bytes(b"")
    (card.parent / "reference.png").write_bytes(picture)
    read_bytes = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "a closed one":
            raise PermissionError
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert find_reference(parse_template(template_json(registration=registration)), card.parent) == picture


def test_an_empty_page_gives_no_draft(tallyscan: Tallyscan, tmp_path: Path) -> None:
    blank = tmp_path / "white.png"
    cv2.imwrite(str(blank), np.full((400, 300), 255, np.uint8))
    result = tallyscan("templates", "draft", blank)
    assert (result.exit_code, "No boxes" in result.stderr) == (2, True)


def test_a_comb_that_is_not_there_is_noted(tallyscan: Tallyscan, card: Path, tmp_path: Path) -> None:
    scan, picture = tmp_path / "scan.png", tmp_path / "preview.png"
    cv2.imwrite(str(scan), np.full((240, 400), 255, np.uint8))
    assert tallyscan("templates", "preview", card, scan, "--out", picture).exit_code == 0
    assert tallyscan("templates", "preview", card, scan, "--out", tmp_path / "no" / "x.png").exit_code == 2
    assert tallyscan("templates", "preview", card, tmp_path / "none.png", "--out", picture).exit_code == 1


def test_a_blank_is_composed_of_filled_scans_and_drafted(tallyscan: Tallyscan, tmp_path: Path) -> None:
    from benchmarks.forms import GREY, drawn_pages

    scans = []
    for place, (data, _) in zip(range(5), drawn_pages(GREY), strict=False):
        scans.append(tmp_path / f"filled-{place}.jpg")
        scans[-1].write_bytes(data)
    made = tmp_path / "cards.json"
    result = tallyscan("templates", "draft", *scans, "--name", "Return Card", "--out", made)
    assert result.exit_code == 0, result.stderr
    template = parse_template(json.loads(made.read_text()))
    blank = (tmp_path / "return-card.blank.png").read_bytes()
    assert template.registration.reference == hashlib.sha256(blank).hexdigest()
    assert not template.registration.filled
    assert any(field.cells == 8 for field in template.fields)


def test_too_few_filled_scans_make_no_blank(tallyscan: Tallyscan, tmp_path: Path) -> None:
    from benchmarks.forms import GREY, drawn_pages

    scans = []
    for place, (data, _) in zip(range(2), drawn_pages(GREY), strict=False):
        scans.append(tmp_path / f"filled-{place}.jpg")
        scans[-1].write_bytes(data)
    result = tallyscan("templates", "draft", *scans)
    assert result.exit_code == 2
    assert "at least" in result.stderr
