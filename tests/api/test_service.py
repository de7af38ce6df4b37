"""What the service says of itself, the page it serves, and the headers on everything."""

import json
import logging
import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from api import recent
from api.app import create_app
from api.service import ARTIFACTS
from api.services import EXTENSION
from core.errors import ArtifactMismatch, BrokerUnavailable
from core.media import ACCEPTED
from core.settings import SHIPPED_MODEL, Settings
from tests.api.conftest import Caller, Service, StartService
from worker.networks import open_model


def test_limits_are_those_of_the_settings(start_service: StartService) -> None:
    body = start_service(max_pages=7).caller("clearing").get("/v1/limits").json
    assert body["max_pages"] == 7
    assert set(ACCEPTED) < set(body["media_types"])
    assert set(body["types"]) >= {"digit", "digits"}
    assert body["priorities"] == ["high", "normal", "bulk"]


def test_health_needs_nothing(start_service: StartService) -> None:
    service = start_service(database_url="postgresql://nobody@127.0.0.1:1/none")
    assert service.client.get("/healthz").json["status"] == "ok"


def test_readiness_names_what_is_away(service: Service) -> None:
    answer = service.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "unavailable",
        "checks": {"database": "ok", "schema": "ok", "broker": "broker_unavailable", "model": "ok"},
    }


def test_readiness_when_all_is_well(start_service: StartService, redis_url: str) -> None:
    answer = start_service(broker_url=redis_url).client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")


def test_readiness_sees_a_database_that_was_not_migrated(start_service: StartService, tmp_path: Path) -> None:
    service = start_service(database_url=f"sqlite:///{tmp_path / 'empty.db'}")
    assert service.client.get("/readyz").json["checks"]["schema"] == "database_unavailable"


def test_readiness_looks_at_the_model_that_is_promoted(service: Service, tmp_path: Path) -> None:
    def model() -> str:
        return str(service.client.get("/readyz").json["checks"]["model"])

    shelf = service.services.models
    source = tmp_path / "source"
    source.mkdir()
    (source / "model.tflite").write_text("network")
    model_id = shelf.add(source)
    shelf.promote(model_id)
    assert model() == "ok"
    (shelf.folder / model_id / "model.tflite").write_text("otherwise")
    assert model() == "artifact_mismatch"
    (shelf.folder / model_id / "model.tflite").unlink()
    assert model() == "artifact_missing"
    shelf.rollback()
    assert model() == "ok"
    (shelf.folder / "active.json").write_text("{")
    assert model() == "artifact_mismatch"


@pytest.mark.parametrize(
    ("file", "name"), [("line.json", "line_version"), ("manifest.json", "normalisation_version")], ids=["line", "glyph"]
)
def test_readiness_sees_a_model_that_learnt_from_other_pictures(
    service: Service, tmp_path: Path, file: str, name: str
) -> None:
    def promoted(source: Path) -> str:
        service.services.models.promote(service.services.models.add(source))
        return str(service.client.get("/readyz").json["checks"]["model"])

    source = shutil.copytree(ARTIFACTS / SHIPPED_MODEL, tmp_path / "source")
    assert promoted(source) == "ok"
    open_model(service.services.settings)
    stated = json.loads((source / file).read_text("utf-8"))
    (source / file).write_text(json.dumps({**stated, name: "another"}), "utf-8")
    assert promoted(source) == "artifact_mismatch"
    with pytest.raises(ArtifactMismatch):
        open_model(service.services.settings)


def test_readiness_survives_models_that_cannot_be_looked_at(start_service: StartService, tmp_path: Path) -> None:
    # No folder is closed to the tests' own user: a name that is too long fails just as a folder without permission.
    answer = start_service(models=tmp_path / ("x" * 300), model="abcdef012345").client.get("/readyz")
    assert (answer.status_code, answer.json["checks"]["model"]) == (503, "unavailable")


def test_readiness_sees_a_calibration_that_is_not_there(start_service: StartService, tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    client = start_service(calibration=file).client
    assert client.get("/readyz").json["checks"]["model"] == "artifact_missing"
    file.write_text("{}")
    assert client.get("/readyz").json["checks"]["model"] == "ok"


def test_scans_that_an_earlier_version_kept_elsewhere_are_told_of(tmp_path: Path) -> None:
    def told() -> list[str]:
        with capture_logs() as lines:
            create_app(Settings(home=home)).extensions[EXTENSION].close()
        return [line["found"] for line in lines if "found" in line]

    home = tmp_path / "h us"
    assert told() == []
    elsewhere = tmp_path / "h%20us" / "blobs"
    (elsewhere / "ab").mkdir(parents=True)
    assert told() == [str(elsewhere)]


def test_metrics_count_documents(service: Service, caller: Caller) -> None:
    ids = [caller.submit(priority=priority).json["id"] for priority in ("high", "normal", "normal")]
    service.read(ids[0])
    answer = service.client.get("/metrics")
    assert answer.mimetype == "text/plain"
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["tallyscan_documents", "done"] == 1
    assert samples["tallyscan_documents", "queued"] == 2
    assert samples["tallyscan_documents", "failed"] == 0
    assert samples["tallyscan_documents_queued", "normal"] == 2
    assert samples["tallyscan_documents_queued", "high"] == 0
    assert 0 < samples["tallyscan_oldest_queued_seconds",] < 60
    assert samples["tallyscan_broker_up",] == 0


def test_metrics_are_counted_once_a_second(service: Service, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def queued() -> str:
        lines = service.client.get("/metrics").text.splitlines()
        return next(line for line in lines if line.startswith('tallyscan_documents{status="queued"}'))

    monkeypatch.setattr(recent, "LEAST_SECONDS", 3600.0)
    assert queued().endswith(" 0.0")
    caller.submit()
    assert queued().endswith(" 0.0")
    monkeypatch.setattr(service.services._totals, "_until", 0.0)
    assert queued().endswith(" 1.0")


def test_a_silent_broker_costs_many_scrapes_one_short_wait(start_service: StartService, tmp_path: Path) -> None:
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as broker:
        broker.bind(f"{folder}/broker.sock")
        broker.listen(64)
        url = f"redis+socket://{folder}/broker.sock"
        service = start_service(broker_url=url, broker_connect_timeout_seconds=0.5)
        began = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: service.client.application.test_client().get("/metrics"), range(16)))
        assert time.monotonic() - began < 3 * 0.5
    assert {answer.status_code for answer in answers} == {200}
    assert all("tallyscan_broker_up 0.0" in answer.text for answer in answers)


def test_metrics_see_a_broker_that_came_back(
    start_service: StartService, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start_service(broker_url=redis_url)
    monkeypatch.setattr(recent, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(recent, "PAUSES", 0.0)
    with monkeypatch.context() as away:
        away.setattr(service.services.dispatcher, "ping", _refuse)
        assert "tallyscan_broker_up 0.0" in service.client.get("/metrics").text
    assert "tallyscan_broker_up 1.0" in service.client.get("/metrics").text


def test_readiness_and_metrics_ask_the_broker_once_a_second(
    start_service: StartService, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, asked = start_service(broker_url=redis_url), list[object]()
    monkeypatch.setattr(recent, "LEAST_SECONDS", 3600.0)
    monkeypatch.setattr(service.services.dispatcher, "ping", lambda: asked.append(None))
    answers = [service.client.get(path) for path in ("/readyz", "/metrics", "/readyz")]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(asked) == 1


def _refuse() -> None:
    raise BrokerUnavailable


def test_metrics_that_failed_are_not_counted_again_at_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    path = service.services.settings.home / "tallyscan.db"
    monkeypatch.setattr(recent, "LEAST_SECONDS", 3600.0)
    path.rename(path.with_suffix(".gone"))
    assert service.client.get("/metrics").json["code"] == "database_unavailable"
    service.services.store.dispose()
    path.unlink(missing_ok=True)
    path.with_suffix(".gone").rename(path)
    assert service.client.get("/metrics").json["code"] == "database_unavailable"
    monkeypatch.setattr(service.services._totals, "_until", 0.0)
    assert service.client.get("/metrics").status_code == 200


def test_the_page_comes_with_everything_from_here(service: Service) -> None:
    with service.client.get("/") as page, service.client.get("/static/app.js") as script:
        assert page.mimetype == "text/html"
        assert script.mimetype == "text/javascript"
    assert service.client.get("/static/../app.py").status_code == 404


@pytest.mark.parametrize("path", ["/", "/v1/documents", "/v1/nothing", "/openapi.json", "/healthz"])
def test_every_answer_is_fenced_in(path: str, service: Service) -> None:
    with service.client.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_readings_stay_out_of_shared_caches(caller: Caller) -> None:
    answer = caller.get("/v1/documents")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= set(answer.headers["Vary"].split(", "))


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]) -> Iterator[list[dict[str, object]]]:
    """Return a list that is filled with what was logged, once `capsys` is read."""
    import structlog

    from core.logging import configure_logging

    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    lines: list[dict[str, object]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(formatter.format(record)))

    configure_logging("INFO", json=True)
    formatter = root.handlers[0].formatter
    assert formatter is not None
    root.handlers[:] = [Keep()]
    yield lines
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_requests_are_logged_with_their_document_and_without_secrets(
    log_lines: list[dict[str, object]], start_service: StartService
) -> None:
    service = start_service()
    caller = service.caller("clearing")
    document_id = caller.submit().json["id"]
    caller.get(f"/v1/documents/{document_id}")
    service.client.get("/login?token=very-secret")
    requests = [line for line in log_lines if line["event"] == "request"]
    assert [line.get("document_id") for line in requests] == [document_id, document_id, None]
    assert [(line["method"], line["status"]) for line in requests] == [("POST", 202), ("GET", 200), ("GET", 401)]
    assert requests[0]["key_id"] == caller.key_id
    everything = json.dumps(log_lines)
    assert caller.secret not in everything
    assert "very-secret" not in everything
