"""What the service says of itself: limits, health, readiness, who calls, what the error codes mean."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import structlog
from apiflask import APIBlueprint
from flask.typing import ResponseReturnValue

from api.auth import caller, requires
from api.openapi import answers, refuses
from api.problems import every_kind, status_of
from api.schemas import Health, Limits, ProblemType, Readiness, Session
from api.services import services
from core.errors import (
    ArtifactMismatch,
    ArtifactMissing,
    BrokerUnavailable,
    DatabaseUnavailable,
    NotFound,
    TallyscanError,
    Unavailable,
)
from core.media import ACCEPTED, ZIP
from core.settings import ACTIVE_MODEL, SHIPPED_MODEL
from storage.models import input_versions

blueprint = APIBlueprint("service", __name__)

_log = structlog.get_logger("api")

ARTIFACTS = Path(__file__).resolve().parent.parent / "model" / "artifacts"


@blueprint.get("/v1/limits")
@requires()
@blueprint.output(Limits)
def limits() -> Limits:
    """Return what is accepted: sizes, pages, file types, field types."""
    return Limits.of(services().settings, media_types=(*ACCEPTED, ZIP))


@blueprint.get("/v1/session")
@requires()
@blueprint.output(Session)
def session() -> Session:
    """Return who calls and what they may do."""
    key = caller().key
    return Session(owner=key.owner, scopes=sorted(key.scopes))


@blueprint.get("/v1/problems/<code>")
@refuses(404)
@blueprint.output(ProblemType)
def problem_type(code: str) -> ProblemType:
    """Return what an error code means; a problem's `type` leads here."""
    kind = next((kind for kind in every_kind() if kind.code == code), None)
    if kind is None:
        raise NotFound
    return ProblemType(code=code, status=status_of(kind), sentence=kind.sentence, retryable=kind.retryable)


@blueprint.get("/healthz")
@blueprint.output(Health)
def health() -> Health:
    """Say that the process is alive, whatever else is not."""
    return Health(status="ok", version=version("tallyscan"))


@blueprint.get("/readyz")
@blueprint.output(Readiness, description="Everything is there.")
@blueprint.doc(
    responses=answers(
        {
            503: {
                "description": "Something is away; `checks` says what.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}},
            }
        }
    )
)
def readiness() -> ResponseReturnValue:
    """Check the database and its schema, the queue, and that the network's files are there."""
    parts: dict[str, Callable[[], None]] = {
        "database": services().store.ping,
        "schema": _check_schema,
        "broker": _check_broker,
        "model": _check_model,
    }
    checks = {name: _outcome(check) for name, check in parts.items()}
    well = all(outcome == "ok" for outcome in checks.values())
    report = Readiness(status="ready" if well else "unavailable", checks=checks)
    return report, 200 if well else 503  # type: ignore[return-value]


def _outcome(check: Callable[[], None]) -> str:
    try:
        check()
    except TallyscanError as error:
        return error.code
    except OSError as error:  # of the folder of models, which need not be readable
        _log.warning("check_failed", error=str(error))
        return Unavailable.code
    return "ok"


def _check_schema() -> None:
    if not services().store.schema_current():
        raise DatabaseUnavailable("The database's schema is not this version's: run 'tallyscan db upgrade'.")


def _check_broker() -> None:
    if not services().broker_up():
        raise BrokerUnavailable


def _check_model() -> None:
    calibration = services().settings.calibration
    if calibration is not None and not calibration.is_file():
        raise ArtifactMissing(f"There is no calibration at {calibration}.")
    shelf, name = services().models, services().settings.model
    if name == ACTIVE_MODEL:
        name = shelf.pointer().active
    if (ARTIFACTS / name / "manifest.json").is_file():
        return
    model_id = shelf.find(name)
    shelf.check(model_id)
    _check_input(shelf.folder / model_id)


def _check_input(folder: Path) -> None:
    """Refuse a model that workers of this version refuse: they make their pictures as the shipped model takes them."""
    made = input_versions(ARTIFACTS / SHIPPED_MODEL)
    for file, version_stated in input_versions(folder).items():
        if version_stated != made[file]:
            raise ArtifactMismatch(f"The active model takes pictures of version {version_stated}, not {made[file]}.")
