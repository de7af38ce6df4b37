"""Templates: named, versioned definitions; what they mean is the business of `forms`."""

from sqlalchemy import Connection, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.errors import DatabaseUnavailable, UnknownTemplate
from storage import mappers
from storage.clock import utc_now
from storage.engine import Database
from storage.records import TemplateRecord, TemplateRef
from storage.tables import templates

_TRIES = 5


class Templates:
    """The templates of one database."""

    def __init__(self, database: Database) -> None:
        """Work on `database`."""
        self._database = database

    def put(self, name: str, body: dict[str, object]) -> TemplateRecord:
        """Store `body` as the next version, or return the latest one when it says the same."""
        for _ in range(_TRIES):
            try:
                with self._database.write() as connection:
                    return _put(connection, name, body)
            except IntegrityError:
                continue  # another caller took this version's number
        raise DatabaseUnavailable

    def get(self, name: str, version: int | None = None) -> TemplateRecord:
        """Return one version, also of a removed template, or the latest of one that is not removed.

        Raises:
            UnknownTemplate: there is none.
        """
        query = select(templates).where(templates.c.name == name).order_by(templates.c.version.desc()).limit(1)
        if version is None:
            query = query.where(templates.c.retired_at.is_(None))
        else:
            query = query.where(templates.c.version == version)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownTemplate
        return mappers.template_record(row)

    def numbers(self, name: str) -> list[int]:
        """Return the numbers of all versions of a template, from the first on, those of a removed one too."""
        query = select(templates.c.version).where(templates.c.name == name).order_by(templates.c.version)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def latest(self) -> list[TemplateRecord]:
        """Return the latest version of every template that is not removed, by name."""
        newest = _newest().subquery()
        matches = (templates.c.name == newest.c.name) & (templates.c.version == newest.c.version)
        query = select(templates).join(newest, matches).order_by(templates.c.name)
        with self._database.read() as connection:
            return [mappers.template_record(row) for row in connection.execute(query)]

    def versions(self) -> list[TemplateRef]:
        """Return name and latest version of every template that is not removed, by name, without their bodies."""
        with self._database.read() as connection:
            return [TemplateRef(row.name, row.version) for row in connection.execute(_newest().order_by("name"))]

    def remove(self, name: str) -> None:
        """Offer a template no longer; its versions stay, for the documents that were read with them.

        Raises:
            UnknownTemplate: there is none.
        """
        statement = (
            update(templates)
            .where(templates.c.name == name, templates.c.retired_at.is_(None))
            .values(retired_at=utc_now())
        )
        with self._database.write() as connection:
            if connection.execute(statement).rowcount == 0:
                raise UnknownTemplate


def _newest() -> Select[str, int]:
    return (
        select(templates.c.name, func.max(templates.c.version).label("version"))
        .where(templates.c.retired_at.is_(None))
        .group_by(templates.c.name)
    )


def _put(connection: Connection, name: str, body: dict[str, object]) -> TemplateRecord:
    query = select(templates).where(templates.c.name == name).order_by(templates.c.version.desc()).limit(1)
    last = connection.execute(query).one_or_none()
    if last is not None and last.retired_at is None and last.body == body:
        return mappers.template_record(last)
    values = {"name": name, "version": last.version + 1 if last else 1, "body": body, "created_at": utc_now()}
    return mappers.template_record(connection.execute(insert(templates).returning(*templates.c), values).one())
