"""Corrections to a folder: fields cut as the reader saw them, digits found in them, nothing written over."""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import InvalidRequest, StorageFull
from core.settings import Settings
from core.types import Box, Page, Truth
from examples.drawing.scenes import Background, draw_field
from forms.templates import Template, parse_template
from model.classes import DIGIT_CLASSES
from model.datasets import load_samples
from model.recipes import Ingredients, prepare
from model.recogniser import Recogniser
from segmentation.decoding import DecodeLimits
from segmentation.prepare import to_grey
from worker.corrected import load_labels
from worker.exporting import Corrected, Exported, Source, export
from worker.form_reading import Form, open_form
from worker.networks import open_model

TEXT = "70315"


@dataclass
class Drawn:
    """A source of its own: scans by document, and what was said of them."""

    scans: dict[str, bytes]
    said: list[Corrected] = field(default_factory=list)

    def corrections(self) -> Iterable[Corrected]:
        """Return all of them."""
        return self.said

    def original(self, document_id: str) -> bytes:
        """Return the scan."""
        return self.scans[document_id]

    def form(self, document_id: str) -> Form | None:  # noqa: ARG002 - the protocol's
        """Return none: no template plays a part."""
        return None


@pytest.fixture(scope="module")
def glyphs() -> Recogniser:
    return open_model(Settings()).glyphs


@pytest.fixture(scope="module")
def sheet() -> tuple[bytes, Box]:
    """A page with one number on it, and where that is."""
    number = draw_field(TEXT, seed=4, background=Background.PLAIN).image
    pixels = np.full((400, 900, 3), 250, np.uint8)
    pixels[120 : 120 + number.shape[0], 200 : 200 + number.shape[1]] = number
    return cv2.imencode(".png", pixels)[1].tobytes(), Box(200, 120, number.shape[1], number.shape[0])


def corrected(box: Box, **changes: object) -> Corrected:
    base = Corrected(
        "01A", "doc", "scan.png", 0, "number_1", "digits", box, Truth.TEXT, TEXT, "7031", False, "ann", "now", "f" * 64
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def exported(source: Source, folder: Path, glyphs: Recogniser) -> Exported:
    limits = DecodeLimits.from_settings(Settings())
    return export(source, folder, glyphs=glyphs, limits=limits, facts={"source": "test"})


def test_a_field_is_cut_from_its_scan_and_its_digits_found(
    sheet: tuple[bytes, Box], glyphs: Recogniser, tmp_path: Path
) -> None:
    data, box = sheet
    done = exported(Drawn({"doc": data}, [corrected(box)]), tmp_path / "out", glyphs)
    assert (done.fields, done.digits, done.left_out) == (1, len(TEXT), 0)
    (row,) = load_labels(tmp_path / "out")
    assert (row.text, row.read, row.document, row.by) == (TEXT, "7031", hashlib.sha256(data).hexdigest(), "ann")
    cut = cv2.imread(str(tmp_path / "out" / row.file), cv2.IMREAD_GRAYSCALE)
    assert cut is not None
    whole = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert whole is not None
    assert cut.shape == (box.height, box.width)
    assert np.abs(cut.astype(int) - whole[box.slices]).max() <= 2
    with (tmp_path / "out" / "digits.csv").open(newline="") as lines:
        digits = list(csv.DictReader(lines))
    assert "".join(each["digit"] for each in digits) == TEXT
    widths = [cv2.imread(str(tmp_path / "out" / each["file"])).shape[1] for each in digits]
    assert max(widths) < box.width / 3


def test_exported_digits_are_learnt_from_as_a_folder_a_class(glyphs: Recogniser, tmp_path: Path) -> None:
    texts = ["70315", "24689", "11711"]
    fields = [draw_field(text, seed=place, background=Background.PLAIN).image for place, text in enumerate(texts)]
    source = Drawn({str(place): cv2.imencode(".png", each)[1].tobytes() for place, each in enumerate(fields)})
    source.said = [
        corrected(Box(0, 0, each.shape[1], each.shape[0]), id=f"01{place}", document_id=str(place), text=texts[place])
        for place, each in enumerate(fields)
    ]
    done = exported(source, tmp_path / "out", glyphs)
    material = prepare("plain", Ingredients(tmp_path / "out", seed=1))
    assert (len(material.images) + len(material.held_out), material.classes) == (done.digits, DIGIT_CLASSES)
    found = load_samples(tmp_path / "out")
    assert "".join(map(str, found.labels)) == "".join(sorted("".join(texts)))
    assert (glyphs.classify(found.images).argmax(axis=1) == found.labels).mean() > 0.9, "and are what they were"
    for path in (tmp_path / "out" / "digits").rglob("*.png"):
        picture = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
        assert len(np.unique(np.concatenate([picture[[0, -1]].ravel(), picture[:, [0, -1]].ravel()]))) == 1, "paper"


def test_what_is_empty_or_unreadable_has_a_picture_and_no_digits(
    sheet: tuple[bytes, Box], glyphs: Recogniser, tmp_path: Path
) -> None:
    data, box = sheet
    said = [
        corrected(box, id="01A", truth=Truth.EMPTY, text=""),
        corrected(box, id="01B", truth=Truth.UNREADABLE, text=""),
        corrected(box, id="01C", text="99999"),
    ]
    done = exported(Drawn({"doc": data}, said), tmp_path / "out", glyphs)
    assert (done.fields, done.digits) == (3, 0), "and a text that is not there has no digits either"
    assert [row.truth for row in load_labels(tmp_path / "out")] == [Truth.EMPTY, Truth.UNREADABLE, Truth.TEXT]


def test_letters_are_kept_without_digits_and_teach_nothing(
    sheet: tuple[bytes, Box], glyphs: Recogniser, tmp_path: Path
) -> None:
    data, box = sheet
    done = exported(Drawn({"doc": data}, [corrected(box, type="letters", text="ABÄ/")]), tmp_path / "out", glyphs)
    assert (done.fields, done.digits) == (1, 0)
    (row,) = load_labels(tmp_path / "out")
    assert (row.text, row.teaches) == ("ABÄ/", False)


@dataclass
class OnAForm(Drawn):
    """A source whose documents are of one form."""

    template: Template = field(kw_only=True)

    def form(self, document_id: str) -> Form | None:  # noqa: ARG002 - the protocol's
        """Return the form."""
        return open_form(self.template, reference=None, limits=DecodeLimits.from_settings(Settings()))


def test_fields_in_print_are_left_out_and_counted(sheet: tuple[bytes, Box], glyphs: Recogniser, tmp_path: Path) -> None:
    data, box = sheet
    area = {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
    fields = [
        {"name": name, "type": {"name": "digits"}, "box": area, "writing": writing}
        for name, writing in (("hand", "handwritten"), ("print", "printed"))
    ]
    template = parse_template({"name": "form", "page": {"width": 900, "height": 400}, "fields": fields})
    said = [
        corrected(box, id="01A", field="hand"),
        corrected(box, id="01B", field="print"),
        corrected(box, id="01C", field="micr_account", type="micr"),
    ]
    done = exported(OnAForm({"doc": data}, said, template=template), tmp_path / "out", glyphs)
    assert (done.fields, done.left_out, done.printed) == (1, 0, 2)
    assert [row.field for row in load_labels(tmp_path / "out")] == ["hand"]


def test_what_cannot_be_cut_is_left_out_and_counted(
    sheet: tuple[bytes, Box], glyphs: Recogniser, tmp_path: Path
) -> None:
    data, box = sheet
    said = [
        corrected(box, id="01A"),
        corrected(box, id="01B", document_id="broken"),
        corrected(replace(box, x=5000), id="01C"),
    ]
    done = exported(Drawn({"doc": data, "broken": data[:200]}, said), tmp_path / "out", glyphs)
    assert (done.fields, done.left_out) == (1, 2)


def test_a_page_is_greyed_once_and_only_for_fields_that_its_form_has_not(
    sheet: tuple[bytes, Box], glyphs: Recogniser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, box = sheet
    greyed: list[Page] = []
    monkeypatch.setattr("worker.exporting.to_grey", lambda page: greyed.append(page) or to_grey(page))
    said = [corrected(box, id="01A", text=""), corrected(box, id="01B", text="")]
    area = {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
    template = parse_template({
        "name": "form", "page": {"width": 900, "height": 400},
        "fields": [{"name": "number_1", "type": {"name": "digits"}, "box": area}],
    })  # fmt: skip
    assert exported(OnAForm({"doc": data}, said, template=template), tmp_path / "form", glyphs).fields == 2
    assert len(greyed) == 0
    assert exported(Drawn({"doc": data}, said), tmp_path / "page", glyphs).fields == 2
    assert len(greyed) == 1


def test_a_full_disk_is_told_and_leaves_nothing_to_learn_from(
    sheet: tuple[bytes, Box], glyphs: Recogniser, tmp_path: Path
) -> None:
    data, box = sheet
    (tmp_path / "fields").mkdir()
    (tmp_path / "fields" / "01B.png").symlink_to("/dev/full")
    with pytest.raises(StorageFull, match=str(tmp_path)):
        exported(Drawn({"doc": data}, [corrected(box), corrected(box, id="01B")]), tmp_path, glyphs)
    assert not (tmp_path / "labels.csv").exists()
    (tmp_path / "fields" / "01B.png").unlink()
    with pytest.raises(InvalidRequest, match="part of an export"):
        exported(Drawn({"doc": data}, [corrected(box)]), tmp_path, glyphs)


@pytest.mark.parametrize("table", ["digits.csv", "provenance.json"])
def test_the_labels_come_last(sheet: tuple[bytes, Box], glyphs: Recogniser, tmp_path: Path, table: str) -> None:
    data, box = sheet
    (tmp_path / table).symlink_to("/dev/full")
    with pytest.raises(StorageFull):
        exported(Drawn({"doc": data}, [corrected(box)]), tmp_path, glyphs)
    assert not (tmp_path / "labels.csv").exists()


def test_a_folder_is_not_written_over_and_nothing_makes_none(
    sheet: tuple[bytes, Box], glyphs: Recogniser, tmp_path: Path
) -> None:
    data, box = sheet
    exported(Drawn({"doc": data}, [corrected(box)]), tmp_path / "out", glyphs)
    with pytest.raises(InvalidRequest, match="already"):
        exported(Drawn({"doc": data}, [corrected(box)]), tmp_path / "out", glyphs)
    with pytest.raises(InvalidRequest, match="no corrections"):
        exported(Drawn({}), tmp_path / "none", glyphs)
    assert not (tmp_path / "none").exists()
