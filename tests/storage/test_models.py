"""The registry of models: named by what is in them, one pointer, a way back, and nothing taken that was altered."""

import json
import threading
from pathlib import Path

import pytest

from core.errors import ArtifactMismatch, ArtifactMissing, InvalidRequest
from core.settings import SHIPPED_MODEL, Settings
from storage.models import FILES, POINTER, ModelShelf, Pointer


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    return ModelShelf(tmp_path / "models")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return made(tmp_path / "source", "one")


def made(folder: Path, content: str) -> Path:
    folder.mkdir()
    (folder / "model.tflite").write_text(content)
    (folder / "card.json").write_text(json.dumps({"says": content}))
    return folder


def test_a_model_is_named_by_what_is_in_it(shelf: ModelShelf, source: Path, tmp_path: Path) -> None:
    model_id = shelf.add(source)
    assert shelf.add(source) == model_id
    assert shelf.add(made(tmp_path / "copy", "one")) == model_id
    other = shelf.add(made(tmp_path / "other", "two"))
    assert other != model_id
    assert shelf.ids() == [model_id, other]
    assert shelf.card(other) == {"says": "two"}
    shelf.verify(model_id)
    assert [path.name for path in shelf.folder.iterdir() if path.name.startswith(".")] == []


def test_some_digits_name_a_model(shelf: ModelShelf, source: Path) -> None:
    model_id = shelf.add(source)
    assert shelf.find(model_id) == shelf.find(model_id[:6]) == model_id
    for nothing in ("", "f", "../..", model_id[:5], "0" * 64 if model_id[0] != "0" else "1" * 64):
        with pytest.raises(ArtifactMissing):
            shelf.find(nothing)


@pytest.mark.parametrize("change", ["altered", "added", "gone", "list"])
def test_what_was_altered_is_told(change: str, shelf: ModelShelf, source: Path) -> None:
    model_id = shelf.add(source)
    folder = shelf.folder / model_id
    shelf.check(model_id)
    if change == "altered":
        (folder / "model.tflite").write_text("onf")
    elif change == "added":
        (folder / "more.py").write_text("")
    elif change == "gone":
        (folder / "card.json").unlink()
    else:
        listing = json.loads((folder / FILES).read_text())
        (folder / FILES).write_text(json.dumps(listing))
    for look in (shelf.verify, shelf.check):
        with pytest.raises(ArtifactMissing if change == "gone" else ArtifactMismatch):
            look(model_id)


def test_a_folder_that_is_no_model_is_refused(shelf: ModelShelf, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InvalidRequest):
        shelf.add(empty)
    (empty / "sub").mkdir()
    with pytest.raises(InvalidRequest):
        shelf.add(empty)


def test_the_pointer_leads_forward_and_back(shelf: ModelShelf) -> None:
    assert shelf.pointer() == Pointer(SHIPPED_MODEL)
    assert shelf.stamp() is None
    shelf.promote("a" * 64)
    first = shelf.stamp()
    shelf.promote("b" * 64)
    assert shelf.stamp() != first
    assert shelf.promote("b" * 64).before == (SHIPPED_MODEL, "a" * 64), "once more is no move"
    assert shelf.rollback().active == "a" * 64
    assert shelf.rollback().active == SHIPPED_MODEL
    with pytest.raises(InvalidRequest):
        shelf.rollback()
    assert [(move.model[0], move.action) for move in shelf.pointer().moves] == [
        ("a", "promote"), ("b", "promote"), ("a", "rollback"), ("d", "rollback")
    ]  # fmt: skip


def test_a_model_takes_the_place_of_none_but_what_it_was_compared_with(shelf: ModelShelf) -> None:
    shelf.promote("a" * 64, instead_of=SHIPPED_MODEL)
    with pytest.raises(InvalidRequest, match="never compared with aaaaaa"):
        shelf.promote("b" * 64, instead_of=SHIPPED_MODEL)
    assert shelf.pointer().active == "a" * 64
    assert shelf.promote("b" * 64, instead_of="a" * 64).active == "b" * 64


def test_promotions_at_once_are_all_kept(shelf: ModelShelf) -> None:
    ids = [f"{number:x}" * 64 for number in range(8)]
    threads = [threading.Thread(target=shelf.promote, args=(each,)) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pointer = shelf.pointer()
    assert {*pointer.before, pointer.active} == {SHIPPED_MODEL, *ids}


def test_a_damaged_pointer_is_told(shelf: ModelShelf) -> None:
    shelf.promote("a" * 64)
    (shelf.folder / POINTER).write_text("{")
    with pytest.raises(ArtifactMismatch):
        shelf.pointer()


def test_the_registry_lies_in_the_home_or_where_several_machines_see_it(tmp_path: Path) -> None:
    assert ModelShelf.of(Settings(home=tmp_path)).folder == tmp_path / "models"
    assert ModelShelf.of(Settings(home=tmp_path, models=tmp_path / "shared")).folder == tmp_path / "shared"
