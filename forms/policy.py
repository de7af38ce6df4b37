"""Accept or review: the last step before a reading leaves the worker."""

from collections.abc import Iterator
from typing import Final

from core.types import Box, FieldCrop, FieldReading, ReviewReason
from forms.automaton import string_lengths
from forms.decoder import Decoded
from forms.field_types import FieldType, field_type
from forms.reasons import (
    NOTHING,
    InkSigns,
    are_ditto,
    cut_is_ambiguous,
    holds_no_digit,
    is_overwritten,
    is_surely_empty,
    is_void,
    stand_in_rows,
    widest_gap,
)
from forms.rules import contrast
from forms.values import CENTS

MIN_DIGIT_SHARE: Final = 0.5
"""What was read as digits is more likely none below this."""

MAX_SKIPPED_SHARE: Final = 0.6
"""More of the ink than this was no digit: a word or a drawing with something digit-like in it."""

FOUND_CONFIDENCE: Final = 0.2
FOUND_DIGIT_SHARE: Final = 0.95
FOUND_SKIPPED_SHARE: Final = 0.3
"""What nobody asked for is a number from these on; words and borders stay behind."""

MAX_ASPECT: Final = 1.6
"""No digit is this much wider than tall, as ruling lines, dashes and strokes through a field are. Scaled to a glyph
and thickened by it, they look like a 1 to the network."""

LONE_DIGIT_CONFIDENCE: Final = 0.8
LONE_ONE_CONFIDENCE: Final = 0.97
"""A single sign must be clearer: letters look like digits, and any stroke or border like a 1."""

FRAME_PARTS: Final = ("1", "7")
"""By itself, the side of a frame is a 1 and its corner a 7: only who names a field knows that neither is a frame."""


IN_PARTS: Final = frozenset({"date", "luhn", "iban", "mod11", "aba_routing"})
"""Types whose values are written in parts that stand apart, and check their digits."""

LONGEST: Final = 40
"""Digits; of how many a type's strings are is asked no further."""

MAX_OTHER: Final = 0.1
"""From this probability on that something is no digit, a person looks: of real numbers hardly any reaches it."""


def lattice_threshold(target_error: float) -> float:
    """Return from which confidence on a reading is accepted that the lattice alone made, single glyphs above all.

    Its confidence is no calibrated probability. 0.95 for a target of 1 % is on the safe side for clean glyphs: see what
    is accepted of `digit` in `docs/accuracy.md`.
    """
    return max(0.5, 1.0 - 5.0 * target_error)


def is_number(decoded: Decoded) -> bool:
    """Return whether writing found on a page is a number, rather than a word, a drawing or a border."""
    needed = LONE_DIGIT_CONFIDENCE if len(decoded.text) == 1 else FOUND_CONFIDENCE
    if decoded.text == "1":
        needed = LONE_ONE_CONFIDENCE
    return (
        decoded.text != ""
        and decoded.confidence >= needed
        and decoded.digit_share >= FOUND_DIGIT_SHARE
        and decoded.skipped_share <= FOUND_SKIPPED_SHARE
        and decoded.other < MAX_OTHER
    )


def judge(
    decoded: Decoded,
    crop: FieldCrop,
    *,
    accept_confidence: float,
    found: bool = False,
    comb_cells: int | None = None,
    kind: FieldType | None = None,
    signs: InkSigns = NOTHING,
) -> FieldReading:
    """Return the field's reading, accepted only where nothing speaks against it.

    Args:
        decoded: what the field's lattice says.
        crop: the field.
        accept_confidence: below it, a person looks.
        found: whether the field was found on a page, rather than named by whoever sent it.
        comb_cells: number of printed boxes that it was written into; None where there are none.
        kind: what it may hold; None takes the type of that name.
        signs: what its ink shows beside the digits.
    """
    kind = kind or field_type(crop.type)
    reasons = _reasons(decoded, accept_confidence, found=found, signs=signs)
    if decoded.text:
        reasons = (
            *reasons,
            *_reasons_in_ink(decoded, signs, crop.box, kind=kind, comb_cells=comb_cells or signs.boxes),
        )
    return FieldReading(
        name=crop.name,
        type=crop.type,
        box=crop.box,
        text=decoded.text,
        value=kind.value(decoded.text),
        confidence=decoded.confidence if decoded.text else 0.0,
        accepted=not reasons,
        review_reasons=reasons,
        digits=decoded.digits,
    )


def _reasons(decoded: Decoded, accept_confidence: float, *, found: bool, signs: InkSigns) -> tuple[ReviewReason, ...]:
    if not decoded.text:
        return ReviewReason.EMPTY, *_reasons_without_digits(decoded, accept_confidence, signs)
    overruled = _overrules_ink(decoded)
    reasons = [ReviewReason.RULE_CONFLICT] if overruled else []
    if _looks_like_no_digits(decoded):
        reasons.append(ReviewReason.NOT_DIGITS)
    if decoded.disagree:
        reasons.append(ReviewReason.READERS_DISAGREE)
    if decoded.confidence < accept_confidence or (found and decoded.text in FRAME_PARTS):
        reasons.append(ReviewReason.LOW_CONFIDENCE)
    return tuple(reasons)


def _reasons_without_digits(decoded: Decoded, accept_confidence: float, signs: InkSigns) -> Iterator[ReviewReason]:
    """Yield what speaks against it that nothing stands there; that nothing was read, a field may be allowed."""
    if _overrules_ink(decoded):
        yield ReviewReason.RULE_CONFLICT
    if decoded.other >= MAX_OTHER or signs.unread:
        yield ReviewReason.NOT_DIGITS
    if not is_surely_empty(decoded.fused, least=accept_confidence):
        yield ReviewReason.LOW_CONFIDENCE
    if signs.cut_off:
        yield ReviewReason.CUT_OFF


def _reasons_in_ink(
    decoded: Decoded, signs: InkSigns, box: Box, *, kind: FieldType, comb_cells: int | None
) -> Iterator[ReviewReason]:
    if is_void(decoded, signs):
        yield ReviewReason.VOID
    if is_overwritten(decoded, signs):
        yield ReviewReason.OVERWRITTEN
    if decoded.fused is not None and _holds_no_digit(decoded, signs, box, in_boxes=comb_cells is not None):
        yield ReviewReason.NOT_A_DIGIT
    if signs.cut_off:
        yield ReviewReason.CUT_OFF
    if decoded.fused is not None and comb_cells is None and _are_several(decoded, kind):
        yield ReviewReason.SEVERAL_NUMBERS
    if cut_is_ambiguous(decoded.fused):
        yield ReviewReason.AMBIGUOUS_CUT
    # Where no boxes are seen that should be there, at least their number is known.
    cells = kind.comb_cells if comb_cells is None else (comb_cells,)
    if cells and len(decoded.text) not in cells:
        yield ReviewReason.COMB_MISFIT


def _holds_no_digit(decoded: Decoded, signs: InkSigns, box: Box, *, in_boxes: bool) -> bool:
    """Return whether a sign is none, or a ring was drawn around some, where the field as a whole is a number."""
    if signs.ringed:
        return True
    return decoded.other < MAX_OTHER and (
        holds_no_digit(decoded, in_boxes=in_boxes) or (not in_boxes and are_ditto(decoded, box))
    )


def _are_several(decoded: Decoded, kind: FieldType) -> bool:
    """Return whether more than one number stands there: not where its length, or its cents, say why it is in parts."""
    if stand_in_rows(decoded):
        return True
    place = widest_gap(decoded)
    if place is None or kind.name in IN_PARTS or len(decoded.text) in kind.comb_cells:
        return False
    if kind.has_cents and place == len(decoded.digits) - CENTS:
        return False
    return len(string_lengths(kind.automaton, most=LONGEST)) != 1


def _overrules_ink(decoded: Decoded) -> bool:
    """Return whether the ink clearly says something that the field's type does not allow."""
    rule = decoded.rule if decoded.fused is None else contrast(decoded.fused)
    return rule is not None and rule.conflict


def _looks_like_no_digits(decoded: Decoded) -> bool:
    if decoded.fused is not None:
        # They read past a cheque's print, which the lattice has to skip piece by piece.
        return decoded.other >= MAX_OTHER or _all_flat(decoded)
    return (
        decoded.digit_share < MIN_DIGIT_SHARE
        or decoded.skipped_share > MAX_SKIPPED_SHARE
        or any(_is_flat(digit.box) for digit in decoded.digits)
    )


def _all_flat(decoded: Decoded) -> bool:
    return all(_is_flat(digit.box) for digit in decoded.digits)


def _is_flat(box: Box) -> bool:
    return box.width > MAX_ASPECT * box.height
