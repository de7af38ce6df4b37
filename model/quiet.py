"""Quiet for commands: LiteRT and TensorFlow announce delegates and missing GPUs, and have no switch for it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def native_stderr_silenced() -> Iterator[None]:
    """Drop what native code writes to stderr meanwhile; an exception still says what went wrong."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
