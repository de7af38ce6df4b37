"""What a rule does to a reading: the best valid string, the best without the rule, the margin, and the reason."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import ReviewReason
from forms.automaton import Automaton
from forms.beam_search import best_strings
from forms.confidence import FEATURES, Calibration
from forms.ctc import frames_of
from forms.decoder import Decoded, decode
from forms.field_specs import IbanSpec, LuhnSpec
from forms.field_types import FieldType, field_type
from forms.fusion import ANYTHING, Fused, FusionWeights, Proposal
from forms.joint import LineView
from forms.paths import Edges, posteriors
from forms.policy import judge
from forms.rules import contrast, contrast_in_lattice
from tests.forms.jointly import decode_jointly
from tests.forms.rows import WITH_GARBAGE, crop, digit_boxes, row, scores
from tests.forms.test_ctc import peaks
from tests.forms.test_joint import LINE
from tests.forms.test_paths import AUTOMATA, edges, strings

PLAIN = Calibration(FusionWeights(), 0.0, (1.0, *[0.0] * (len(FEATURES) - 1)))

LUHN = LuhnSpec(name="luhn", length=16, min_length=None, max_length=None).field_type()
RIGHT = "4539578763621486"
IBAN = IbanSpec(name="iban", country="DE").field_type()


def read(
    text: str, kind: FieldType, *, sure: float = 0.99, doubt: dict[int, tuple[int, float]] | None = None
) -> Decoded:
    """Return what the lattice alone makes of a row of digits; `doubt` gives a place a second digit and its share."""
    lattice = row(digit_boxes(len(text)), merged=1)
    table = scores(lattice, {(at, at + 1): int(char) for at, char in enumerate(text)}, classes=WITH_GARBAGE, sure=sure)
    for at, (digit, share) in (doubt or {}).items():
        table[at] *= (1 - share) / table[at].sum()
        table[at, digit] += share
    return decode(lattice, table, classes=WITH_GARBAGE, crop=crop(), field_type=kind)


def test_a_number_that_is_right_is_not_touched() -> None:
    decoded = read(RIGHT, LUHN)
    assert (decoded.text, decoded.rule and decoded.rule.free_text) == (RIGHT, RIGHT)
    assert decoded.rule is not None
    assert decoded.rule.margin == 0.0
    assert not decoded.rule.conflict
    assert judge(decoded, crop(), accept_confidence=0.5, kind=LUHN).review_reasons == ()


def test_a_doubtful_digit_is_settled_by_the_check_digit() -> None:
    wrong = RIGHT[:5] + "1" + RIGHT[6:]
    decoded = read(wrong, LUHN, doubt={5: (int(RIGHT[5]), 0.45)})
    assert decoded.text == RIGHT
    assert decoded.rule is not None
    assert decoded.rule.free_text == wrong
    assert 0 < decoded.rule.margin < 1.0
    assert not decoded.rule.conflict


def test_strong_ink_against_the_rule_is_a_conflict() -> None:
    wrong = RIGHT[:5] + "1" + RIGHT[6:]
    decoded = read(wrong, LUHN)
    assert LUHN.automaton.accepts(decoded.text)
    assert decoded.rule is not None
    assert decoded.rule.free_text == wrong
    assert decoded.rule.conflict
    reading = judge(decoded, crop(), accept_confidence=0.0, kind=LUHN)
    assert ReviewReason.RULE_CONFLICT in reading.review_reasons
    assert not reading.accepted
    assert reading.value == decoded.text


def test_ink_that_can_be_no_valid_string_is_empty_and_a_conflict() -> None:
    decoded = read("123", LUHN)
    assert decoded.text == ""
    reasons = judge(decoded, crop(), accept_confidence=0.0, kind=LUHN).review_reasons
    assert reasons == (ReviewReason.EMPTY, ReviewReason.RULE_CONFLICT)


@pytest.mark.parametrize("kind", [LUHN, IBAN, field_type("date")])
def test_line_readers_and_lattice_together_obey_the_rule(kind: FieldType) -> None:
    right = {"luhn": RIGHT, "iban": "89370400440532013000", "date": "03012016"}[kind.name]
    wrong = right[:2] + str((int(right[2]) + 3) % 10) + right[3:]
    for text, agrees in ((right, True), (wrong, False)):
        assert kind.automaton.accepts(text) is agrees
        decoded = _jointly(text, kind)
        assert kind.automaton.accepts(decoded.text)
        assert decoded.text != ""
        assert decoded.text == right or not agrees
        assert decoded.fused is not None
        found = contrast(decoded.fused)
        assert found is not None
        assert (found.free_text, found.conflict) == (text, not agrees)
        assert (
            ReviewReason.RULE_CONFLICT in judge(decoded, crop(), accept_confidence=0.0, kind=kind).review_reasons
        ) is (not agrees)


def _jointly(text: str, kind: FieldType) -> Decoded:
    lattice = row(digit_boxes(len(text)), merged=1)
    truth = {(at, at + 1): int(char) for at, char in enumerate(text)}
    frames = frames_of(peaks([(4 + 4 * at, int(char)) for at, char in enumerate(text)], count=100))
    return decode_jointly(
        lattice,
        scores(lattice, truth, classes=WITH_GARBAGE, sure=0.99),
        LineView(frames, LINE),
        classes=WITH_GARBAGE,
        crop=crop(),
        field_type=kind,
        calibration=PLAIN,
    )


def test_a_contrast_is_taken_from_the_proposals() -> None:
    proposals = (
        Proposal("12", 0.1, -1.0, -1.0, allowed=True),
        Proposal("21", 0.05, -2.0, -2.0, allowed=True),
        Proposal("13", 0.85, -0.1, -0.1, allowed=False),
    )
    found = contrast(Fused(proposals, "12", "12"))
    assert found is not None
    assert (found.text, found.free_text, found.free_share) == ("12", "13", 0.85)
    assert found.share == pytest.approx(2 / 3)
    assert found.margin == pytest.approx(math.log(8.5))
    assert found.conflict
    assert contrast(Fused((), None, None)) is None
    nothing = contrast(Fused(proposals[2:], "13", "13"))
    assert nothing is not None
    assert (nothing.text, nothing.margin) == (None, math.inf)


@given(lattice=edges(), automaton=st.sampled_from(AUTOMATA))
def test_a_contrast_in_a_lattice_is_that_of_brute_force(lattice: Edges, automaton: Automaton) -> None:
    valid, everything = strings(lattice, automaton), strings(lattice, ANYTHING)
    chosen = max(valid, key=lambda text: valid[text]) if valid else None
    found = contrast_in_lattice(lattice, automaton, text=chosen)
    best = max(everything.values(), default=0.0)
    if chosen is None:
        assert found.margin == (math.inf if everything else 0.0)
        return
    assert found.share == pytest.approx(valid[chosen] / sum(valid.values()))
    assert found.margin == pytest.approx(math.log(best / valid[chosen]), abs=1e-6)
    assert found.free_share == pytest.approx(best / sum(everything.values()))


def test_the_free_string_is_the_decoders_own() -> None:
    lattice = Edges(
        cuts=3,
        starts=np.array([0, 1]),
        ends=np.array([1, 2]),
        digit=np.array([[0.0] * 3 + [4.0] + [0.0] * 6, [0.0] * 10]),
        skip=np.full(2, -9.0),
    )
    free = best_strings(lattice, ANYTHING, posteriors(lattice, ANYTHING))[0]
    assert contrast_in_lattice(lattice, field_type("digit").automaton, text="3").free_text == free
