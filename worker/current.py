"""The reader of a process that lives long: it follows the pointer to the active model, between documents.

One look at the pointer's file says whether it has changed. A model that cannot be loaded changes nothing: the one
before it goes on, the log says so, and so do `/readyz` and `tallyscan doctor`, which look for themselves.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from core.errors import ArtifactError
from core.settings import ACTIVE_MODEL, SHIPPED_MODEL, Settings
from storage.models import ModelShelf, Stamp
from worker.networks import active_model, open_named
from worker.pipeline import Reader

RETRY_SECONDS: Final = 10.0
"""Between two tries to load a model that would not load: somebody may be copying it."""

log = structlog.get_logger(__name__)


class CurrentReader:
    """Calls return the reader to read the next document with. Not for two threads at once."""

    def __init__(self, settings: Settings) -> None:
        """Load what the settings name now.

        Raises:
            ArtifactError: neither that, nor anything that was active before it, can be loaded or read from the disk.
        """
        self._settings = settings
        self._shelf = ModelShelf.of(settings)
        self._follows = settings.model == ACTIVE_MODEL
        self._stamp: Stamp | None = self._shelf.stamp()
        self._retry_at = float("inf")
        self._name = ""
        self._reader = self._first()

    def __call__(self) -> Reader:
        """Return the reader of the model that is active now."""
        if self._follows:
            stamp = self._shelf.stamp()
            if stamp != self._stamp or time.monotonic() >= self._retry_at:
                self._stamp = stamp
                self._follow()
        return self._reader

    def _first(self) -> Reader:
        try:
            return self._try(lambda: self._load(active_model(self._settings)))
        except ArtifactError as error:
            if not self._follows:
                raise
            log.error("active model cannot be loaded", code=error.code, reason=str(error))  # noqa: TRY400 - no trace
            self._retry_at = time.monotonic() + RETRY_SECONDS
        for name in (*reversed(self._before()), SHIPPED_MODEL):
            try:
                reader = self._try(partial(self._load, name))
            except ArtifactError as error:
                log.warning("earlier model cannot be loaded", model=name, code=error.code, reason=str(error))
                continue
            log.warning("an earlier model reads in its place", model=name)
            return reader
        raise ArtifactError("Neither the active model nor any other can be loaded.")

    @staticmethod
    def _try(load: Callable[[], Reader]) -> Reader:
        """Return what `load` does; a disk that fails, or a file that may not be read, is an ArtifactError too."""
        try:
            return load()
        except OSError as error:
            raise ArtifactError(f"The model's files cannot be read: {error.strerror or error}.") from error

    def _before(self) -> tuple[str, ...]:
        try:
            return self._shelf.pointer().before
        except ArtifactError:
            return ()

    def _follow(self) -> None:
        # Set before trying: whatever ends the try, a time limit for one, it must not be the last.
        self._retry_at = time.monotonic() + RETRY_SECONDS
        try:
            name = active_model(self._settings)
            if name != self._name:
                self._reader = self._load(name)
                log.info("model changed", model=name, version=self._reader.info.version)
            self._retry_at = float("inf")
        except (ArtifactError, OSError) as error:
            log.error(  # noqa: TRY400 - a trace would tell no more
                "active model cannot be loaded; the one before it goes on",
                kept=self._name,
                code=_code(error),
                reason=str(error),
            )

    def _load(self, name: str) -> Reader:
        networks = open_named(name, self._settings)
        reader = Reader.of(networks, self._settings)
        if not networks.are_calibrated:
            log.warning("calibration was made for other networks: confidences mean little", model=name)
        self._name = name
        return reader


def _code(error: ArtifactError | OSError) -> str:
    return error.code if isinstance(error, ArtifactError) else type(error).__name__
