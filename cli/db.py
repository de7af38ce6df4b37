"""`tallyscan db`: the database's schema, straight through `storage`."""

from pathlib import Path

import click

from cli.options import answer_format, examples, home_option, load_settings
from cli.output import print_json, print_table
from cli.stop import FAILED
from cli.terminal import say


@click.group()
def db() -> None:
    """Look after the database's schema.

    `tallyscan up` does this by itself; with a database of your own, run `db upgrade` once after every update.
    """


@db.command(epilog=examples("TALLYSCAN_DATABASE_URL=postgresql+psycopg://tallyscan@db/tallyscan tallyscan db upgrade"))
@home_option
def upgrade(home: Path | None) -> None:
    """Bring the schema up to date; what is stored stays."""
    from storage.migrate import current, head
    from storage.migrate import upgrade as migrate

    settings = load_settings(home)
    if not settings.database_url:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = current(settings.resolved_database_url)
    migrate(settings.resolved_database_url)
    done = "was up to date" if before == head() else f"brought from {before or 'nothing'} up to date"
    say(f"schema {head()}: {done}")


@db.command(epilog=examples("tallyscan db current --format json"))
@home_option
@answer_format
@click.pass_context
def current(ctx: click.Context, home: Path | None, format_name: str) -> None:
    """Show the schema's version; exit code 1 when it is behind."""
    from storage.migrate import current as current_version
    from storage.migrate import head

    version = current_version(load_settings(home).resolved_database_url)
    facts = {"current": version, "newest": head(), "up_to_date": version == head()}
    if format_name == "json":
        print_json(facts)
    else:
        print_table(
            ("current", "newest", "up to date"), [(version or "none", head(), "yes" if version == head() else "no")]
        )
    if version != head():
        ctx.exit(FAILED)
