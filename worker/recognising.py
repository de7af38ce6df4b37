"""From prepared fields to what each says: line readers, glyph network, and one decoder over both.

```
PreparedField ─ a line reader ─▶ beyond doubt? ─ the other one ─▶ beyond doubt? ─▶ Decoded
                                                                    │ no
  digits' places ─ candidates that fit ─ glyph network ─ decoder ─▶ settled? ─▶ Decoded
                           ▲─────────── all others ───────────────── no ┘
```
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.types import Box, Lattice
from forms.cascade import Marks, Span, digit_marks, is_settled, unseen_scores, worth_a_look
from forms.ctc import frames_of
from forms.decoder import GARBAGE, Decoded, decode, inside
from forms.fusion import line_proposals
from forms.glance import decode_at_a_glance, glance
from forms.joint import LineView, Weighed, lay_back, weigh, without_commas
from forms.separators import hanging
from forms.weights import IN_CELLS
from segmentation.lattice import Cutting
from segmentation.line import Line
from segmentation.normalise import SIDE
from segmentation.standing import boxes_at
from segmentation.tightening import main_ink_box
from worker.grouping import regrouped
from worker.networks import Networks
from worker.preparing import PreparedField
from worker.timings import StageTimings


class Recognition:
    """What a reader's networks make of fields."""

    def __init__(self, networks: Networks, timings: StageTimings) -> None:
        """Read with `networks`, and add what they and the decoder take to `timings`."""
        self._networks = networks
        self._timings = timings

    def read(self, fields: Sequence[PreparedField], *, thorough: bool = True) -> list[Decoded]:
        """Return what was read in each field; the glyph network is called once for all that need it, or twice.

        Args:
            fields: what is read.
            thorough: whether everything is asked of every field, also where line readers leave no doubt.
        """
        decoded: dict[int, Decoded] = {}
        lines = self._read_lines(fields, decoded, thorough=thorough)
        left = [place for place in range(len(fields)) if place not in decoded]
        with self._timings.measure("network"):
            inquiries = {place: self._inquiry(fields[place], lines.get(place)) for place in left}
            self._ask(list(inquiries.values()))
        with self._timings.measure("decode_field"):
            doubtful = [
                place for place in left if not (inquiries[place].is_complete or self._is_settled(inquiries[place]))
            ]
        with self._timings.measure("network"):
            self._ask([inquiries[place] for place in doubtful])
        with self._timings.measure("decode_field"):
            decoded |= {place: self._decode(inquiry) for place, inquiry in inquiries.items()}
        return [decoded[place] for place in range(len(fields))]

    def _read_lines(
        self, fields: Sequence[PreparedField], decoded: dict[int, Decoded], *, thorough: bool
    ) -> dict[int, LineView]:
        """Return by place what the line readers say of each field that has a line and ink.

        Unless `thorough`, what they read beyond doubt goes into `decoded` at once, and readers left are not asked.
        """
        if self._networks.lines is None:
            return {}
        lines = {
            place: field.line for place, field in enumerate(fields) if field.line and not field.candidates.is_blank
        }
        heard: dict[int, list[NDArray[np.float32]]] = {place: [] for place in lines}
        views: dict[int, LineView] = {}
        # Of one line reader alone, nobody has measured how far it may be trusted.
        thorough = thorough or self._networks.lines.networks == 1
        for network in range(self._networks.lines.networks):
            left = [place for place in lines if place not in decoded]
            with self._timings.measure("network"):
                outputs = self._networks.lines.read_by(network, [lines[place].pixels for place in left])
            with self._timings.measure("decode_field"):
                for place, output in zip(left, outputs, strict=True):
                    heard[place].append(output)
                    if thorough and network < self._networks.lines.networks - 1:
                        continue
                    views[place] = LineView(frames_of(np.stack(heard[place])), _on_page(fields[place], lines[place]))
                    found = None if thorough else self._glance(fields[place], views[place])
                    if found is not None:
                        decoded[place] = found
        return views

    def _glance(self, field: PreparedField, line: LineView) -> Decoded | None:
        """Return what line readers read beyond doubt; None where there is any."""
        cutting, calibration, automaton = field.candidates, self._networks.calibration, field.kind.automaton
        if calibration is None or not isinstance(cutting, Cutting):
            return None
        seen = glance(line.frames, automaton)
        boxes = None if seen is None else boxes_at(cutting, seen.text, line.places_of(seen.spans))
        # A 1 that stands like a comma is beyond nobody's doubt.
        if seen is None or boxes is None or hanging(seen.text, boxes):
            return None
        return decode_at_a_glance(
            seen, line, boxes, automaton=automaton, calibration=calibration, within=field.crop.box
        )

    def _inquiry(self, field: PreparedField, line: LineView | None) -> "Inquiry":
        classes, candidates = self._networks.glyphs.classes, field.candidates
        knows_garbage = GARBAGE in classes and self._networks.calibration is not None
        if line is None or not knows_garbage or not isinstance(candidates, Cutting):
            return Inquiry(field, line, classes, chosen=np.ones(candidates.count, np.bool_))
        marks = digit_marks(line, left=candidates.field.x, scale=candidates.scale)
        return Inquiry(field, line, classes, chosen=_that_fit(candidates, marks))

    def _ask(self, inquiries: Sequence["Inquiry"]) -> None:
        """Let the glyph network see what each inquiry has chosen next, all of it in one call."""
        glyphs = [inquiry.next_glyphs() for inquiry in inquiries]
        if not glyphs:
            return
        scores = self._networks.glyphs.classify(np.concatenate(glyphs) if len(glyphs) > 1 else glyphs[0])
        parts = np.split(scores, np.cumsum([len(each) for each in glyphs])[:-1])
        for inquiry, own in zip(inquiries, parts, strict=True):
            inquiry.learn(own)

    def _is_settled(self, inquiry: "Inquiry") -> bool:
        """Return whether what was seen of a field is enough."""
        weighed = self._weighed(inquiry)
        return weighed is not None and is_settled(weighed)

    def _decode(self, inquiry: "Inquiry") -> Decoded:
        lattice, scores = inquiry.lattice
        classes, field, line = self._networks.glyphs.classes, inquiry.field, inquiry.line
        weighed = self._weighed(inquiry)
        if weighed is None or line is None:
            weights = None if field.comb is None else IN_CELLS
            alone = decode(lattice, scores, classes=classes, crop=field.crop, field_type=field.kind, weights=weights)
            return _tightened(alone, lattice)

        def laid(weighed: Weighed) -> Decoded:
            return _boxed(lay_back(weighed, lattice, scores, line, classes=classes, crop=field.crop), lattice, field)

        calibration = self._networks.calibration
        if calibration is None or field.comb is not None:
            return laid(weighed)
        weighed = regrouped(weighed, line, field, lay=laid, calibration=calibration)
        first = laid(weighed)
        again = without_commas(weighed, [digit.box for digit in first.digits], line, calibration=calibration)
        return first if again is None else laid(again)

    def _weighed(self, inquiry: "Inquiry") -> Weighed | None:
        """Return what all readers together hold for likeliest; None where the lattice alone is read."""
        calibration = self._networks.calibration
        if inquiry.line is None or calibration is None:
            return None
        if inquiry.weighed is None:
            lattice, scores = inquiry.lattice
            inquiry.weighed = weigh(
                lattice,
                scores,
                inquiry.line,
                classes=self._networks.glyphs.classes,
                field_type=inquiry.field.kind,
                calibration=calibration,
                weights=None if inquiry.field.comb is None else IN_CELLS,
                by_lines=inquiry.by_lines,
            )
        return inquiry.weighed


class Inquiry:
    """One field's candidates, and what the glyph network has said of those that it saw.

    Attributes:
        field: the field.
        line: what the line readers say of it; None where they were not asked.
        weighed: what all readers together hold for likeliest of what was seen; None until somebody has weighed it.
    """

    def __init__(
        self, field: PreparedField, line: LineView | None, classes: tuple[str, ...], *, chosen: NDArray[np.bool_]
    ) -> None:
        """Let the network see the `chosen` candidates first."""
        self.field, self.line = field, line
        self.weighed: Weighed | None = None
        self._lattice: tuple[Lattice, NDArray[np.float32]] | None = None
        count = field.candidates.count
        self._chosen, self._seen = chosen, np.zeros(count, np.bool_)
        self._glyphs = np.zeros((count, SIDE, SIDE), np.uint8)
        self._scores = np.zeros((count, len(classes)), np.float32)
        if not chosen.all():
            self._scores[:] = unseen_scores(classes)

    @property
    def is_complete(self) -> bool:
        """Whether the network has seen all candidates."""
        return bool(self._seen.all())

    def next_glyphs(self) -> NDArray[np.uint8]:
        """Return the glyphs to classify next: the chosen ones, then all others."""
        glyphs = self.field.candidates.glyphs(np.flatnonzero(self._chosen).tolist())
        self._glyphs[self._chosen] = glyphs
        return glyphs

    def learn(self, scores: NDArray[np.float32]) -> None:
        """Keep the scores of the glyphs that were given last."""
        self._scores[self._chosen] = scores
        self._seen |= self._chosen
        self._chosen = ~self._seen
        self.weighed = self._lattice = None

    @property
    def lattice(self) -> tuple[Lattice, NDArray[np.float32]]:
        """The lattice of what was seen, single pieces among it in any case, and its scores."""
        if self._lattice is None:
            self._lattice = self._of_what_was_seen()
        return self._lattice

    @cached_property
    def by_lines(self) -> list[str]:
        """What the line readers propose, whatever of the lattice was seen."""
        return [] if self.line is None else line_proposals(self.line.frames, self.field.kind.automaton)

    def _of_what_was_seen(self) -> tuple[Lattice, NDArray[np.float32]]:
        candidates = self.field.candidates
        kept = range(candidates.count) if self.is_complete else np.flatnonzero(self._seen | candidates.single).tolist()
        return candidates.lattice(kept, self._glyphs[kept]), self._scores[kept]


def _on_page(field: PreparedField, line: Line) -> Box:
    """Return where on the page the field's line lies."""
    corner = field.crop.box
    return replace(line.box, x=corner.x + line.box.x, y=corner.y + line.box.y)


def _that_fit(cutting: Cutting, marks: Marks) -> NDArray[np.bool_]:
    """Return which candidates fit the places where the line readers see digits."""
    spans = [Span(start, end, left, right, bottom - top) for start, end, (left, top, right, bottom) in cutting.merges]
    return np.array(worth_a_look(spans, marks, text_height=cutting.text_height), np.bool_)


def _boxed(decoded: Decoded, lattice: Lattice, field: PreparedField) -> Decoded:
    """Return what was read with each digit's box around its own ink alone."""
    boxes = None
    if decoded.places and isinstance(field.candidates, Cutting):
        boxes = boxes_at(field.candidates, decoded.text, decoded.places)
    if boxes is None:
        return _tightened(decoded, lattice)
    placed = zip(decoded.digits, boxes, strict=True)
    return replace(decoded, digits=tuple(replace(digit, box=inside(box, field.crop.box)) for digit, box in placed))


def _tightened(decoded: Decoded, lattice: Lattice) -> Decoded:
    """Return what was read with the box of each candidate that is a digit around its main piece of ink."""
    candidates = {candidate.box: candidate for candidate in lattice.candidates}
    digits = tuple(
        replace(digit, box=main_ink_box(candidates[digit.box])) if digit.box in candidates else digit
        for digit in decoded.digits
    )
    return replace(decoded, digits=digits)
