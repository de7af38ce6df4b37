"""PDF pages, rendered in a child process that a hostile file may kill without harm.

PDFium parses megabytes of foreign structure in C++, is not thread-safe and ends the process when memory runs
out. So each process that decodes PDFs keeps one child (`decoding_pdf_render`) with a cap on its memory, starts
it at the first PDF, talks to it under a lock, and replaces it when it dies or takes too long.
"""

import atexit
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from core.errors import (
    EncryptedDocument,
    ImageTooLarge,
    InputError,
    TooManyPages,
    UnreadableImage,
    UnsupportedMediaType,
)
from core.types import Page
from segmentation.decoding_limits import DecodeLimits

RENDER_SECONDS = 40.0
"""Longest wait for one answer: below the worker's soft time limit, so that the page fails with a clear sentence."""

OUT_OF_MEMORY_SIGNALS = frozenset({signal.SIGABRT, signal.SIGTRAP, signal.SIGILL, signal.SIGKILL})
"""How PDFium's allocator, and the kernel, end a process that asks for too much."""

PASSED_ON = frozenset(
    {
        "PATH", "LD_LIBRARY_PATH", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE",
        "PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONUTF8",
    }
)  # fmt: skip
"""Variables of the environment that the child is given: what starts Python and finds its libraries."""

_ERRORS: dict[str, type[InputError]] = {
    error.code: error
    for error in (EncryptedDocument, ImageTooLarge, TooManyPages, UnreadableImage, UnsupportedMediaType)
}


def count_pdf_pages(data: bytes, *, limits: DecodeLimits) -> int:
    """Return the number of pages.

    Raises:
        EncryptedDocument: the PDF asks for a password.
        UnreadableImage: damaged, or without pages.
        TooManyPages: more pages than the limits allow.
        ImageTooLarge: opening it takes more memory than allowed.
    """
    with _LOCK:
        return int(_RENDERER.ask({"limits": _as_list(limits)}, data)[0]["pages"])


def decode_pdf(data: bytes, index: int, *, limits: DecodeLimits) -> Page:
    """Return page `index` rendered on white, as BGR.

    A page that is a scan is rendered at the scan's resolution, any other at `limits.pdf_dpi`.

    Raises:
        EncryptedDocument: the PDF asks for a password.
        UnreadableImage: damaged, or no such page, or rendering takes too long.
        TooManyPages: more pages than the limits allow.
        ImageTooLarge: the page, a picture on it, or the memory to draw it is larger than the limits allow.
    """
    with _LOCK:
        answer, body = _RENDERER.ask({"limits": _as_list(limits), "index": index}, data)
    pixels = np.frombuffer(body, dtype=np.uint8).reshape(answer["height"], answer["width"], 3)
    return Page(index=index, pixels=pixels, dpi=answer["dpi"])


def _as_list(limits: DecodeLimits) -> list[int]:
    return [limits.max_pixels, limits.max_side, limits.max_pages, limits.pdf_dpi]


class _Renderer:
    """The child process, started when first asked and after each loss."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, question: dict[str, object], data: bytes) -> tuple[dict[str, int], bytearray]:
        """Return the child's answer and the bytes that follow it.

        Raises:
            InputError: what the child says about the file, or what its death says.
        """
        with self._conversation() as (requests, answers):
            header = json.dumps({**question, "size": len(data)}).encode()
            for part in (struct.pack("<I", len(header)) + header, data):
                _send(requests, part)
            (length,) = struct.unpack("<I", answers.take(4))
            answer = json.loads(answers.take(length))
            body = answers.take(answer.get("size", 0))
        if "code" in answer:
            raise _ERRORS[answer["code"]](answer["message"])
        return answer, body

    @contextmanager
    def _conversation(self) -> Iterator[tuple[IO[bytes], "_TimedReader"]]:
        """Lend the pipes; whatever interrupts the exchange (a time limit too) ends the child."""
        if self._process is not None and self._process.poll() is not None:
            self.stop()  # it died between two documents: that says nothing about this one
        process = self._process = self._process or _start()
        requests, answers = process.stdin, process.stdout
        if requests is None or answers is None:  # cannot be: both were asked for as pipes
            raise RuntimeError
        try:
            yield requests, _TimedReader(answers, deadline=time.monotonic() + RENDER_SECONDS)
        except (EOFError, BrokenPipeError) as error:
            raise _cause_of_death(self.stop()) from error
        except TimeoutError as error:
            self.stop()
            raise UnreadableImage("The PDF takes too long to render.") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> int:
        """End the child, if there is one, and return its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        try:
            status = process.wait(timeout=0.2)  # a dying child's own status says why it died
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        for pipe in (process.stdin, process.stdout):
            _close(pipe)
        return status

    def forget(self) -> None:
        """After a fork: the child belongs to the other process."""
        if self._process is not None:
            self._process.returncode = 0  # not ours to wait for
            for pipe in (self._process.stdin, self._process.stdout):
                _close(pipe)
        self._process = None


class _TimedReader:
    """Exact reads from a pipe, up to a deadline."""

    def __init__(self, stream: IO[bytes], *, deadline: float) -> None:
        self._descriptor = stream.fileno()
        self._deadline = deadline

    def take(self, size: int) -> bytearray:
        """Return exactly `size` bytes.

        Raises:
            EOFError: the pipe was closed first.
            TimeoutError: the deadline passed first.
        """
        buffer = bytearray(size)
        view, filled = memoryview(buffer), 0
        with selectors.DefaultSelector() as selector:
            selector.register(self._descriptor, selectors.EVENT_READ)
            while filled < size:
                if not selector.select(max(0.0, self._deadline - time.monotonic())):
                    raise TimeoutError
                count = os.readv(self._descriptor, [view[filled:]])
                if count == 0:
                    raise EOFError
                filled += count
        return buffer


def _send(stream: IO[bytes], data: bytes) -> None:
    """Write all of it: an unbuffered pipe may take less when a signal arrives."""
    view = memoryview(data)
    while view:
        view = view[os.write(stream.fileno(), view) :]


def _environment() -> dict[str, str]:
    """Return what the child needs of the environment; the service's keys and addresses are not for it to see."""
    root = str(Path(__file__).resolve().parent.parent)
    return {
        **{name: value for name, value in os.environ.items() if name in PASSED_ON},
        "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])),
        "OPENBLAS_NUM_THREADS": "1",  # each thread reserves address space, which is capped
    }


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "segmentation.decoding_pdf_render"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env=_environment(),
        start_new_session=True,  # a Ctrl-C is the parent's to handle; the closed pipe ends the child
    )


def _cause_of_death(status: int) -> InputError:
    if -status in OUT_OF_MEMORY_SIGNALS:
        return ImageTooLarge("The PDF needs more memory than this service allows.")
    return UnreadableImage("The PDF is damaged and cannot be rendered.")


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        try:
            pipe.close()
        except OSError:  # what was still buffered has nowhere to go
            return


_LOCK = threading.RLock()
_RENDERER = _Renderer()


def _after_fork() -> None:
    global _LOCK  # noqa: PLW0603 - the old lock may be held by a thread that does not exist here
    _LOCK = threading.RLock()
    _RENDERER.forget()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_RENDERER.stop)
