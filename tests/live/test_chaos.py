"""Two hundred documents while everything is killed again and again: all are read, each once."""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator

import httpx2
import psutil
import pytest

from core.status import Status
from storage.records import Outcome
from storage.store import Store
from tests.live.conftest import StartService
from tests.live.running import RunningService, eventually
from tests.live.scans import heavy_scan, scan

pytestmark = [pytest.mark.live, pytest.mark.slow]

DOCUMENTS = 200
VICTIMS = ("reader", "reader", "reader", "reader", "reader", "worker", "api", "broker")
"""Who is killed, in a shuffled round: readers most often, as in life."""
ROUNDS = 2
VICTIM_SECONDS = 12.0
"""How long to lie in wait for somebody who is just being restarted, or has nothing to read until a lease is over."""
HEAD_START = 16
"""Documents that wait before the first death, so that readers are busy from the start."""


class Killer(threading.Thread):
    """Kills one process after another, until it has gone through its rounds."""

    def __init__(self, service: RunningService, *, seed: int) -> None:
        super().__init__(name="killer")
        self.killed: Counter[str] = Counter()
        self.over = threading.Event()
        self._service = service
        self._store: Store
        self._chance = random.Random(seed)

    def run(self) -> None:
        """Kill until all rounds are over, or there is nobody left to annoy."""
        with self._service.store() as self._store:
            self._rounds()

    def _rounds(self) -> None:
        for _ in range(ROUNDS):
            for role in self._chance.sample(VICTIMS, len(VICTIMS)):
                if self.over.wait(self._chance.uniform(0.2, 0.9)):
                    return
                self._kill(role)

    def _kill(self, role: str) -> None:
        deadline = time.monotonic() + VICTIM_SECONDS
        while not (victim := self._living(role)) and time.monotonic() < deadline and not self.over.wait(0.05):
            pass
        with contextlib.suppress(psutil.Error):
            if victim is not None:
                victim.kill()
                self.killed[role] += 1

    def _living(self, role: str) -> psutil.Process | None:
        if role != "reader":
            return self._service.child(role)
        readers = self._service.readers() if self._reading() else []
        return self._chance.choice(readers) if readers else None

    def _reading(self) -> bool:
        """Return whether somebody reads just now, so that a death costs something."""
        return any(each.status is Status.RUNNING for each in self._store.documents.recent(owner=None, limit=DOCUMENTS))


@contextlib.contextmanager
def chaos(service: RunningService, *, seed: int) -> Iterator[Killer]:
    killer = Killer(service, seed=seed)
    killer.start()
    try:
        yield killer
    finally:
        killer.over.set()
        killer.join()


def document(number: int) -> tuple[str, bytes]:
    """Return text and scan; the first, and every eighth, take long enough to die over."""
    return heavy_scan(number % 8) if number < HEAD_START or number % 8 == 0 else scan(number)


def submit_stubbornly(service: RunningService, number: int) -> str:
    """Send a document until somebody takes it; the key makes sure that it is taken once."""
    data = document(number)[1]

    def try_once() -> str | None:
        with contextlib.suppress(httpx2.HTTPError):
            answer = service.client.post(
                "/v1/documents",
                files={"file": (f"{number}.png", data)},
                data={"type": "digits"},
                headers={"Idempotency-Key": f"chaos-{number}"},
            )
            assert answer.status_code in {202, 503}, answer.text
            return str(answer.json()["id"]) if answer.status_code == 202 else None
        return None

    return str(eventually(try_once, seconds=40, what=f"document {number} to be taken"))


@pytest.fixture(params=["sqlite", "postgresql"])
def victim(request: pytest.FixtureRequest, start_service: StartService) -> RunningService:
    """A service that forgives as many lost attempts as it takes."""
    url = request.getfixturevalue("postgres_database") if request.param == "postgresql" else ""
    return start_service(database_url=url, max_attempts="50")


def test_whatever_is_killed_every_document_is_read_once(victim: RunningService) -> None:
    ids = [submit_stubbornly(victim, number) for number in range(HEAD_START)]
    with chaos(victim, seed=20) as killer:
        ids += [submit_stubbornly(victim, number) for number in range(HEAD_START, DOCUMENTS)]
        killer.join(timeout=90)
    assert set(killer.killed) == set(VICTIMS)
    assert killer.killed.total() >= 16

    with victim.store() as store:
        eventually(
            lambda: not [each for each in ids if str(store.documents.version(each, None)[1]) in {"queued", "running"}],
            seconds=60,
            pause=0.5,
            what="every document to end",
        )
        documents = [store.documents.get(document_id, owner=None) for document_id in ids]
        attempts = [Counter(each.outcome for each in store.documents.attempts(each_id, None)) for each_id in ids]
        assert len(store.documents.recent(owner=None, limit=DOCUMENTS + 1)) == DOCUMENTS

    assert Counter(str(document.status) for document in documents) == {"done": DOCUMENTS}
    texts = [page.fields[0].text for document in documents for page in document.pages]
    assert texts == [document(number)[0] for number in range(DOCUMENTS)]
    assert all(outcomes[Outcome.DONE] == 1 for outcomes in attempts)
    lost = sum(outcomes.total() for outcomes in attempts) - DOCUMENTS
    assert lost > 0, "nobody was killed over a document: this test shows nothing"
    assert {outcome for outcomes in attempts for outcome in outcomes} <= {
        Outcome.DONE,
        Outcome.LOST,
        Outcome.RELEASED,
        Outcome.REQUEUED,
    }
