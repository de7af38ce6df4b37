"""The frame of the command line: fast help, one line for an error, exit codes."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.main import ENTRIES, cli
from tests.cli.conftest import Tallyscan

HEAVY = {"numpy", "pydantic", "rich", "httpx2", "sqlalchemy", "flask", "celery", "cv2", "ai_edge_litert", "tensorflow"}


def every_command() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, entry in ENTRIES.items():
        command = entry.load()
        found[name] = command
        if isinstance(command, click.Group):
            found.update({f"{name} {child}": each for child, each in command.commands.items()})
    return found


def test_help_groups_the_commands_and_ends_with_examples(tallyscan: Tallyscan) -> None:
    result = tallyscan("--help")
    assert result.exit_code == 0
    headings = [line for line in result.stdout.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Options:", "Read scans:", "Run the service:", "Train the network:", "About:", "Examples:"]
    assert all(f"  {name} " in result.stdout for name in ENTRIES)


@pytest.mark.parametrize("name", every_command())
def test_every_command_has_help_with_an_example(name: str, tallyscan: Tallyscan) -> None:
    result = tallyscan(*name.split(), "--help")
    assert result.exit_code == 0
    command = every_command()[name]
    assert command.help
    assert isinstance(command, click.Group) or f"tallyscan {name}" in (command.epilog or "").replace("\n", " ")


@pytest.mark.parametrize("name", every_command())
def test_every_option_says_what_it_does(name: str) -> None:
    options = [each for each in every_command()[name].params if isinstance(each, click.Option)]
    assert [each.name for each in options if not each.help] == []


def test_help_loads_nothing_heavy_and_takes_little_time() -> None:
    script = "import sys; from cli.main import cli; cli(['--help'], standalone_mode=False); print(*sys.modules)"
    command = [sys.executable, "-c", script]
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert HEAVY & set(output.splitlines()[-1].split()) == set()
    assert min(seconds) < 0.15


@pytest.mark.parametrize("group", [name for name, entry in ENTRIES.items() if isinstance(entry.load(), click.Group)])
def test_a_group_without_a_command_shows_its_help(group: str, tallyscan: Tallyscan) -> None:
    result = tallyscan(group)
    assert result.exit_code == 2
    assert "\\n" not in result.output
    assert len(result.output.splitlines()) > 5


@pytest.mark.parametrize("group", [name for name, entry in ENTRIES.items() if isinstance(entry.load(), click.Group)])
def test_no_line_of_a_groups_overview_is_cut_short(group: str, tallyscan: Tallyscan) -> None:
    overview = tallyscan(group, "--help").stdout.partition("Commands:")[2]
    assert overview
    assert "..." not in overview


def test_wrong_usage_ends_with_2(tallyscan: Tallyscan) -> None:
    assert tallyscan("nosuch").exit_code == 2
    assert tallyscan("read", "/no/such/file.png").exit_code == 2
    result = tallyscan("read")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: There is no scan to read")
    assert result.stderr.endswith("(invalid_request)\n")


def test_an_invalid_setting_is_named(tallyscan: Tallyscan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSCAN_MAX_PAGES", "many")
    result = tallyscan("doctor")
    assert result.exit_code == 2
    assert "TALLYSCAN_MAX_PAGES" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_service_that_is_away_ends_with_3_and_one_line(tallyscan: Tallyscan) -> None:
    result = tallyscan("status", "some-id", "--url", "http://127.0.0.1:9")
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.endswith("(service_unreachable)\n")


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli", "--debug", "status", "some-id", "--url", "http://127.0.0.1:9"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "Traceback" in result.stderr
    assert "ServiceUnreachable" in result.stderr


def test_an_address_that_is_none_is_refused(tallyscan: Tallyscan) -> None:
    result = tallyscan("status", "some-id", "--url", "somewhere")
    assert result.exit_code == 2
    assert "http://" in result.stderr


def test_a_fault_of_ours_is_one_neutral_line(tallyscan: Tallyscan, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("cli.about._schema_version", broken)
    result = tallyscan("version")
    assert result.exit_code == 1
    assert "secret detail" not in result.stderr
    assert result.stderr.endswith("(internal_error)\n")


def test_version_names_program_network_and_schema(tallyscan: Tallyscan) -> None:
    facts = json.loads(tallyscan("version", "--format", "json").stdout)
    assert set(facts) == {"tallyscan", "network", "schema", "python", "platform"}
    assert facts["tallyscan"][0].isdigit()
    assert "(" not in facts["network"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str, tallyscan: Tallyscan) -> None:
    result = tallyscan("completion", shell)
    assert result.exit_code == 0
    assert f"_TALLYSCAN_COMPLETE={shell}_complete" in result.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [("tallyscan sub", "submit"), ("tallyscan read --ty", "--type"), ("tallyscan read --type di", "digits")],
)
def test_bash_completes_commands_options_and_types(words: str, expected: str) -> None:
    environment = {
        "_TALLYSCAN_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    script = "from cli.main import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert f"plain,{expected}" in result.stdout.splitlines()


def test_the_group_knows_its_commands_in_order() -> None:
    assert cli.list_commands(click.Context(cli)) == list(ENTRIES)


def test_up_refuses_an_address_that_others_can_reach(tallyscan: Tallyscan) -> None:
    result = tallyscan("up", "--host", "0.0.0.0", "--port", "0")
    assert result.exit_code == 2
    assert "can be reached from other machines" in result.stderr


def test_python_m_cli_is_the_command(project_root: Path) -> None:
    command = [sys.executable, "-m", "cli", "--help"]
    assert "Run the service:" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
