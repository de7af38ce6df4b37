"""Corrections to learn from: which are held out, what is refused, and when a model may be promoted."""

from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from core.errors import InvalidRequest
from core.settings import Settings
from core.types import Truth
from forms.confidence import Calibration
from forms.fusion import Fused, FusionWeights, Proposal
from model.line.finetuning import has_room
from tests.corrected import corrected_folder
from worker import finetuning
from worker.calibrating import Evidence, LabelledField
from worker.corrected import FIELDS_FOLDER, CorrectedField, load_labels, split, write_labels
from worker.finetuning import FinetuneOptions, finetune
from worker.finetuning_report import NO_ROOM, Figures, judge, measured, write_report


def figures(right: int, fields: int = 1000) -> Figures:
    return Figures(fields, right, accepted=0, wrong=0, calibration_error=0.0)


@pytest.mark.parametrize(
    ("frozen", "own", "promotes"),
    [((900, 900), (50, 51), True), ((900, 898), (50, 60), True), ((900, 897), (50, 90), False),
     ((900, 950), (50, 50), False), ((900, 900), (50, 49), False), ((900, 0), (50, 40), False)],
)  # fmt: skip
def test_a_model_is_promoted_only_where_nothing_is_lost_and_the_users_own_gains(
    frozen: tuple[int, int], own: tuple[int, int], promotes: bool
) -> None:
    before, after = ({"orand": figures(frozen[at]), "own": figures(own[at], 100)} for at in (0, 1))
    verdict = judge(before, after, own="own", target_error=0.01)
    assert verdict.promotes is promotes
    assert bool(verdict.reasons) is not promotes


def test_one_of_the_smallest_frozen_set_is_too_many() -> None:
    before, after = ({"orand": figures(right, 187), "own": figures(5 + 180 - right, 10)} for right in (180, 179))
    assert judge(before, after, own="own", target_error=0.01).reasons == ("orand: 96.26% before, 95.72% after",)


@pytest.mark.parametrize(
    ("accepted", "promotes"), [((40, 20), True), ((40, 19), False), ((1, 0), False), ((0, 0), True)]
)
def test_a_model_that_leaves_its_user_with_more_work_is_not_promoted(accepted: tuple[int, int], promotes: bool) -> None:
    before, after = (
        {"own": replace(figures(right, 100), accepted=count)} for right, count in zip((80, 90), accepted, strict=True)
    )
    verdict = judge(before, after, own="own", target_error=0.01)
    assert verdict.promotes is promotes
    assert promotes or verdict.reasons == (f"own: {accepted[0]} of 100 accepted before, {accepted[1]} after",)


@pytest.mark.parametrize(
    ("wrong", "of", "promotes"), [((0, 0), 90, True), ((0, 2), 90, True), ((0, 5), 90, False), ((9, 8), 90, True)]
)
def test_a_model_that_is_surer_than_it_should_be_is_not_promoted(
    wrong: tuple[int, int], of: int, promotes: bool
) -> None:
    own = figures(80, 100), figures(90, 100)
    frozen = [replace(figures(900), accepted=of, wrong=each) for each in wrong]
    before, after = ({"orand": frozen[at], "own": own[at]} for at in (0, 1))
    verdict = judge(before, after, own="own", target_error=0.01)
    assert verdict.promotes is promotes
    assert promotes or verdict.reasons == ("orand: 0 of 90 accepted wrong before, 5 of 90 after",)


def documents(*sizes: int) -> list[CorrectedField]:
    return [CorrectedField("a.png", "1", document=f"d{place}") for place, size in enumerate(sizes) for _ in range(size)]


def test_a_document_is_never_on_both_sides() -> None:
    fields = documents(*[3] * 200)
    learnt, held = split(fields, share=0.25)
    assert {f.document for f in learnt} & {f.document for f in held} == set()
    assert len(learnt) + len(held) == 600
    assert 100 <= len(held) <= 200
    assert split(list(reversed(fields)), share=0.25)[1] == list(reversed(held))


def test_what_was_learnt_is_not_held_out_when_more_documents_have_come() -> None:
    few, many = documents(*[3] * 60), documents(*[3] * 200)
    learnt, held = split(few, share=0.25)
    later_learnt, later_held = split(many, share=0.25)
    assert {f.document for f in learnt} & {f.document for f in later_held} == set()
    assert {f.document for f in held} & {f.document for f in later_learnt} == set()


@pytest.mark.parametrize("sizes", [(90, 10, 10), (10, 90, 10), (10, 10, 90), (30, 30), (1,) * 8, (50, 1)])
def test_a_handful_of_documents_is_split_as_well_as_may_be(sizes: tuple[int, ...]) -> None:
    learnt, held = split(documents(*sizes), share=0.25)
    assert learnt
    assert 0 < len(held) <= len(learnt)


def test_labels_come_back_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    rows = [
        CorrectedField(
            "a.png", "12", Truth.TEXT, "amount", "d", "id", "=x.png", 2, "sum", "21", False, "ann", "now", "r"
        ),
        CorrectedField("a.png", "", Truth.UNREADABLE, confirms=True),
        CorrectedField("a.png", "", Truth.EMPTY),
    ]
    write_labels(tmp_path, rows)
    assert load_labels(tmp_path) == rows
    assert [row.teaches for row in rows] == [True, False, True]
    assert [replace(rows[0], type=name).read_as for name in ("amount", "luhn")] == ["amount", "digits"]


@pytest.mark.parametrize(
    "table",
    ["file,text\na.png,1\n", "file,text,document\na.png,1x,d\n", "file,text,document\nb.png,1,d\n",
     "file,text,document,truth\na.png,1,d,maybe\n", "file,text,document,page\na.png,1,d,two\n"],
)  # fmt: skip
def test_a_table_that_makes_no_sense_is_refused(table: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(InvalidRequest):
        load_labels(tmp_path)


def test_too_few_corrections_teach_nothing(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="the train extra is not installed")
    folder = corrected_folder(tmp_path / "few", 12)
    with pytest.raises(InvalidRequest, match="at least 20"):
        finetune(FinetuneOptions(folder, Settings(home=tmp_path)))
    with pytest.raises(InvalidRequest, match="no corrections"):
        finetune(FinetuneOptions(tmp_path / "nosuch", Settings(home=tmp_path)))


def stood_on_their_sides(folder: Path, count: int) -> None:
    """Turn the pictures of so many of the folder's fields, whose texts then have no room on their lines."""
    for path in sorted((folder / FIELDS_FOLDER).iterdir())[:count]:
        picture = cv2.rotate(cv2.imread(str(path)), cv2.ROTATE_90_CLOCKWISE)
        cv2.imwrite(str(path), cv2.resize(picture, None, fx=0.2, fy=1.0))


def test_only_fields_that_can_be_learnt_from_count_as_learnt(tmp_path: Path) -> None:
    folder, told = corrected_folder(tmp_path / "corrected", 60), list[str]()
    stood_on_their_sides(folder, 12)
    parts = finetuning._parts(FinetuneOptions(folder, Settings(home=tmp_path), tell=told.append))
    chosen, held = split(load_labels(folder), share=0.25)
    assert (parts.held, 0 < parts.no_room <= 12) == (held, True)
    assert len(parts.learnt) == len(parts.own) == len(chosen) - parts.no_room
    assert all(has_room(each) for each in parts.own)
    assert told == [f"leaves out {parts.no_room} of {len(chosen)} fields: {NO_ROOM}"]


def test_too_few_that_can_be_learnt_from_teach_nothing(tmp_path: Path) -> None:
    folder = corrected_folder(tmp_path / "corrected", 40)
    stood_on_their_sides(folder, 40)
    write_labels(folder, [replace(each, text=each.text * 4) for each in load_labels(folder)])
    with pytest.raises(InvalidRequest, match="holds 0 fields to learn from"):
        finetuning._parts(FinetuneOptions(folder, Settings(home=tmp_path)))


def test_the_report_says_what_was_left_out_and_why(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the train extra is not installed")
    said = {"learnt": 30, "left_out": 4, "documents_learnt": 30, "held_out": 9, "documents_held_out": 9}
    card = {"base": {"version": "v"}, "command": "", "seed": 1, "corrections": said, "verdict": {"promotes": True}}
    own = {"own": figures(5, 9)}
    write_report(tmp_path, card, own, own)
    assert f"Left out were 4 others: {NO_ROOM}." in (tmp_path / "report.md").read_text("utf-8")
    write_report(tmp_path, {**card, "corrections": {**said, "left_out": 0}}, own, own)
    assert "Left out" not in (tmp_path / "report.md").read_text("utf-8")


def test_fields_of_which_the_readers_say_nothing_count(tmp_path: Path) -> None:
    def field(name: str, text: str) -> LabelledField:
        return LabelledField(name, b"", text, "digits", name, "own")

    proposals = (Proposal("12", 0.9, -0.1, -0.1, True), Proposal("17", 0.1, -3.0, -3.0, True))
    fields = [field("right", "12"), field("wrong", "17"), field("silent", "5"), field("empty", "")]
    evidence = [Evidence(each, Fused(proposals, "12", "12"), 0.0) for each in fields[:2]]
    calibration = Calibration(FusionWeights(), 0.0, (1.0, *[0.0] * 7), confidences=(0.6,) * 2000, right=(1,) * 2000)
    found = measured(evidence, calibration, fields, target_error=0.01)["own"]
    assert (found.fields, found.right) == (4, 2)
    judged = {"wrong": ("17", 1.0)}
    again = measured(evidence, calibration, fields, target_error=0.01, judged=judged)["own"]
    assert (again.right, again.accepted, again.wrong) == (3, 2, 0)
