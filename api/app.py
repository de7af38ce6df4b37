"""The application factory: settings in, a Flask application out; nothing is connected before the first request."""

from importlib.metadata import version

import structlog
from apiflask import APIFlask

from api import (
    access_log,
    auth,
    batches,
    corrections,
    digits,
    documents,
    metrics,
    openapi,
    polling,
    problems,
    service,
    templates,
    throttle,
    uploads,
    web,
)
from api.services import EXTENSION, Services
from core.settings import Settings
from storage.folders import former_folder

FIELD_BYTES = 512 * 1024
"""Largest form field that is not a file. Werkzeug holds its own parsing buffer to it, too: a chunk of 64 KiB and what
is left of the one before, so 64 KiB would refuse ordinary files."""

_log = structlog.get_logger("api")


def create_app(settings: Settings | None = None) -> APIFlask:
    """Return the HTTP interface of one installation.

    Args:
        settings: how it runs; from the environment when None.
    """
    settings = settings or Settings()
    _tell_of_scans_elsewhere(settings)
    app = APIFlask(
        "api",
        title="Tallyscan",
        version=version("tallyscan"),
        docs_path=None,
        static_folder=str(web.PAGE_FOLDER),
        static_url_path="/static",
    )
    app.request_class = uploads.FormRequest
    app.config.update(MAX_CONTENT_LENGTH=settings.max_request_bytes, MAX_FORM_MEMORY_SIZE=FIELD_BYTES)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of Flask's own provider
    app.extensions[EXTENSION] = Services(settings)
    problems.install(app)
    web.install(app, settings)
    # In this order: the log's clock starts first, and the rate is counted for the caller that was found.
    access_log.install(app)
    auth.install(app)
    throttle.install(app, settings)
    polling.install(app, settings)
    openapi.install(app)
    for module in (documents, batches, corrections, digits, templates, service, metrics, web):
        app.register_blueprint(module.blueprint)
    return app


def _tell_of_scans_elsewhere(settings: Settings) -> None:
    url = settings.resolved_blob_url
    found = former_folder(url, home=settings.home)
    if found is not None:
        _log.warning("scans lie in another folder: move what is in it", found=str(found), to=url)
