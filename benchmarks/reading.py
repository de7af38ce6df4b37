"""Sets of fields through `worker.pipeline.Reader`, from the file's bytes on, as in a worker."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.fields import Field, FieldSet
from benchmarks.figures import Figures, Reading, share
from core.types import Box, FieldReading
from model.mining import overlap

if TYPE_CHECKING:
    from worker.pipeline import Reader

STANDS = 0.6
"""Intersection over union from which a candidate is the digit of a labelled box."""

FOUND = 0.5
"""Intersection over union from which a digit that was read is the labelled one, if it is of the same class."""


def read_fields(
    reader: "Reader", fields: FieldSet, *, target_error: float | None = None, thorough: bool = False
) -> list[FieldReading]:
    """Return the reading of each field, telling the progress.

    Args:
        reader: what reads.
        fields: the set.
        target_error: share of accepted fields that may be wrong; None for that of the settings.
        thorough: whether every reader is asked of every field.
    """
    from worker.pipeline import ReadRequest

    request = ReadRequest(fields.type_name, target_error=target_error, thorough=thorough)
    found = []
    for place, field in enumerate(fields.fields, start=1):
        found.append(reader.read(field.data, request=request).pages[0].fields[0])
        if place % 100 == 0 or place == len(fields.fields):
            tell(f"\r{fields.title}: {place} of {len(fields.fields)}", end="\n" if place == len(fields.fields) else "")
    return found


def compared(fields: Sequence[Field], found: Sequence[FieldReading]) -> list[Reading]:
    """Return what was read beside what was written."""
    return [
        Reading(field.truth, read.text, read.confidence, read.accepted, field.file)
        for field, read in zip(fields, found, strict=True)
    ]


def box_figures(fields: Sequence[Field], found: Sequence[FieldReading]) -> Figures:
    """Return the share of labelled digits that were read where they stand, and read rightly."""
    counts = [(len(field.digits), *_hits(field, read)) for field, read in zip(fields, found, strict=True)]
    known = [count for count in counts if count[0]]
    digits = sum(count for count, _, _ in known)
    return {
        "n": float(digits),
        "read_there": sum(right for _, right, _ in known) / max(digits, 1),
        "found_there": sum(placed for _, _, placed in known) / max(digits, 1),
        "whole_fields": share(right == count for count, right, _ in known),
    }


def lattice_figures(fields: Sequence[Field]) -> Figures:
    """Return how many labelled digits, and fields with all of theirs, have a candidate in the lattice."""
    known = [_stand(field) for field in fields if field.digits]
    return {
        "n": float(len(known)),
        "digits": share(digit for field in known for digit in field),
        "fields": share(all(field) for field in known),
    }


def tell(text: str, *, end: str = "\n") -> None:
    """Say how far it is, beside the figures."""
    print(text, end=end, file=sys.stderr, flush=True)


def _hits(field: Field, read: FieldReading) -> tuple[int, int]:
    """Return how many labelled digits were read rightly in their place, and how many as any digit.

    One digit that was read is one labelled digit at most: pairs are made from the closest one on.
    """
    pairs = sorted(
        (
            (overlap(known.box, digit.box), i, j)
            for i, known in enumerate(field.digits)
            for j, digit in enumerate(read.digits)
        ),
        reverse=True,
    )
    taken: set[tuple[str, int]] = set()
    right = placed = 0
    for close, i, j in pairs:
        if close >= FOUND and not taken & {("known", i), ("read", j)}:
            taken |= {("known", i), ("read", j)}
            placed += 1
            right += field.digits[i].char == read.digits[j].char
    return right, placed


def _stand(field: Field) -> list[bool]:
    import cv2
    import numpy as np

    from core.types import FieldCrop
    from segmentation.lattice import build_lattice

    grey = np.asarray(cv2.imdecode(np.frombuffer(field.data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
    box = Box(0, 0, grey.shape[1], grey.shape[0])
    candidates = build_lattice(FieldCrop(name="field", type="digits", box=box, pixels=grey)).candidates
    return [any(overlap(each.box, digit.box) >= STANDS for each in candidates) for digit in field.digits]
