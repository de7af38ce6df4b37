"""Many callers at the same moment: in threads of this process, and in processes of their own."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]


def race_threads(count: int, act: Callable[[int], T]) -> list[T]:
    """Return what `act(0)` to `act(count - 1)` return when all are called at once."""
    barrier = Barrier(count)

    def start(number: int) -> T:
        barrier.wait(30)
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


def race_processes(count: int, code: str, *arguments: str) -> list[str]:
    """Return the results of `count` processes that run `code` at once.

    The code sees `store`, `number` and `arguments`, and leaves its answer in `result`.
    """
    program = [sys.executable, "-m", "tests.storage.racer", code, json.dumps(arguments)]
    racers = [
        subprocess.Popen([*program, str(number)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(count)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    results = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * count
    return results
