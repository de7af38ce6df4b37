"""The benchmark of the form kit."""

import pytest

from benchmarks.kit import CHUNK, SPECS, measure, print_result, readings_at, tallies


def test_forms_are_drawn_captured_and_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[int] = []
    result = measure(2, seed=3, tell=told.append)
    assert told == [2]
    assert result.documents == len(SPECS) <= CHUNK
    assert all(sheet.told or sheet.reported for sheet in result.sheets)
    combs, plain = tallies(result.sheets)
    assert combs.digits >= 50
    assert combs.right >= 0.95 * combs.digits
    assert plain.digits >= 5
    accepted = [each for each in readings_at(result.sheets, result, 0.01) if each.accepted]
    assert accepted
    assert all(each.right for each in accepted)
    print_result(result)
    assert "cells of combs right" in capsys.readouterr().out
