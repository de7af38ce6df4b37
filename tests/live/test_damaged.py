"""Damaged files through the real service: each ends as it should, and no worker process dies of one."""

import pytest

from core.media import SNIFF_BYTES, sniff
from tests.live.conftest import StartService
from tests.live.running import RunningService, eventually
from tests.mutations import mutate
from tests.segmentation.fuzz_child import originals
from tests.segmentation.test_fuzz import KNOWN

pytestmark = pytest.mark.live

COUNT = 150


def test_damaged_files_end_and_the_workers_live_on(start_service: StartService) -> None:
    service = start_service()
    readers = eventually(lambda: service.readers() if len(service.readers()) == 2 else None, seconds=20, what="readers")
    before = {process.pid for process in readers}
    accepted = [submit(service, mutation.data) for mutation in mutate(originals(), count=COUNT, seed=77)]
    ids = [document_id for document_id in accepted if document_id]

    ended = [service.ended(document_id, seconds=90) for document_id in ids]

    assert len(ids) > COUNT // 2
    assert {document["status"] for document in ended} == {"done", "failed"}
    assert {document["failure"]["code"] for document in ended if document["failure"]} <= KNOWN
    assert {document["attempts"] for document in ended} == {1}
    assert {process.pid for process in service.readers()} == before


def submit(service: RunningService, data: bytes) -> str | None:
    """Send a file; return its document's id, or None when it was rightly refused at once."""
    answer = service.client.post("/v1/documents", files={"file": ("damaged", data)}, data={"type": "digits"})
    if answer.status_code == 202:
        return str(answer.json()["id"])
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert sniff(data[:SNIFF_BYTES]) is None
    return None
