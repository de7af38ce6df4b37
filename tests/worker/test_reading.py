"""What a reading task does with its document, and where it leaves it when something goes wrong."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import BlobMissing, BlobStoreUnavailable, EncryptedDocument
from core.status import Status
from core.types import DocumentReading, Phase
from storage.records import Claim, Outcome
from tests.factories import tiff_bytes
from tests.worker.conftest import Submit, drain
from worker.desk import Desk
from worker.pipeline import PageResult, Reader, ReadRequest
from worker.reading import failure_of


class TimeIsUp(Exception):
    """Stands for what the task runner raises at the soft time limit."""


class Raising(Reader):
    """A reader that breaks off with `error`."""

    error: BaseException

    def read_page(self, data: bytes, index: int, *, request: ReadRequest) -> PageResult:
        """Raise."""
        del data, index, request
        raise self.error


class Listening(Reader):
    """A reader that notes what it is asked for."""

    heard: list[ReadRequest]

    def read_page(self, data: bytes, index: int, *, request: ReadRequest) -> PageResult:
        """Note and read."""
        self.heard.append(request)
        return super().read_page(data, index, request=request)


def listening(desk: Desk) -> tuple[Desk, list[ReadRequest]]:
    reader = Listening(desk.readers()._networks, desk.settings)
    reader.heard = []
    return dataclasses.replace(desk, readers=lambda: reader), reader.heard


def raising(desk: Desk, error: BaseException) -> Desk:
    reader = Raising(desk.readers()._networks, desk.settings)
    reader.error = error
    return dataclasses.replace(desk, readers=lambda: reader, time_limit_errors=(TimeIsUp,))


def opencv_error(side: int) -> Exception:
    """Return what OpenCV raises when it is to make a picture of that side: no memory, or no such picture."""
    with pytest.raises(cv2.error) as raised:
        cv2.resize(np.zeros((2, 2), np.uint8), (side, side))
    return raised.value


def test_a_page_is_read_and_its_picture_kept(desk: Desk, submit: Submit) -> None:
    document = submit()
    desk.read_document(document.id)
    after = desk.store.documents.get(document.id, owner="me")
    assert (after.status, after.attempts, after.reader) == (Status.DONE, 1, desk.readers().info)
    assert after.pages[0].fields
    assert {step.name for step in after.steps} >= {"normalise", "recognise"}
    assert desk.blobs.get(desk.store.documents.preview(document.id, 0, owner="me"))[8:12] == b"WEBP"


def test_a_second_delivery_finds_nothing_to_do(desk: Desk, submit: Submit) -> None:
    document = submit()
    desk.read_document(document.id)
    version = desk.store.documents.version(document.id, "me")
    desk.read_document(document.id)
    desk.read_document("no such document")
    assert desk.store.documents.version(document.id, "me") == version


def test_a_long_document_is_split_and_its_pages_sent(desk: Desk, submit: Submit) -> None:
    document = submit(tiff_bytes(["12", "34", "56"], seed=1))
    desk.read_document(document.id)
    assert drain(desk.dispatcher) == 3
    assert desk.sweep().sent == 0, "the pages are on their way"
    for index in (2, 0, 1):
        desk.read_page(document.id, index)
    after = desk.store.documents.get(document.id, owner="me")
    assert (after.status, after.pages_total, after.pages_done) == (Status.DONE, 3, 3)
    assert [page.index for page in after.pages] == [0, 1, 2]


def test_the_reader_hears_what_the_caller_asked_for(desk: Desk, submit: Submit) -> None:
    desk, heard = listening(desk)
    desk.read_document(submit(target_error=0.05).id)
    desk.read_document(submit(type_name=None).id)
    long = submit(tiff_bytes(["12", "34"], seed=1), target_error=0.2)
    desk.read_document(long.id)
    desk.read_page(long.id, 1)
    drain(desk.dispatcher)
    assert heard == [
        ReadRequest("digits", target_error=0.05),
        ReadRequest(None, target_error=None),
        ReadRequest("digits", target_error=0.2),
    ]


def test_a_file_that_is_no_image_fails_for_good(desk: Desk, submit: Submit) -> None:
    document = submit(b"\x89PNG\r\n\x1a\n and then nothing")
    desk.read_document(document.id)
    after = desk.store.documents.get(document.id, owner="me")
    assert after.status is Status.FAILED
    assert after.failure is not None
    assert (after.failure.code, after.failure.retryable) == ("unreadable_image", False)


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (TimeIsUp(), "time_limit_exceeded", Status.FAILED),
        (MemoryError(), "out_of_memory", Status.QUEUED),
        (opencv_error(1 << 30), "out_of_memory", Status.QUEUED),
        (opencv_error(0), "internal_error", Status.FAILED),
        (KeyError("secret detail"), "internal_error", Status.FAILED),
    ],
)
def test_whatever_breaks_off_a_reading_ends_the_claim(
    error: Exception, code: str, status: Status, desk: Desk, submit: Submit
) -> None:
    document = submit()
    raising(desk, error).read_document(document.id)
    after = desk.store.documents.get(document.id, owner="me")
    (attempt,) = desk.store.documents.attempts(document.id, "me")
    assert (after.status, attempt.failure and attempt.failure.code) == (status, code)
    assert "secret" not in str(attempt.failure)


def test_a_missing_blob_is_tried_again_and_then_given_up(desk: Desk, submit: Submit) -> None:
    document = submit()
    desk.blobs.delete(document.sha256)
    for _ in range(desk.settings.max_attempts):
        assert desk.store.documents.version(document.id, "me")[1] is Status.QUEUED
        desk.read_document(document.id)
    after = desk.store.documents.get(document.id, owner="me")
    assert after.failure is not None
    assert (after.status, after.failure.code, after.failure.retryable) == (Status.FAILED, "blob_missing", True)


@pytest.mark.parametrize("stop", [SystemExit(), KeyboardInterrupt()])
def test_a_process_that_is_stopped_gives_its_document_back(stop: BaseException, desk: Desk, submit: Submit) -> None:
    document = submit()
    with pytest.raises(type(stop)):
        raising(desk, stop).read_document(document.id)
    after = desk.store.documents.get(document.id, owner="me")
    assert (after.status, after.attempts) == (Status.QUEUED, 0)
    assert [each.outcome for each in desk.store.documents.attempts(document.id, "me")] == [Outcome.RELEASED]
    assert desk.sweep().sent == 1


class Interrupted(Reader):
    """A reader in whose middle something happens."""

    happens: Callable[[], object]

    def read_page(self, data: bytes, index: int, *, request: ReadRequest) -> PageResult:
        """Read, and let it happen."""
        result = super().read_page(data, index, request=request)
        self.happens()
        return result


def interrupted(desk: Desk, happens: Callable[[], object]) -> Desk:
    reader = Interrupted(desk.readers()._networks, desk.settings)
    reader.happens = happens
    return dataclasses.replace(desk, readers=lambda: reader)


def blobs(tmp_path: Path) -> set[str]:
    return {file.name for file in (tmp_path / "blobs").glob("??/??/*")}


def test_a_document_that_is_deleted_while_it_is_read_leaves_no_picture(
    desk: Desk, submit: Submit, tmp_path: Path
) -> None:
    document = submit()
    delete = partial(desk.store.documents.delete, document.id, "me", remove=desk.blobs.delete)
    interrupted(desk, delete).read_document(document.id)
    assert blobs(tmp_path) == set()


def test_a_page_whose_document_is_deleted_while_it_is_read_leaves_no_picture(
    desk: Desk, submit: Submit, tmp_path: Path
) -> None:
    document = submit(tiff_bytes(["12", "34"], seed=1))
    desk.read_document(document.id)
    drain(desk.dispatcher)
    desk.read_page(document.id, 0)
    delete = partial(desk.store.documents.delete, document.id, "me", remove=desk.blobs.delete)
    interrupted(desk, delete).read_page(document.id, 1)
    assert blobs(tmp_path) == set()


def test_a_picture_that_another_document_shows_too_stays(desk: Desk, submit: Submit, tmp_path: Path) -> None:
    twin, document = submit(), submit()
    desk.read_document(twin.id)
    before = blobs(tmp_path)
    interrupted(desk, lambda: desk.store.documents.cancel(document.id, "me")).read_document(document.id)
    assert blobs(tmp_path) == before
    assert desk.blobs.get(desk.store.documents.preview(twin.id, 0, owner="me"))


def test_a_picture_that_goes_with_its_twin_is_stored_again(
    desk: Desk, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = submit()
    complete = desk.store.claims.complete_document

    def complete_late(claim: Claim, reading: DocumentReading, previews: Sequence[str | None] = ()) -> bool:
        for preview in previews:
            desk.blobs.delete(preview or "")
        return complete(claim, reading, previews)

    monkeypatch.setattr(desk.store.claims, "complete_document", complete_late)
    desk.read_document(document.id)
    assert desk.blobs.get(desk.store.documents.preview(document.id, 0, owner="me"))


def test_a_picture_that_cannot_be_removed_now_fails_nothing(
    desk: Desk, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(sha256: str) -> None:
        raise BlobStoreUnavailable(sha256)

    document = submit()
    monkeypatch.setattr(desk.blobs, "delete", away)
    interrupted(desk, lambda: desk.store.documents.cancel(document.id, "me")).read_document(document.id)
    assert desk.store.documents.attempts(document.id, "me") == ()
    assert desk.store.documents.version(document.id, "me")[1] is Status.CANCELLED


def test_with_the_database_away_nothing_is_claimed_and_nothing_raised(
    desk: Desk, submit: Submit, tmp_path: Path
) -> None:
    document = submit()
    desk.store.dispose()
    database = tmp_path / "tallyscan.db"
    database.rename(tmp_path / "away")
    database.mkdir()  # cannot be opened
    desk.read_document(document.id)
    database.rmdir()
    (tmp_path / "away").rename(database)
    assert desk.store.documents.version(document.id, "me")[1] is Status.QUEUED


def test_failures_say_what_a_caller_may_know() -> None:
    assert failure_of(EncryptedDocument()).code == "encrypted_document"
    assert (failure_of(BlobMissing()).phase, failure_of(BlobMissing()).retryable) == (Phase.FETCH, True)
    assert failure_of(ZeroDivisionError("x/0 at line 7")).message == "Something went wrong inside Tallyscan."
    assert failure_of(TimeIsUp(), time_limit_errors=(TimeIsUp,)).code == "time_limit_exceeded"
