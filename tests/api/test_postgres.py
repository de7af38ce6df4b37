"""The same interface on PostgreSQL: the paths on which the databases differ."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage import migrate
from tests.api.conftest import Service, StartService, scan
from tests.services import create_database, drop_database


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """A migrated database of its own."""
    url = create_database(postgres_url)
    migrate.upgrade(url)
    yield url
    drop_database(url)


@pytest.fixture
def service(start_service: StartService, database_url: str) -> Iterator[Service]:
    """The application on PostgreSQL."""
    service = start_service(database_url=database_url)
    yield service
    service.services.close()


def test_from_upload_to_table(service: Service) -> None:
    caller, stranger = service.caller("clearing"), service.caller("audit")
    batch = caller.batch({"a.png": scan(1), "b.png": scan(2)}, name="june", type="digits", tags="x,y").json
    path = f"/v1/batches/{batch['id']}"
    first = caller.get(f"/v1/documents?batch={batch['id']}").json["documents"][-1]
    service.read(first["id"])
    assert caller.get(f"/v1/documents/{first['id']}?wait=1").json["status"] == "done"
    assert caller.get(f"/v1/documents/{first['id']}/pages/0.webp").status_code == 200
    assert caller.get(path).json["counts"] == {"queued": 1, "running": 0, "done": 1, "failed": 0, "cancelled": 0}
    assert len(caller.get(f"{path}/results.csv").text.splitlines()) == 3
    assert stranger.get(path).status_code == 404
    assert caller.call("DELETE", f"/v1/documents/{first['id']}").status_code == 204
    assert 'tallyscan_documents{status="queued"} 1.0' in service.client.get("/metrics").text


def test_a_race_under_one_key_has_one_winner(service: Service) -> None:
    callers = [service.caller("clearing") for _ in range(8)]
    data = scan(1)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda caller: caller.submit(data, key="race"), callers))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json["id"] for answer in answers}) == 1


@pytest.mark.parametrize("path", ["/v1/documents/%00", "/v1/documents/a%00b/pages/0.webp", "/v1/batches/%00"])
def test_characters_that_postgres_cannot_hold_are_no_server_error(path: str, service: Service) -> None:
    answer = service.caller("clearing").get(path)
    assert answer.status_code in {404, 422}
    assert answer.mimetype == "application/problem+json"
