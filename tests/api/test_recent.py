"""Answers that are used again for a moment."""

import time
from threading import Barrier

import pytest

from api import recent
from api.recent import Recent
from core.errors import DatabaseUnavailable
from tests.storage.racing import race_threads


def test_many_who_ask_at_once_cost_one_question() -> None:
    asked: list[float] = []

    def ask() -> int:
        time.sleep(0.05)
        asked.append(time.monotonic())
        return len(asked)

    question = Recent(ask)
    assert race_threads(8, lambda _: question()) == [1] * 8
    assert question() == 1


def test_an_answer_is_used_the_longer_the_longer_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(recent.time, "monotonic", lambda: clock[0])
    answers = iter(range(9))

    def ask() -> int:
        clock[0] += 2.0
        return next(answers)

    question = Recent(ask)
    found = []
    for pause in (0.0, 5.9, 0.2, 5.9, 0.2):
        clock[0] += pause
        found.append(question())
    assert found == [0, 0, 1, 1, 2]


def test_a_failure_is_told_to_all_who_wait_and_to_nobody_later() -> None:
    waiting, asked = Barrier(5), list[object]()

    def ask() -> str:
        asked.append(None)
        if len(asked) > 1:
            return "here"
        waiting.wait(10)
        time.sleep(0.2)
        raise DatabaseUnavailable

    question = Recent(ask)

    def act(racer: int) -> str:
        if racer > 0:
            waiting.wait(10)  # until the first is asking
        try:
            return question()
        except DatabaseUnavailable:
            return "away"

    assert race_threads(5, act) == ["away"] * 5
    assert question() == "here"
