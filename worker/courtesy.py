"""A cheque's courtesy amount: found by its currency's sign, which also tells how many decimals are written behind it.

```
area ─ find_sign ─▶ box right of it, FieldType ─▶ (as any field)
```
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.types import Box
from forms.field_specs import AmountSpec
from forms.field_types import FieldType
from forms.templates import TemplateField
from segmentation.courtesy import Sign, beside, find_sign

COURTESY_AMOUNT: Final = "courtesy_amount"
"""What `locate` says of a field that is one."""

DECIMALS: Final = {"$": 2, "₹": None}
"""Written behind a sign where a template does not say: dollars with their cents, rupees as `amount` has them."""

_Grey = NDArray[np.uint8]


def locate(field: TemplateField, grey: _Grey, area: Box) -> tuple[Box, FieldType, bool]:
    """Return where the amount of `field` stands within `area`, what it may hold, and whether its sign was found.

    Args:
        field: of the template.
        grey: the page, laid over the template.
        area: the field's box on it.
    """
    sign = find_sign(grey, area)
    kind = _kind(field, sign)
    return (area, kind, False) if sign is None else (beside(sign, area), kind, True)


def _kind(field: TemplateField, sign: Sign | None) -> FieldType:
    spec = field.type
    if sign is None or not isinstance(spec, AmountSpec) or spec.decimals is not None:
        return field.field_type()
    if DECIMALS[sign.char] is None:
        return field.field_type()
    return spec.model_copy(update={"decimals": DECIMALS[sign.char]}).field_type(cells=field.cells)
