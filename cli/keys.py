"""`tallyscan keys`: who may use the service; straight on the database, so that it works before any key exists."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import answer_format, examples, home_option, load_settings
from cli.output import print_json, print_table
from cli.terminal import say
from core.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from core.settings import Settings
    from storage.records import KeyRecord
    from storage.store import Store

SCOPES = ("submit", "read", "admin")


@click.group()
def keys() -> None:
    """Create, list and revoke API keys.

    An owner sees only what was sent with keys of the same owner; the scope admin sees everything.
    """


@keys.command(
    short_help="Create a key and show its secret, this once.",
    epilog=examples(
        "tallyscan keys create scanner-room", "tallyscan keys create auditor --owner clearing --scope read"
    ),
)
@click.argument("name")
@click.option("--owner", help="Whose documents the key sees [default: NAME].")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    default=("submit", "read"),
    show_default=True,
    help="What the key may do; give it more than once for more.",
)
@home_option
@answer_format
def create(name: str, owner: str | None, scopes: tuple[str, ...], home: Path | None, format_name: str) -> None:
    """Create a key and show its secret, this once: only a hash of it is kept."""
    with open_store(load_settings(home)) as store:
        record, secret = store.keys.create(owner=owner or name, name=name, scopes=frozenset(scopes))
    if format_name == "json":
        print_json({**_as_json(record), "secret": secret})
        return
    click.echo(secret)
    say("Keep this secret now: it cannot be shown again. Use it as TALLYSCAN_KEY or --key.", err=True)


@keys.command("list", epilog=examples("tallyscan keys list --format json"))
@click.option("--owner", help="Only keys of this owner.")
@home_option
@answer_format
def list_keys(owner: str | None, home: Path | None, format_name: str) -> None:
    """List the keys, without their secrets."""
    with open_store(load_settings(home)) as store:
        records = store.keys.list(owner)
    if format_name == "json":
        print_json([_as_json(record) for record in records])
        return
    columns = ("id", "name", "owner", "scopes", "created", "last used", "revoked")
    print_table(columns, (_cells(record) for record in records))


@keys.command(epilog=examples("tallyscan keys revoke 01J8ZQ5T"))
@click.argument("key_id", metavar="ID")
@home_option
def revoke(key_id: str, home: Path | None) -> None:
    """Revoke a key; what was sent with it stays."""
    with open_store(load_settings(home)) as store:
        try:
            store.keys.revoke(key_id)
        except NotFound as error:
            raise NotFound(f"There is no key with the id {key_id!r}: 'tallyscan keys list' shows them.") from error
    say(f"{key_id} revoked")


@contextmanager
def open_store(settings: "Settings") -> "Iterator[Store]":
    """Yield the database of an installation.

    Raises:
        InvalidRequest: there is none yet, or its schema is of another version.
    """
    from storage.store import Store

    if not has_database(settings):
        raise InvalidRequest(
            f"There is no database in {settings.home}: run 'tallyscan up' once, or name its home folder by --home."
        )
    store = Store.open(settings)
    try:
        if not store.schema_current():
            raise InvalidRequest("The database's schema is not up to date: run 'tallyscan db upgrade'.")
        yield store
    finally:
        store.dispose()


def has_database(settings: "Settings") -> bool:
    """Return whether the settings name a database, or one is in the home folder, which may hold models alone.

    Looked at before anything is opened: SQLite makes a file that is not there, and that file would be empty.
    """
    return bool(settings.database_url) or (settings.home / "tallyscan.db").is_file()


def _as_json(record: "KeyRecord") -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "owner": record.owner,
        "scopes": sorted(record.scopes),
        "created_at": _moment(record.created_at) or None,
        "last_used_at": _moment(record.last_used_at) or None,
        "revoked_at": _moment(record.revoked_at) or None,
    }


def _cells(record: "KeyRecord") -> tuple[str, ...]:
    return (
        record.id,
        record.name,
        record.owner,
        " ".join(sorted(record.scopes)),
        _moment(record.created_at),
        _moment(record.last_used_at),
        _moment(record.revoked_at),
    )


def _moment(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
