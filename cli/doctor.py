"""`tallyscan doctor`: what is missing on this machine, and how to mend it."""

from dataclasses import asdict
from pathlib import Path

import click

from cli.checks import State, examine
from cli.endpoint import find_endpoint
from cli.options import answer_format, examples, load_settings, service_options
from cli.output import print_json, print_table
from cli.stop import FAILED


@click.command(epilog=examples("tallyscan doctor", "tallyscan doctor --url https://tallyscan.example --format json"))
@answer_format
@service_options
@click.pass_context
def doctor(ctx: click.Context, format_name: str, url: str | None, key: str | None, home: Path | None) -> None:
    """Check Python, packages, settings, home folder, disk, database, scans, broker, network and service.

    Each line says what was found and, where something is amiss, how to mend it. What is merely not started yet is a
    note; the exit code is 1 when something is broken.
    """
    settings = load_settings(home)
    endpoint = find_endpoint(settings, url=url, key=key)
    findings = list(examine(settings, endpoint, named=url is not None))
    if format_name == "json":
        print_json([asdict(finding) for finding in findings])
    else:
        columns = ("check", "state", "found", "what to do")
        print_table(columns, ((each.check, each.state, each.detail, each.remedy) for each in findings))
    if any(finding.state is State.BROKEN for finding in findings):
        ctx.exit(FAILED)
