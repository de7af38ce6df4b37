"""Where templates are kept: with a running service, or in the database of the home folder on this machine.

`open_shelf` picks one; both offer the same. A template may also be a file, or a built-in one: `find_template` takes
whatever a person names.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.errors import InvalidRequest, NotFound, UnknownTemplate
from core.settings import Settings
from forms.builtins import builtin_templates
from forms.templates import Template, fits_print, parse_template

if TYPE_CHECKING:
    from cli.client import Client
    from storage.records import TemplateRecord
    from storage.templates import Templates

MAX_FILE_BYTES = 1024 * 1024
"""As the service has it."""


MAX_REFERENCE_BYTES = 64 * 1024 * 1024
"""Larger files are not looked into."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A template and its version; None where it is a file, or built in and not used yet."""

    template: Template
    version: int | None = None
    created_at: datetime | None = None


class Shelf(Protocol):
    """Keeps templates by name, each change a new version."""

    def all(self) -> list[Kept]:
        """Return the latest version of every template, by name."""

    def get(self, name: str, version: int | None = None) -> Kept:
        """Return one version, or the latest.

        Raises:
            NotFound: there is none.
        """

    def put(self, template: Template, reference: bytes | None = None) -> Kept:
        """Store a template as the next version; the one that is the latest already stays what it is.

        Args:
            template: to be stored.
            reference: the picture that its registration names, where it names one.
        """

    def remove(self, name: str) -> None:
        """Offer a template no longer.

        Raises:
            NotFound: there is none.
        """


@contextmanager
def open_shelf(settings: Settings, *, url: str | None, key: str | None) -> Iterator[Shelf]:
    """Yield the shelf of the service that is named or runs on this machine, else that of the home folder's database.

    Raises:
        InvalidRequest: no service runs, and none ever ran from this home folder.
    """
    from cli.endpoint import announced_url

    if url or announced_url(settings):
        from cli.client import Client
        from cli.endpoint import find_endpoint

        with Client(find_endpoint(settings, url=url, key=key)) as client:
            yield _ServiceShelf(client)
        return
    from cli.keys import open_store

    with open_store(settings) as store:
        yield _StoreShelf(store.templates, settings)


def has_shelf(settings: Settings, *, url: str | None) -> bool:
    """Return whether there is a service to ask, or a database."""
    from cli.endpoint import announced_url
    from cli.keys import has_database

    return bool(url or announced_url(settings)) or has_database(settings)


def names_file(name: str) -> bool:
    """Return whether a person who names a template so means a file."""
    return name.endswith(".json") or "/" in name


def find_template(
    name: str, settings: Settings, *, url: str | None = None, key: str | None = None, version: int | None = None
) -> Kept:
    """Return the template that a person names: a file, a stored one, or a built-in one.

    Args:
        name: a path that ends with `.json`, or holds a slash; else a template's name.
        settings: of this machine.
        url: of a service to ask; None for this machine's.
        key: of that service.
        version: of a stored one; None for the latest.

    Raises:
        InvalidRequest: the file cannot be read, or is no template.
        UnknownTemplate: there is none of that name.
    """
    if names_file(name):
        return Kept(load_template(Path(name)))
    if has_shelf(settings, url=url):
        with open_shelf(settings, url=url, key=key) as shelf:
            try:
                return shelf.get(name, version)
            except NotFound:
                pass
    if version is None and name in builtin_templates():
        return Kept(builtin_templates()[name])
    raise UnknownTemplate(f"There is no template {name!r}{f' of version {version}' if version else ''}.")


def printed_versions(kept: Kept, settings: Settings) -> frozenset[int] | None:
    """Return as which versions of a form with a code its pages may have been printed; None where that is not known.

    Args:
        kept: the template by which pages are to be read.
        settings: of this machine, which it was found on.
    """
    if kept.version is None or not kept.template.registration.code:
        return None
    with open_shelf(settings, url=None, key=None) as shelf:
        known = {version: shelf.get(kept.template.name, version) for version in range(1, kept.version + 1)}
    return frozenset(version for version, each in known.items() if fits_print(kept.template, each.template))


def load_template(path: Path) -> Template:
    """Return the template in a file.

    Raises:
        InvalidRequest: it cannot be read, or is no template.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"Cannot read {path}: {error.strerror}.") from error
    if len(data) > MAX_FILE_BYTES:
        raise InvalidRequest(f"{path} is too large for a template.")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{path} is no JSON: {error}.") from error
    return parse_template(body)


def find_reference(template: Template, folder: Path) -> bytes | None:
    """Return the picture that a template's registration names, found in a folder by its SHA-256; None if it names none.

    Args:
        template: whose reference it is.
        folder: where the picture lies, under any name.

    Raises:
        InvalidRequest: it is not there.
    """
    wanted = template.registration.reference
    if wanted is None:
        return None
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
        data = _small_file(path)
        if hashlib.sha256(data).hexdigest() == wanted:
            return data
    raise InvalidRequest(f"The reference, a picture with the SHA-256 {wanted}, is not in {folder}.")


def _small_file(path: Path) -> bytes:
    """Return what a file holds; nothing of one that is too large, or may not be read, which is no reason to stop."""
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_REFERENCE_BYTES else b""
    except OSError:
        return b""


class _StoreShelf:
    """Straight on the database, so that it works while no service runs."""

    def __init__(self, templates: "Templates", settings: Settings) -> None:
        self._templates = templates
        self._settings = settings

    def all(self) -> list[Kept]:
        """Return the latest version of every template, and the built-in ones that are not stored."""
        stored = {record.name: _kept(record) for record in self._templates.latest()}
        unused = {name: Kept(each) for name, each in builtin_templates().items() if name not in stored}
        return [kept for _, kept in sorted({**stored, **unused}.items())]

    def get(self, name: str, version: int | None = None) -> Kept:
        """Return one version, or the latest."""
        try:
            return _kept(self._templates.get(name, version))
        except UnknownTemplate as error:
            raise NotFound("There is no template of that name and version.") from error

    def put(self, template: Template, reference: bytes | None = None) -> Kept:
        """Store a template as the next version."""
        if reference is not None:
            from storage.blobs import BlobStore

            BlobStore.open(self._settings.resolved_blob_url).put(reference)
        return _kept(self._templates.put(template.name, template.as_json()))

    def remove(self, name: str) -> None:
        """Offer a template no longer."""
        try:
            self._templates.remove(name)
        except UnknownTemplate as error:
            raise NotFound("There is no stored template of that name.") from error


class _ServiceShelf:
    """With a service, over HTTP."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def all(self) -> list[Kept]:
        """Return the latest version of every template."""
        return [self.get(each.name) for each in self._client.templates()]

    def get(self, name: str, version: int | None = None) -> Kept:
        """Return one version, or the latest."""
        reply = self._client.template(name, version=version)
        return Kept(parse_template(reply.template, kept=True), reply.version, reply.created_at)

    def put(self, template: Template, reference: bytes | None = None) -> Kept:
        """Store a template as the next version."""
        if reference is not None:
            self._client.add_reference(reference)
        reply = self._client.put_template(template.name, template.as_json())
        return Kept(parse_template(reply.template, kept=True), reply.version, reply.created_at)

    def remove(self, name: str) -> None:
        """Offer a template no longer."""
        self._client.remove_template(name)


def _kept(record: "TemplateRecord") -> Kept:
    return Kept(parse_template(record.body, name=record.name, kept=True), record.version, record.created_at)
