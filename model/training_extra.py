"""The doors to the optional `train` extra: imported when a command needs them, never before.

Reading must not pay for TensorFlow, and a command without the extra says so in one line.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import ExtraMissing
from model.quiet import native_stderr_silenced


def load_tensorflow() -> Any:  # noqa: ANN401 - TensorFlow ships no types
    """Return the tensorflow module.

    Raises:
        ExtraMissing: it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Without it the same seed gives other weights on another number of cores.
    os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")
    if "tensorflow" in sys.modules:
        return load_extra("tensorflow")
    with native_stderr_silenced():
        tensorflow = load_extra("tensorflow")
        # It loads the rest when it is asked for something, and then looks for a GPU.
        tensorflow.config.list_physical_devices()
    return tensorflow


def load_keras() -> Any:  # noqa: ANN401 - Keras ships no types
    """Return the keras module, on TensorFlow.

    Raises:
        ExtraMissing: it is not installed.
    """
    load_tensorflow()
    with native_stderr_silenced():
        return load_extra("keras")


@contextmanager
def fast_precision() -> Iterator[None]:
    """Let networks that are built within multiply in half precision, where the processor or a GPU does so quickly.

    Weights stay in float32.

    Raises:
        ExtraMissing: TensorFlow is not installed.
    """
    policies = load_keras().mixed_precision
    policies.set_global_policy("mixed_bfloat16" if _multiplies_bfloat16() else "float32")
    try:
        yield
    finally:
        policies.set_global_policy("float32")


def _multiplies_bfloat16() -> bool:
    if load_tensorflow().config.list_physical_devices("GPU"):
        return True
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def require(*names: str) -> None:
    """See that modules of the extra are installed, without the time that it takes to load them.

    Raises:
        ExtraMissing: one is not.
    """
    if any(importlib.util.find_spec(name) is None for name in names):
        raise ExtraMissing


def load_extra(name: str) -> Any:  # noqa: ANN401 - any module of the extra
    """Return the module `name`, which only the `train` extra installs.

    Raises:
        ExtraMissing: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ExtraMissing from error
