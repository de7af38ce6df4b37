"""The child process that renders PDFs: lost, stopped, interrupted, shared by threads, and left behind by a fork."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from core.errors import ImageTooLarge, UnreadableImage
from segmentation import decoding_pdf
from segmentation.decoding import DecodeLimits, decode_page
from tests import factories

LIMITS = DecodeLimits(max_pixels=40_000_000, max_side=20_000, max_pages=100, pdf_dpi=300)


def test_a_renderer_that_dies_between_documents_is_replaced_before_the_next() -> None:
    good = factories.pdf_bytes(["42020"])
    decode_page(good, 0, limits=LIMITS)
    process = decoding_pdf._RENDERER._process
    assert process is not None
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and nobody has noticed

    assert decode_page(good, 0, limits=LIMITS).pixels.ndim == 3
    assert decoding_pdf._RENDERER._process is not process
    assert process.returncode == -signal.SIGKILL


def test_a_renderer_that_dies_at_work_is_replaced_for_the_next_document(monkeypatch: pytest.MonkeyPatch) -> None:
    good = factories.pdf_bytes(["42020"])
    decode_page(good, 0, limits=LIMITS)
    process = decoding_pdf._RENDERER._process
    assert process is not None
    process.send_signal(signal.SIGSTOP)  # so that it dies with the question unanswered
    take = decoding_pdf._TimedReader.take

    def kill_and_take(answers: decoding_pdf._TimedReader, size: int) -> bytearray:
        process.kill()
        return take(answers, size)

    with monkeypatch.context() as patch:
        patch.setattr(decoding_pdf._TimedReader, "take", kill_and_take)
        with pytest.raises(ImageTooLarge):
            decode_page(good, 0, limits=LIMITS)

    assert decode_page(good, 0, limits=LIMITS).pixels.ndim == 3


def test_the_renderer_sees_none_of_the_services_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSCAN_DATABASE_URL", "postgresql://clerk:hunter2@db/tallyscan")
    monkeypatch.setenv("PYTHON_KEYRING_SECRET", "hunter2")
    decoding_pdf._RENDERER.stop()

    decode_page(factories.pdf_bytes(["42020"]), 0, limits=LIMITS)

    process = decoding_pdf._RENDERER._process
    assert process is not None
    given = Path(f"/proc/{process.pid}/environ").read_bytes()
    names = {line.partition(b"=")[0].decode() for line in given.split(b"\0") if line}
    assert b"hunter2" not in given
    assert {"PYTHONPATH", "OPENBLAS_NUM_THREADS"} <= names <= decoding_pdf.PASSED_ON | {"OPENBLAS_NUM_THREADS"}


def test_a_renderer_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    good = factories.pdf_bytes(["1"])
    decode_page(good, 0, limits=LIMITS)
    process = decoding_pdf._RENDERER._process
    assert process is not None
    process.send_signal(signal.SIGSTOP)

    with monkeypatch.context() as patch:
        patch.setattr(decoding_pdf, "RENDER_SECONDS", 0.1)
        with pytest.raises(UnreadableImage, match="too long"):
            decode_page(good, 0, limits=LIMITS)
    assert process.returncode == -signal.SIGKILL
    assert decode_page(good, 0, limits=LIMITS).pixels.ndim == 3


def test_an_interrupted_rendering_leaves_no_half_answer_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Celery's soft time limit does: an exception in the middle of the exchange."""

    class Interrupted(Exception):
        pass

    def interrupt(*_: object) -> bytearray:
        raise Interrupted

    good = factories.pdf_bytes(["42020"])
    with monkeypatch.context() as patch:
        patch.setattr(decoding_pdf._TimedReader, "take", interrupt)
        with pytest.raises(Interrupted):
            decode_page(good, 0, limits=LIMITS)

    assert decode_page(good, 0, limits=LIMITS).pixels.ndim == 3


def test_threads_may_decode_pdfs_at_once() -> None:
    data = factories.pdf_bytes(["1", "22", "333"])
    expected = [decode_page(data, index, limits=LIMITS).pixels for index in range(3)]
    wrong: list[int] = []

    def work(index: int) -> None:
        pages = [decode_page(data, index, limits=LIMITS) for _ in range(5)]
        wrong.extend(page.index for page in pages if not np.array_equal(page.pixels, expected[index]))

    threads = [threading.Thread(target=work, args=(index % 3,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert not wrong
    assert not any(thread.is_alive() for thread in threads)


FORKING = """
import os
from segmentation import decoding_pdf
from segmentation.decoding import decode_page
from tests import factories
from tests.segmentation.memory_child import LIMITS

data = factories.pdf_bytes(["42020"])
expected = decode_page(data, 0, limits=LIMITS).pixels.tobytes()
renderer = decoding_pdf._RENDERER._process.pid
child = os.fork()
for _ in range(20):
    assert decode_page(data, 0, limits=LIMITS).pixels.tobytes() == expected
assert (decoding_pdf._RENDERER._process.pid == renderer) == (child != 0)
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert decode_page(data, 0, limits=LIMITS).pixels.tobytes() == expected
"""


def test_a_forked_process_has_a_renderer_of_its_own(project_root: Path) -> None:
    """Both decode at once; on one pair of pipes their answers would mix."""
    subprocess.run([sys.executable, "-c", FORKING], cwd=project_root, timeout=60, check=True)
