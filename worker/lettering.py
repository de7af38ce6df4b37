"""Letters in a field: cut as digits are, named by a network that knows letters, joined without any rule.

```
PreparedField ─ glyphs ─▶ network ─▶ letters' shares ─ best path over the cuts ─▶ Decoded
```

Line readers and decoder know digits alone, so the glyph network is on its own here. Letters that stand apart or in
printed boxes are what this is for; its confidence is the product of the letters', and no calibrated probability.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from core.types import Alternative, Box, DigitCrop, DigitReading
from forms.decoder import GARBAGE, Decoded
from forms.field_types import FieldType
from model.recogniser import Recogniser
from worker.preparing import PreparedField

MAX_GAP: Final = 0.15
"""Text heights of paper between two pieces; what lies farther apart is no one letter."""

MAX_ASPECT: Final = 1.6
"""No letter is this much wider than tall, but for one that nothing was cut from."""

SPECK: Final = 0.3
"""Text heights; a piece smaller than this both ways may be passed over: a dot or dirt."""

FORBIDDEN: Final = -1e9

DIGITS: Final = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class _Edge:
    """A candidate: the cuts it leads between, what it weighs, and which it is."""

    start: int
    end: int
    weight: float
    place: int


def check_known(kinds: Sequence[FieldType], classes: tuple[str, ...]) -> None:
    """See that a network of `classes` can read fields of these kinds.

    Raises:
        InvalidRequest: it knows no letters, or no digits.
    """
    for kind in kinds:
        if kind.letters and not letters_of(classes):
            raise InvalidRequest(
                f"The network that reads knows no letters, so no field of type {kind.name}; "
                "train one on letters and choose it with TALLYSCAN_MODEL."
            )
        if not kind.letters and not set(classes) >= DIGITS:
            raise InvalidRequest(
                f"The network that reads knows letters alone, so no field of type {kind.name}; "
                "choose one that knows digits with TALLYSCAN_MODEL."
            )


def letters_of(classes: tuple[str, ...]) -> list[int]:
    """Return which of a network's classes are letters."""
    return [place for place, name in enumerate(classes) if len(name) == 1 and name.isalpha()]


def read_letters(field: PreparedField, network: Recogniser) -> Decoded:
    """Return the letters in the field, from left to right."""
    everything = range(field.candidates.count)
    glyphs = field.candidates.glyphs(everything)
    lattice = field.candidates.lattice(everything, glyphs)
    if not lattice.candidates:
        return Decoded(text="")
    shares = network.classify(glyphs)
    letters = letters_of(network.classes)
    edges = _edges(lattice.candidates, shares[:, letters].max(axis=1), glyphs, lattice.text_height)
    path = _best_path(edges, lattice.cuts)
    names = [network.classes[place] for place in letters]
    read = tuple(_read(lattice.candidates[place].box, shares[place, letters], names) for place in path)
    garbage = shares[path, network.classes.index(GARBAGE)] if GARBAGE in network.classes and path else np.zeros(1)
    return Decoded(
        text="".join(each.char for each in read),
        digits=read,
        confidence=float(np.prod([each.confidence for each in read])) if read else 0.0,
        digit_share=float(1 - np.mean(garbage)),
    )


def _edges(
    candidates: Sequence[DigitCrop], best: NDArray[np.float32], glyphs: NDArray[np.uint8], text_height: float
) -> list[_Edge]:
    """Return the ways from cut to cut: candidates by how surely they are a letter and how much ink they explain."""
    singles = {each.start: each.box for each in candidates if each.end == each.start + 1}
    edges = []
    for place, each in enumerate(candidates):
        width = max(1, each.box.width)
        if not glyphs[place].any():
            edges.append(_Edge(each.start, each.end, 0.0, -1))
            continue
        single = each.end == each.start + 1
        apart = _widest_gap([singles[cut] for cut in range(each.start, each.end)]) > MAX_GAP * text_height
        if single or not (apart or width > MAX_ASPECT * max(each.box.height, text_height)):
            edges.append(_Edge(each.start, each.end, width * float(np.log(max(best[place], 1e-6))), place))
        if single and max(width, each.box.height) < SPECK * text_height:
            edges.append(_Edge(each.start, each.end, 0.0, -1))
    return edges


def _widest_gap(boxes: Sequence[Box]) -> float:
    """Return the most paper between neighbouring pieces, which come from left to right."""
    reached, widest = boxes[0].right, 0
    for box in boxes[1:]:
        widest = max(widest, box.x - reached)
        reached = max(reached, box.right)
    return widest


def _best_path(edges: Sequence[_Edge], cuts: int) -> list[int]:
    """Return the candidates on the heaviest way from the first cut to the last, passed-over ones left out."""
    weights = [0.0] + [FORBIDDEN] * (cuts - 1)
    back: list[_Edge | None] = [None] * cuts
    for edge in sorted(edges, key=lambda each: each.start):
        reached = weights[edge.start] + edge.weight
        if reached > weights[edge.end]:
            weights[edge.end], back[edge.end] = reached, edge
    path, cut = [], cuts - 1
    while (last := back[cut]) is not None:
        if last.place >= 0:
            path.append(last.place)
        cut = last.start
    return path[::-1]


def _read(box: Box, shares: NDArray[np.float32], names: Sequence[str]) -> DigitReading:
    order = np.argsort(-shares)[:3]
    first, *others = ((names[place], float(shares[place])) for place in order)
    return DigitReading(first[0], first[1], box, tuple(Alternative(*each) for each in others))
