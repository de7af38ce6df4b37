"""A process's reader follows the pointer, and keeps what it has where the pointer leads nowhere."""

import shutil
from pathlib import Path

import pytest

from core.errors import ArtifactError, ArtifactMismatch, ArtifactMissing
from core.settings import SHIPPED_MODEL, Settings
from model.artifacts import SHIPPED
from storage.models import ModelShelf
from worker import current
from worker.current import CurrentReader
from worker.networks import Networks, open_model, open_named


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def shelf(settings: Settings) -> ModelShelf:
    return ModelShelf.of(settings)


@pytest.fixture
def model_id(shelf: ModelShelf, tmp_path: Path) -> str:
    """A model in the registry: the shipped open one, under its content's name."""
    return shelf.add(shutil.copytree(SHIPPED / "digits-open", tmp_path / "copy"))


def test_without_a_promotion_the_shipped_networks_read(settings: Settings) -> None:
    networks = open_model(settings)
    assert (networks.name, networks.model_id) == (SHIPPED_MODEL, None)


def test_a_promotion_is_followed_between_two_calls(settings: Settings, shelf: ModelShelf, model_id: str) -> None:
    readers = CurrentReader(settings)
    before = readers()
    assert readers() is before
    shelf.promote(model_id)
    after = readers()
    assert after.info.sha256 == model_id
    assert after.info.version.endswith(f"@{model_id[:12]}")
    assert readers() is after
    shelf.rollback()
    assert readers().info == before.info


def test_who_names_a_model_stays_with_it(settings: Settings, shelf: ModelShelf, model_id: str) -> None:
    pinned = CurrentReader(settings.model_copy(update={"model": model_id[:10]}))
    assert pinned().info.sha256 == model_id
    shelf.promote("digits-open")
    assert pinned().info.sha256 == model_id


def test_a_broken_model_changes_nothing_until_it_is_whole(
    settings: Settings, shelf: ModelShelf, model_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = CurrentReader(settings)
    before = readers()
    network = shelf.folder / model_id / "line-1.tflite"
    content = network.read_bytes()
    network.write_bytes(content[:-1])
    shelf.promote(model_id)
    assert readers() is before
    network.write_bytes(content)
    assert readers() is before, "not tried again at once"
    monkeypatch.setattr(current, "RETRY_SECONDS", 0.0)
    readers._retry_at = 0.0
    assert readers().info.sha256 == model_id


@pytest.mark.parametrize("error", [OSError("stale file handle"), TimeoutError("too long"), RuntimeError("time limit")])
def test_whatever_keeps_a_model_from_loading_it_is_tried_again(
    settings: Settings, shelf: ModelShelf, model_id: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    readers = CurrentReader(settings)
    before = readers()
    shelf.promote(model_id)
    with monkeypatch.context() as broken:
        broken.setattr(current, "open_named", fail)
        if isinstance(error, OSError):
            assert readers() is before
        else:
            with pytest.raises(RuntimeError):
                readers()
    assert readers() is before, "not tried again at once"
    readers._retry_at = 0.0
    assert readers().info.sha256 == model_id


def test_a_new_process_takes_an_earlier_model_where_the_active_one_is_broken(
    settings: Settings, shelf: ModelShelf, model_id: str
) -> None:
    shelf.promote("digits-open")
    shelf.promote(model_id)
    (shelf.folder / model_id / "model.tflite").unlink()
    assert CurrentReader(settings)().name == "digits-open"
    with pytest.raises(ArtifactMissing):
        open_model(settings)


def test_a_disk_that_fails_at_the_start_is_one_clear_error(
    settings: Settings, shelf: ModelShelf, model_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str, *given: Settings) -> Networks:
        if name == model_id:
            raise PermissionError(13, "Permission denied")
        return open_named(name, *given)

    monkeypatch.setattr(current, "open_named", load)
    shelf.promote(model_id)
    assert CurrentReader(settings)().name == SHIPPED_MODEL, "the one before it reads"
    with pytest.raises(ArtifactError, match="cannot be read: Permission denied"):
        CurrentReader(settings.model_copy(update={"model": model_id}))


def test_who_names_a_broken_model_gets_no_other(settings: Settings, shelf: ModelShelf, model_id: str) -> None:
    (shelf.folder / model_id / "calibration.json").write_text("{}")
    with pytest.raises(ArtifactMismatch):
        CurrentReader(settings.model_copy(update={"model": model_id}))
    with pytest.raises(ArtifactError):
        CurrentReader(settings.model_copy(update={"model": "nowhere"}))
