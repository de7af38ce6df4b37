"""What flows through Tallyscan, from pixels to a reading.

```
Page ─▶ FieldCrop ─▶ Lattice of DigitCrops ─▶ FieldReading ─▶ PageReading ─▶ DocumentReading
```

The inner types (`Page`, `FieldCrop`, `DigitCrop`, `Lattice`) hold pixels and never leave a worker.
The outer ones are JSON-ready; `core.codec` turns them into JSON and back.
Boxes are integer pixels of the upright page.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

AUTO: Final = "auto"
"""In place of a template's name: the one that fits each page best. No template can be called so."""


class Phase(StrEnum):
    """Which step of the flow a failure happened in."""

    INTAKE = "intake"
    FETCH = "fetch"
    DECODE = "decode"
    SEGMENT = "segment"
    RECOGNISE = "recognise"
    STORE = "store"
    WORKER = "worker"


class ReviewReason(StrEnum):
    """Why a person should look at a field."""

    EMPTY = "empty"
    LOW_CONFIDENCE = "low_confidence"
    NOT_DIGITS = "not_digits"
    INVALID_FORMAT = "invalid_format"
    READERS_DISAGREE = "readers_disagree"
    COMB_MISFIT = "comb_misfit"
    CHECK_FAILED = "check_failed"
    RULE_CONFLICT = "rule_conflict"
    REGISTRATION_POOR = "registration_poor"
    TEMPLATE_UNKNOWN = "template_unknown"
    OVERWRITTEN = "overwritten"
    VOID = "void"
    NOT_A_DIGIT = "not_a_digit"
    AMBIGUOUS_CUT = "ambiguous_cut"
    SEVERAL_NUMBERS = "several_numbers"
    CUT_OFF = "cut_off"
    PAGE_GUESSED = "page_guessed"
    FORM_OUTDATED = "form_outdated"


class Truth(StrEnum):
    """What a person says of a field: what it reads, that nothing stands there, or that nobody can tell."""

    TEXT = "text"
    EMPTY = "empty"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright page; `x`, `y` is its top left corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column beside it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.y + self.height

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns, to index an image with."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def scaled(self, scale: float) -> "Box":
        """Return it in a picture that is `scale` times as large; at least one pixel wide and high."""
        x, y, width, height = (round(side * scale) for side in (self.x, self.y, self.width, self.height))
        return Box(x, y, max(1, width), max(1, height))


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong: a stable code, the phase, a sentence for a person, and whether a retry may help."""

    code: str
    phase: Phase
    message: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One upright page of a document.

    Attributes:
        index: position in the document, from 0.
        pixels: uint8, shape (height, width) grey or (height, width, 3) BGR; 0 is black.
        dpi: dots an inch where the file states a plausible value, else None.
    """

    index: int
    pixels: NDArray[np.uint8]
    dpi: float | None = None

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True)
class FieldCrop:
    """A part of a page that holds one field.

    Attributes:
        name: the field's name, unique on its page.
        type: the field type's name (`digits`, `digit`, …).
        box: where it lies on the page.
        pixels: uint8 grey, shape (box.height, box.width); 0 is black.
    """

    name: str
    type: str
    box: Box
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class DigitCrop:
    """A candidate for one digit: an edge of the lattice.

    Attributes:
        start: index of the cut at its left side.
        end: index of the cut at its right side; greater than `start`.
        box: tight box of its ink, in pixels of the page.
        glyph: normalised for the network: uint8, shape (28, 28), ink 255 on 0.
    """

    start: int
    end: int
    box: Box
    glyph: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Lattice:
    """All candidates of one field between its cuts, from left to right.

    Attributes:
        cuts: number of cut positions; a path leads from cut 0 to cut `cuts - 1`.
        candidates: the edges; every cut but the last starts at least one.
        text_height: height in pixels of the writing, which tells dots from digits.
    """

    cuts: int
    candidates: tuple[DigitCrop, ...]
    text_height: float


@dataclass(frozen=True, slots=True)
class Alternative:
    """What else a digit might be."""

    char: str
    confidence: float


@dataclass(frozen=True, slots=True)
class DigitReading:
    """One digit as read; `confidence` and the alternatives' are probabilities."""

    char: str
    confidence: float
    box: Box
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldReading:
    """One field as read.

    Attributes:
        name: the field's name, unique on its page.
        type: the field type's name.
        box: where it lies on the page.
        text: the characters as read; empty when none were found.
        value: `text` normalised by its type, or None when it has no valid value.
        confidence: probability in 0..1 that `text` is right as a whole.
        accepted: whether it may be used without a person's look.
        review_reasons: why not, when not accepted.
        digits: the digits of `text` in reading order.
    """

    name: str
    type: str
    box: Box
    text: str
    value: str | None
    confidence: float
    accepted: bool
    review_reasons: tuple[ReviewReason, ...] = ()
    digits: tuple[DigitReading, ...] = ()


class ToldBy(StrEnum):
    """What told which page of its form a page is."""

    CODE = "code"
    POSITION = "position"


@dataclass(frozen=True, slots=True)
class FormPage:
    """Which page of its form a page is.

    Attributes:
        form: name of its template.
        number: from 1.
        of: how many pages the form has.
        told_by: the page's code, or its position in the document where no code could be read.
    """

    form: str
    number: int
    of: int
    told_by: ToldBy


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """The template that was chosen for a page; `version` is None where no version is stored."""

    name: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """How a page was laid over its template.

    Attributes:
        method: that found it.
        residual_px: mean distance left.
        form_page: which page of the form it is; None for forms of one page without a code.
        template: which template it is, where it was chosen for this page.
    """

    method: str
    residual_px: float
    form_page: FormPage | None = None
    template: TemplateUse | None = None


@dataclass(frozen=True, slots=True)
class ReaderInfo:
    """Which networks read: their version, and a SHA-256 that stands for their files."""

    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PageReading:
    """One page as read; a page that fails carries its failure and no fields.

    `reader` is what read this page: a model may be promoted between two pages of a long document.
    """

    index: int
    width: int
    height: int
    skew_degrees: float = 0.0
    registration: Registration | None = None
    failure: Failure | None = None
    fields: tuple[FieldReading, ...] = ()
    reader: ReaderInfo | None = None


class NoteCode(StrEnum):
    """What is to be said of a document whose pages belong to a form."""

    PAGE_MISSING = "page_missing"
    PAGE_DOUBLED = "page_doubled"


@dataclass(frozen=True, slots=True)
class DocumentNote:
    """What no page by itself can tell.

    Attributes:
        code: stable.
        message: a sentence for a person.
        form_page: of the form, from 1, that it is about.
        pages: indexes of the document's pages that it is about: those of the set that lacks one, or the doubled ones.
    """

    code: NoteCode
    message: str
    form_page: int
    pages: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProcessingStep:
    """What was done, with which settings."""

    name: str
    settings: dict[str, str | int | float | bool] = field(default_factory=dict)


def merged_steps(*pages: tuple[ProcessingStep, ...]) -> tuple[ProcessingStep, ...]:
    """Return the record of a document whose pages have these, each step once, in the order in which they are done."""
    steps: list[ProcessingStep] = []
    for page in pages:
        steps += [step for step in page if step not in steps]
    order = {name: place for place, name in reversed(list(enumerate(step.name for step in steps)))}
    return tuple(sorted(steps, key=lambda step: order[step.name]))


@dataclass(frozen=True, slots=True)
class DocumentReading:
    """A whole document as read."""

    pages: tuple[PageReading, ...]
    reader: ReaderInfo
    steps: tuple[ProcessingStep, ...] = ()
