"""How OpenCV says that there is no memory left: by its own error, not by Python's `MemoryError`."""

from typing import Final

import cv2

_NO_MEMORY: Final = f"({cv2.Error.StsNoMem}:"


def ran_out_of_memory(error: BaseException) -> bool:
    """Return whether the error says that the machine is short of memory, and so nothing of the picture."""
    # The attribute `code` is the class's, and so that of the last error of all: the message is each one's own.
    return isinstance(error, MemoryError) or (isinstance(error, cv2.error) and _NO_MEMORY in str(error))
