"""Numbers on the command line: what cannot be reckoned with is wrong usage."""

import click
import pytest

from cli.options import Finite
from tests.cli.conftest import Tallyscan
from tests.cli.test_main import every_command

FLOATS = {
    (name, option.opts[0])
    for name, command in every_command().items()
    for option in command.params
    if isinstance(option.type, click.FloatRange | click.types.FloatParamType)
}


def test_every_float_option_is_known() -> None:
    assert {
        ("submit", "--patience"),
        ("submit", "--settle"),
        ("status", "--wait"),
        ("read", "--target-error"),
    } <= FLOATS


@pytest.mark.parametrize(("name", "option"), sorted(FLOATS))
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_float_that_is_no_number_is_wrong_usage(tallyscan: Tallyscan, name: str, option: str, value: str) -> None:
    found = next(each for each in every_command()[name].params if option in each.opts)
    assert isinstance(found.type, Finite)
    result = tallyscan(*name.split(), "some-id" if name == "status" else ".", option, value)
    assert result.exit_code == 2
    assert f"Invalid value for '{option}'" in result.stderr


@pytest.mark.parametrize("command", [("compare",), ("train", "--out", "run"), ("finetune", "--corrections", ".")])
@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_no_library_takes_is_wrong_usage(tallyscan: Tallyscan, command: tuple[str, ...], seed: int) -> None:
    result = tallyscan(*command, "--seed", seed)
    assert result.exit_code == 2
    assert "Invalid value for '--seed'" in result.stderr
