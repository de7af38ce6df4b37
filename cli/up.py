"""`tallyscan up`: the whole service on this machine, until Ctrl-C."""

from pathlib import Path

import click

from cli.options import examples, home_option, load_settings


@click.command(
    epilog=examples(
        "tallyscan up", "tallyscan up --port 9000 --home /srv/tallyscan", "tallyscan up --host 0.0.0.0 --allow-remote"
    )
)
@click.option("--host", help="Address to listen at [default: TALLYSCAN_HOST, or 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen at [default: TALLYSCAN_PORT, or 8080].")
@click.option("--allow-remote", is_flag=True, help="Listen at an address that other machines can reach.")
@home_option
@click.pass_context
def up(ctx: click.Context, host: str | None, port: int | None, allow_remote: bool, home: Path | None) -> None:
    """Start the queue, the HTTP service, the workers and the sweeper on this machine.

    The first start makes the home folder, the database and a key in HOME/admin.key, which the other commands on
    this machine pick up, and prints a link to the page. Ctrl-C stops everything; nothing submitted is lost.
    """
    from cli.supervisor import supervise

    settings = load_settings(home, host=host, port=port)
    ctx.exit(supervise(settings, allow_remote=allow_remote))
