"""The loop from corrections, through the real service: correct, export, learn, promote, refuse, go back, under load."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from core.codec import to_json
from core.settings import Settings
from storage.models import ModelShelf
from tests.corrected import corrected_folder, leaning_png, number
from tests.factories import tiff_bytes
from tests.live.conftest import StartService
from tests.live.running import RunningService, eventually
from worker.networks import open_named
from worker.pipeline import Reader, ReadRequest

pytest.importorskip("tensorflow", reason="the train extra is not installed")

FINETUNE_SECONDS = 1200
"""It takes half a minute alone; beside other work, much longer."""

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(FINETUNE_SECONDS)]

BASE = "digits-open"
"""To learn from: one network, where the default has two."""

CORRECTED = 48


class Submitter(threading.Thread):
    """Sends one document after another until it is told to stop, long ones among them."""

    def __init__(self, service: RunningService) -> None:
        super().__init__(name="submitter")
        self.sent: dict[str, bytes] = {}
        self.over = threading.Event()
        self._service = service

    def run(self) -> None:
        """Send; what is under way is kept small, so that the queue spans each promotion and no more."""
        place = 1000
        while not self.over.wait(0.2):
            long = place % 10 == 0
            data = tiff_bytes(["314", "1592", "65358"], seed=place) if long else leaning_png(place)
            self.sent[self._service.submit(data, type="digits")] = data
            place += 1


@pytest.fixture(scope="module")
def busy(start_service: StartService) -> RunningService:
    """A service whose active model is `BASE`."""
    service = start_service()
    tallyscan(service, "models", "promote", BASE)
    return service


@pytest.fixture(scope="module")
def corrections(busy: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corrections given over HTTP, and exported over HTTP."""
    ids = [busy.submit(leaning_png(place), type="digits") for place in range(CORRECTED)]
    for place, document_id in enumerate(ids):
        field = busy.ended(document_id)["pages"][0]["fields"][0]["name"]
        said = {"field": field, "text": number(place)}
        answer = busy.client.post(f"/v1/documents/{document_id}/corrections", json=said)
        assert answer.status_code == 201, answer.text
    folder = tmp_path_factory.mktemp("exported") / "corrected"
    key = (busy.home / "admin.key").read_text().strip()
    tallyscan(busy, "corrections", "export", str(folder), "--url", busy.url, "--key", key)
    return folder


@pytest.fixture(scope="module")
def learnt(busy: RunningService, corrections: Path) -> str:
    """The id of the model that came of them, promoted by nobody yet."""
    options = ("--epochs", "3", "--lines", "256", "--no-promote")
    done = tallyscan(busy, "finetune", "--corrections", str(corrections), *options, codes=(0, 1))
    return done.stdout.splitlines()[0]


def tallyscan(
    service: RunningService, *arguments: str, codes: tuple[int, ...] = (0,)
) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("tallyscan")), *arguments]
    done = subprocess.run(
        command, env=service.environment, capture_output=True, text=True, timeout=FINETUNE_SECONDS, check=False
    )
    assert done.returncode in codes, done.stdout + done.stderr
    return done


def active(service: RunningService) -> str:
    return ModelShelf(service.home / "models").pointer().active


def readers(service: RunningService, *models: str) -> dict[str, Reader]:
    """Return readers in this process by the SHA-256 that readings name them by."""
    settings = Settings(home=service.home)
    found = [Reader.of(open_named(model, settings), settings) for model in models]
    return {reader.info.sha256: reader for reader in found}


def read_by(service: RunningService, place: int) -> str:
    """Return the SHA-256 of what reads a document now."""
    document = service.ended(service.submit(leaning_png(place), type="digits"))
    assert document["status"] == "done"
    return str(document["reader"]["sha256"])


def pages_by(reader: Reader, data: bytes) -> list[dict[str, Any]]:
    return [to_json(page) for page in reader.read(data, request=ReadRequest("digits")).pages]


def test_corrections_are_exported_with_their_fields_and_digits(corrections: Path) -> None:
    provenance = json.loads((corrections / "provenance.json").read_text())
    assert (provenance["fields"], provenance["documents"]) == (CORRECTED, CORRECTED)
    assert len(list((corrections / "fields").glob("*.png"))) == CORRECTED
    assert len(list((corrections / "digits").glob("?/*.png"))) == provenance["digits"]


def test_the_new_model_reads_the_users_hand_better_and_says_so(busy: RunningService, learnt: str) -> None:
    card = json.loads(tallyscan(busy, "models", "show", learnt[:12], "--format", "json").stdout)
    own = card["figures"]["corrections"]
    assert own["after"]["right"] > own["before"]["right"]
    assert card["base"]["model"] == BASE
    assert card["corrections"]["learnt"] + card["corrections"]["held_out"] == CORRECTED
    assert active(busy) == BASE, "nobody has promoted it"


def test_promotion_and_rollback_under_load_lose_and_misattribute_nothing(busy: RunningService, learnt: str) -> None:
    by_sha256 = readers(busy, BASE, learnt)
    submitter = Submitter(busy)
    submitter.start()
    try:
        for step in (("promote", learnt, "--anyway"), ("rollback",), ("promote", learnt[:12], "--anyway")):
            enough = len(submitter.sent) + 20
            eventually(lambda enough=enough: len(submitter.sent) >= enough, seconds=120, what="twenty more documents")
            tallyscan(busy, "models", *step)
    finally:
        submitter.over.set()
        submitter.join()
    documents = {each: busy.ended(each, seconds=240) for each in submitter.sent}
    assert {document["status"] for document in documents.values()} == {"done"}
    assert {document["attempts"] for document in documents.values()} == {1}
    seen = set()
    for document_id, document in documents.items():
        for page in document["pages"]:
            sha256 = page["reader"]["sha256"]
            seen.add(sha256)
            assert page == pages_by(by_sha256[sha256], submitter.sent[document_id])[page["index"]], document_id
    assert seen == set(by_sha256), "both models have read"
    assert any(
        pages_by(one, data)[0]["fields"] != pages_by(other, data)[0]["fields"]
        for data in list(submitter.sent.values())[:20]
        for one, other in [by_sha256.values()]
    ), "or the comparison shows nothing"


def test_a_model_that_learnt_wrong_is_refused(busy: RunningService, learnt: str, tmp_path: Path) -> None:
    before = active(busy)
    wrong = corrected_folder(tmp_path / "wrong", 40, wrong=True)
    done = tallyscan(busy, "finetune", "--corrections", str(wrong), "--epochs", "1", "--lines", "64", codes=(1,))
    assert "is not promoted" in done.stderr, done.stderr
    bad = done.stdout.splitlines()[0]
    assert bad != learnt
    refused = tallyscan(busy, "models", "promote", bad, codes=(1,))
    assert refused.stderr.endswith("(model_refused)\n")
    assert active(busy) == before
    assert read_by(busy, 501) == learnt


def test_a_damaged_model_is_told_of_and_an_earlier_one_reads(busy: RunningService, learnt: str) -> None:
    assert read_by(busy, 502) == learnt
    assert busy.client.get("/readyz").status_code == 200
    network = busy.home / "models" / learnt / "line-1.tflite"
    content = network.read_bytes()
    network.write_bytes(content[:-1] + b"\0\0")
    try:
        assert busy.client.get("/readyz").json()["checks"]["model"] == "artifact_mismatch"
        assert "models rollback" in tallyscan(busy, "doctor", codes=(1,)).stdout
        assert read_by(busy, 503) == learnt, "who has it already reads on with it"
        for process in busy.readers():
            process.kill()
        (base,) = readers(busy, BASE)
        eventually(lambda: read_by(busy, 504) == base, seconds=60, what="new processes to read with the one before")
    finally:
        network.write_bytes(content)
    tallyscan(busy, "models", "rollback")
    assert busy.client.get("/readyz").status_code == 200
    assert read_by(busy, 505) == base
