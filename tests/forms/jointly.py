"""A field read in one go by lattice and line readers together, as `worker.recognising` reads it in steps."""

import numpy as np
from numpy.typing import NDArray

from core.types import FieldCrop, Lattice
from forms.confidence import Calibration
from forms.decoder import Decoded
from forms.field_types import FieldType
from forms.joint import LineView, lay_back, weigh


def decode_jointly(
    lattice: Lattice,
    scores: NDArray[np.float32],
    line: LineView,
    *,
    classes: tuple[str, ...],
    crop: FieldCrop,
    field_type: FieldType,
    calibration: Calibration,
) -> Decoded:
    """Return what `weigh` holds for likeliest, laid back onto the lattice."""
    weighed = weigh(lattice, scores, line, classes=classes, field_type=field_type, calibration=calibration)
    return lay_back(weighed, lattice, scores, line, classes=classes, crop=crop)
