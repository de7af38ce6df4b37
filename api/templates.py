"""`/v1/templates`: forms by name, each change a new version; every owner reads with the same ones.

A built-in template is offered beside the stored ones. It is stored when it is first used, so that the document can
name the version that read it; what is stored under its name wins.
"""

from apiflask import APIBlueprint
from flask import url_for
from flask.typing import ResponseReturnValue

from api.auth import requires
from api.openapi import LOCATION, answers, refuses
from api.services import services
from api.template_schemas import (
    Reference,
    ReferenceForm,
    TemplateList,
    TemplateQuery,
    TemplateSummary,
    TemplateVersion,
)
from api.uploads import limit_body, limit_json
from core.errors import InvalidRequest, NotFound, UnknownTemplate, UnsupportedMediaType
from core.media import SNIFF_BYTES, ZIP, sniff
from forms.builtins import builtin_template, builtin_templates
from forms.templates import Template
from storage.records import Scope, TemplateRecord
from storage.templates import Templates

blueprint = APIBlueprint("templates", __name__, url_prefix="/v1/templates")

MAX_BYTES = 1024 * 1024
"""Of a template's JSON: 500 fields with all their options take a fifth of it."""


@blueprint.get("")
@requires(Scope.READ)
@blueprint.output(TemplateList)
def list_templates() -> TemplateList:
    """List the templates: the latest version of each, and the built-in ones that nobody has used yet."""
    stored = {record.name: TemplateSummary.of(record) for record in services().store.templates.latest()}
    unused = [TemplateSummary.of_builtin(each) for name, each in builtin_templates().items() if name not in stored]
    return TemplateList(templates=sorted([*stored.values(), *unused], key=lambda each: each.name))


@blueprint.get("/<name>")
@requires(Scope.READ)
@refuses(404, 422)
@blueprint.input(TemplateQuery, location="query", arg_name="query")
@blueprint.output(TemplateVersion)
def show(name: str, query: TemplateQuery) -> TemplateVersion:
    """Return a template: its latest version, or the one that is asked for, of a removed template too."""
    try:
        return TemplateVersion.of(services().store.templates.get(name, query.version))
    except UnknownTemplate as error:
        builtin = builtin_templates().get(name)
        if builtin is None or query.version is not None:
            raise NotFound("There is no template of that name and version.") from error
        return TemplateVersion(name=name, version=None, created_at=None, template=builtin)


@blueprint.post("/references")
@requires(Scope.ADMIN)
@limit_body(files=1)
@refuses(413, 415, 422)
@blueprint.input(ReferenceForm, location="form_and_files", arg_name="form")
@blueprint.output(Reference, status_code=201, description="It is stored; templates may name it.")
def add_reference(form: ReferenceForm) -> ResponseReturnValue:
    """Store a picture of an empty form, which a template names by its SHA-256 as its reference."""
    stream = form.file.stream
    media_type = sniff(stream.read(SNIFF_BYTES))
    if media_type is None or media_type == ZIP:
        raise UnsupportedMediaType
    stream.seek(0)
    sha256, _ = services().keep(stream, services().settings.max_file_bytes)
    return Reference(sha256=sha256), 201  # type: ignore[return-value]


@blueprint.put("/<name>")
@requires(Scope.ADMIN)
@limit_json(MAX_BYTES)
@refuses(400, 413, 422)
@blueprint.input(Template, location="json", arg_name="body")
@blueprint.output(TemplateVersion, description="It is the latest version now.")
@blueprint.doc(responses=answers({200: {"headers": LOCATION}}))
def put(name: str, body: Template) -> ResponseReturnValue:
    """Store a template as the next version of its name; the one that is the latest already stays what it is."""
    if body.name != name:
        raise InvalidRequest(
            f"The template is called {body.name!r} inside, and is to be stored as {name!r}.", field="name"
        )
    record = _put(body)
    location = url_for("templates.show", name=name, version=record.version)
    return TemplateVersion.of(record), 200, {"Location": location}  # type: ignore[return-value]


def _put(body: Template) -> TemplateRecord:
    store, reference = services().store, body.registration.reference
    if reference is None:
        return store.templates.put(body.name, body.as_json())
    # A document of the same bytes may be deleted just now, and the picture with it.
    with store.arrivals.spared(reference):
        if not services().blobs.exists(reference):
            raise InvalidRequest(
                "The reference is not here: send the picture to /v1/templates/references first.",
                field="registration.reference",
            )
        return store.templates.put(body.name, body.as_json())


@blueprint.delete("/<name>")
@requires(Scope.ADMIN)
@refuses(404)
@blueprint.doc(responses=answers({204: {"description": "It is offered no longer."}}))
def remove(name: str) -> ResponseReturnValue:
    """Offer a template no longer; documents that were read with it keep their version."""
    try:
        services().store.templates.remove(name)
    except UnknownTemplate as error:
        raise NotFound("There is no stored template of that name.") from error
    return "", 204


def require_template(stored: Templates, name: str) -> TemplateRecord:
    """Return the latest version of a template that a document is to be read by, a built-in one stored now.

    Raises:
        UnknownTemplate: there is none.
    """
    try:
        return stored.get(name)
    except UnknownTemplate:
        return stored.put(name, builtin_template(name).as_json())
