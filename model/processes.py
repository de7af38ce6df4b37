"""Processes beside a training or a comparison: spawned, as TensorFlow must not be forked, and gone when it is."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from threading import Thread

from core.errors import WorkerLost


@contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Yield `count` processes; what they have not begun when the block ends, or fails, is left undone.

    Raises:
        WorkerLost: one of them was killed.
    """
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_end_with_parent)
    try:
        yield pool
    except BrokenProcessPool as error:
        raise WorkerLost("A process of the run was killed, perhaps for want of memory; go on with --resume.") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Let this process end when its parent is killed: it would wait for work for ever."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()
