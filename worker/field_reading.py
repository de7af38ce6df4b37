"""One field after another: prepared for the networks, read by them, and judged. Pages and forms are others' business.

```
FieldCrop ─ prepare ─▶ PreparedField ─ recognise ─▶ Decoded ─ judge ─▶ FieldReading
```
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from core.settings import Settings
from core.types import FieldCrop, FieldReading, ReaderInfo
from forms.decoder import Decoded
from forms.field_types import FieldType
from forms.policy import judge, lattice_threshold
from segmentation.surroundings import Surroundings
from worker.inspecting import inspect_ink
from worker.lettering import check_known, read_letters
from worker.networks import Networks
from worker.number_doubts import ANYWHERE, Place, doubt_number
from worker.preparing import PreparedField, prepare_field
from worker.recognising import Recognition
from worker.timings import StageTimings

WITHOUT_LINE: Final = frozenset({"digit", "letters"})
"""Types in which line readers have no say: they know less of a single glyph than the glyph network, and no letters."""


class FieldReader:
    """Reads fields with the networks of one process, and the settings' threshold. Not for two threads at once."""

    def __init__(self, networks: Networks, settings: Settings, timings: StageTimings) -> None:
        """Read with `networks`; what it costs is added to `timings`."""
        self._networks = networks
        self._settings = settings
        self._timings = timings
        self._recognition = Recognition(networks, timings)
        # Asked for every field, and a search over all labelled ones each time.
        self._threshold = lru_cache(maxsize=64)(self._threshold_for)

    @property
    def info(self) -> ReaderInfo:
        """Which networks read."""
        return self._networks.info

    def prepare(
        self,
        crop: FieldCrop,
        *,
        kind: FieldType | None = None,
        as_it_came: FieldCrop | None = None,
        around: Callable[[], Surroundings] | None = None,
    ) -> PreparedField:
        """Return the field as the networks take it.

        Args:
            crop: the field.
            kind: what it may hold; None takes the type of the crop's name for it.
            as_it_came: the same field with its print, where that was taken out of `crop`.
            around: gives it on its page, where nothing was taken out of it.
        """
        with_line = self._networks.lines is not None and crop.type not in WITHOUT_LINE
        return prepare_field(crop, with_line=with_line, kind=kind, as_it_came=as_it_came, around=around)

    def recognise(self, fields: Sequence[PreparedField], *, thorough: bool) -> list[Decoded]:
        """Return what was read in each field: letters by the glyph network alone, all else by both kinds of readers.

        Raises:
            InvalidRequest: the networks do not know what a field holds.
        """
        check_known([field.kind for field in fields], self._networks.glyphs.classes)
        digits = [field for field in fields if not field.kind.letters]
        numbers = iter(self._recognition.read(digits, thorough=thorough))
        return [read_letters(field, self._networks.glyphs) if field.kind.letters else next(numbers) for field in fields]

    def judge(
        self,
        field: PreparedField,
        decoded: Decoded,
        *,
        target_error: float,
        found: bool = False,
        place: Place = ANYWHERE,
    ) -> FieldReading:
        """Return the reading of a field, accepted or with the reasons why a person should look.

        Args:
            field: as it was prepared.
            decoded: what was read in it.
            target_error: share of accepted fields that may be wrong.
            found: whether the field was found on a page rather than named by anybody.
            place: where its number stands.
        """
        threshold = self._settings.accept_confidence
        if threshold is None:
            threshold = lattice_threshold(target_error) if decoded.fused is None else self._threshold(target_error)
        cells = None if field.comb is None else len(field.comb.cells)
        with self._timings.measure("inspect"):
            signs = inspect_ink(field, decoded, found=found)
        reading = judge(
            decoded,
            field.crop,
            accept_confidence=threshold,
            found=found,
            comb_cells=cells,
            kind=field.kind,
            signs=signs,
        )
        return reading if field.comb is not None else doubt_number(reading, field.kind, field.crop, place)

    def _threshold_for(self, target_error: float) -> float:
        calibration = self._networks.calibration
        return lattice_threshold(target_error) if calibration is None else calibration.threshold(target_error)
