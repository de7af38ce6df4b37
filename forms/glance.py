"""A field read at a glance: where line readers leave no doubt, no digit of it need be looked at by itself.

```
frames ─ likeliest way ─▶ string ─ its probability ─▶ beyond doubt? ─▶ Glance ─ boxes of its ink ─▶ Decoded
```

One line reader alone is heard first, then all of them together. What is left in doubt goes the long way: glyph network,
lattice and fusion (`forms.joint`). So does a single sign, for which a stroke or a stain may pass.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box
from forms.automaton import DIGITS, Automaton
from forms.confidence import Calibration, features_at_a_glance
from forms.ctc import BLANK, IMPOSSIBLE, Frames, line_log_probabilities
from forms.decoder import Decoded
from forms.digitwise import NEGLIGIBLE
from forms.fusion import Fused, Proposal, ranked
from forms.joint import LineView, digit_readings

ALONE: Final = -0.02
"""Log probability from which on one line reader needs nobody's support."""

TOGETHER: Final = -0.05
"""The same of the mean of several."""

NO_OTHER: Final = 0.01
"""Nothing in the field is as probably no digit as this."""

SHORTEST: Final = 2
"""Digits; fewer are never beyond doubt."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What line readers read beyond doubt.

    Attributes:
        text: digits, at least two.
        log_probability: of the text, the readers' mean.
        spans: the first and last frame of each digit.
    """

    text: str
    log_probability: float
    spans: list[tuple[int, int]]


def glance(frames: Frames, automaton: Automaton) -> Glance | None:
    """Return what the line readers read beyond doubt; None where there is any.

    Args:
        frames: of one line reader, or of all.
        automaton: of the strings that the field may hold.
    """
    if frames.other >= NO_OTHER or not len(frames.places):
        return None
    text, spans = _likeliest_way(frames)
    if len(text) < SHORTEST or not automaton.accepts(text):
        return None
    log_probability = float(line_log_probabilities(frames, [text]).mean())
    enough = ALONE if len(frames.probabilities) == 1 else TOGETHER
    return Glance(text, log_probability, spans) if log_probability > enough else None


def _likeliest_way(frames: Frames) -> tuple[str, list[tuple[int, int]]]:
    """Return the string on the likeliest way through the frames, and the first and last frame of each digit.

    A string that is likelier than all others together is on it, or so nearly that it is no matter of doubt.
    """
    probabilities = frames.probabilities
    mean = probabilities[0] if len(probabilities) == 1 else np.log(np.maximum(probabilities, IMPOSSIBLE)).mean(axis=0)
    signs: list[str] = []
    spans: list[tuple[int, int]] = []
    before = BLANK
    for sign, place in zip(mean.argmax(axis=1).tolist(), frames.places.tolist(), strict=True):
        if sign == BLANK:
            pass
        elif sign == before:
            spans[-1] = spans[-1][0], place
        else:
            signs.append(DIGITS[sign])
            spans.append((place, place))
        before = sign
    return "".join(signs), spans


def decode_at_a_glance(
    seen: Glance, line: LineView, boxes: list[Box], *, automaton: Automaton, calibration: Calibration, within: Box
) -> Decoded:
    """Return the field's reading.

    Args:
        seen: what was read.
        line: what the line readers say.
        boxes: of the digits' ink, one each.
        automaton: of the strings that the field may hold.
        calibration: turns the evidence into a probability.
        within: bounds the digits' boxes.
    """
    proposals = _proposals(seen, line.frames, automaton)
    other = line.frames.other
    confidence = calibration.confidence(features_at_a_glance(seen.log_probability, other=other, length=len(seen.text)))
    return Decoded(
        text=seen.text,
        digits=digit_readings(seen.text, proposals, boxes, confidence, within=within),
        confidence=confidence,
        digit_share=1.0 - other,
        other=other,
        fused=Fused(proposals, None, seen.text),
    )


def _proposals(seen: Glance, frames: Frames, automaton: Automaton) -> tuple[Proposal, ...]:
    """Return the text and the strings with another digit in one place that leave it a share worth naming less."""
    texts = [seen.text, *_one_digit_other(seen, frames, automaton)]
    if len(texts) == 1:
        return (Proposal(seen.text, 1.0, 0.0, seen.log_probability, True),)
    logs: NDArray[np.float64] = line_log_probabilities(frames, texts).mean(axis=0)
    shares = np.exp(logs) / np.exp(logs).sum()
    return ranked(
        Proposal(text, share, 0.0, log, True)
        for text, share, log in zip(texts, shares.tolist(), logs.tolist(), strict=True)
    )


def _one_digit_other(seen: Glance, frames: Frames, automaton: Automaton) -> list[str]:
    """Return the valid strings with another digit in one place, where a reader sees that one there, too."""
    if -math.expm1(seen.log_probability) < NEGLIGIBLE:
        return []
    highest = frames.probabilities[:, :, :BLANK].max(axis=0)
    # Each digit's frames, and between them those from its last one to the next digit's first one.
    edges = np.searchsorted(frames.places, [edge for first, last in seen.spans for edge in (first, last + 1)])
    inside = edges if edges[-1] < len(highest) else edges[:-1]
    here = np.maximum.reduceat(highest, inside, axis=0)[::2]
    texts = []
    for place, digit in np.argwhere(here >= NEGLIGIBLE).tolist():
        text = seen.text[:place] + DIGITS[digit] + seen.text[place + 1 :]
        if text != seen.text and automaton.accepts(text):
            texts.append(text)
    return texts
