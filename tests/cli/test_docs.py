"""Every command, and every option of it, stands in docs/cli.md under the command's own heading."""

import re
from pathlib import Path

import click
import pytest

from cli.main import ENTRIES
from tests.cli.test_main import every_command


@pytest.fixture
def sections(project_root: Path) -> dict[str, str]:
    """The page's text by heading: the first two words behind `## `."""
    text = (project_root / "docs" / "cli.md").read_text()
    parts = re.split(r"^## `tallyscan ([a-z-]+).*`$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_has_its_section_and_no_section_lacks_its_command(sections: dict[str, str]) -> None:
    assert set(sections) == set(ENTRIES)


@pytest.mark.parametrize("name", every_command())
def test_every_command_and_option_is_documented(name: str, sections: dict[str, str]) -> None:
    section = sections[name.split(maxsplit=1)[0]]
    if " " in name:
        assert f"`tallyscan {name}" in section
    options = [each for each in every_command()[name].params if isinstance(each, click.Option)]
    spellings = [spelling for option in options for spelling in (*option.opts, *option.secondary_opts)]
    assert [spelling for spelling in spellings if f"`{spelling}`" not in section] == []


def test_the_options_of_the_group_are_documented(project_root: Path) -> None:
    assert "--debug" in (project_root / "docs" / "cli.md").read_text()
