"""What line readers may read alone: only where nothing is left in doubt, and with no more confidence than they have."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import Box
from forms.automaton import any_digits
from forms.confidence import FEATURES, Calibration
from forms.ctc import digit_frames, frames_of
from forms.decoder import Decoded
from forms.field_types import field_type
from forms.fusion import FusionWeights
from forms.glance import decode_at_a_glance, glance
from forms.joint import LineView
from tests.forms.rows import digit_boxes

PLAIN = Calibration(FusionWeights(), 0.0, (1.0, *[0.0] * (len(FEATURES) - 1)))
"""The share of the text is the confidence."""

LINE = Box(0, 10, 200, 40)
SEEN = [(16, 4), (33, 7), (51, 7)]
"""Frames of two columns, in the middles of the first of `digit_boxes`."""


def sure(
    digits: list[tuple[int, int]] = SEEN, *, probability: float = 0.999, other: float = 1e-6
) -> NDArray[np.float32]:
    """Return outputs of two readers that see each (frame, digit) so surely, and a 1 there else."""
    table = np.full((2, 100, 12), 1e-9)
    table[:, :, 10], table[:, :, 11] = other, 1.0 - other
    for frame, digit in digits:
        table[:, frame] = 1e-9
        table[:, frame, 1] = 1 - probability
        table[:, frame, digit] = probability
    return np.asarray(np.log(table / table.sum(axis=2, keepdims=True)), np.float32)


def read(output: NDArray[np.float32]) -> Decoded | None:
    line = LineView(frames_of(output), LINE)
    seen = glance(line.frames, any_digits())
    if seen is None:
        return None
    return decode_at_a_glance(
        seen, line, digit_boxes(3), automaton=any_digits(), calibration=PLAIN, within=Box(0, 0, 400, 60)
    )


@pytest.mark.parametrize("readers", [1, 2])
def test_what_is_beyond_doubt_is_read_with_its_places(readers: int) -> None:
    frames = frames_of(sure()[:readers])
    seen = glance(frames, any_digits())
    assert seen is not None
    assert seen.text == "477"
    assert seen.spans == digit_frames(frames, "477")
    assert seen.log_probability == pytest.approx(3 * np.log(0.999), abs=1e-4)
    assert LineView(frames, LINE).places_of(seen.spans) == pytest.approx([33, 67, 103])


def test_one_reader_must_be_surer_than_two() -> None:
    output = sure(probability=0.99)
    assert glance(frames_of(output[:1]), any_digits()) is None
    assert glance(frames_of(output), any_digits()) is not None
    assert glance(frames_of(sure(probability=0.98)), any_digits()) is None


def test_two_readers_of_different_strings_leave_a_doubt() -> None:
    output = sure()
    output[1] = sure([(16, 4), (33, 7), (51, 2)])[0]
    assert glance(frames_of(output), any_digits()) is None


@pytest.mark.parametrize(
    ("output", "type_name"),
    [
        pytest.param(sure([(16, 4)]), "digits", id="a single sign"),
        pytest.param(sure([]), "digits", id="nothing"),
        pytest.param(sure(other=0.02), "digits", id="perhaps a word"),
        pytest.param(sure([(16, 0), (33, 7), (51, 7), (70, 3)]), "amount", id="no amount"),
    ],
)
def test_what_may_be_something_else_is_never_beyond_doubt(output: NDArray[np.float32], type_name: str) -> None:
    assert glance(frames_of(output), field_type(type_name).automaton) is None


def test_the_confidence_is_that_of_the_reader_and_the_other_digit_is_named() -> None:
    decoded = read(sure(probability=0.99))
    assert decoded is not None
    assert decoded.confidence == pytest.approx(0.99**3, abs=1e-3)
    assert [digit.char for digit in decoded.digits] == list("477")
    assert [[other.char for other in digit.alternatives] for digit in decoded.digits] == [["1"]] * 3
    assert decoded.digits[0].alternatives[0].confidence == pytest.approx(0.01, rel=0.05)
    assert sum(each.share for each in decoded.fused.proposals) == pytest.approx(1.0) if decoded.fused else False
    assert [digit.box for digit in decoded.digits] == digit_boxes(3)


def test_nothing_else_is_named_where_nothing_else_is_seen() -> None:
    decoded = read(sure(probability=0.99999))
    assert decoded is not None
    assert decoded.fused is not None
    assert [each.text for each in decoded.fused.proposals] == ["477"]
    assert not any(digit.alternatives for digit in decoded.digits)
