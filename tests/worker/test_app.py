"""The Celery application as it is configured, and the desk that only children have."""

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from core.queue import CALLBACK_QUEUE, MAINTENANCE_QUEUE, NOTIFY, QUEUE_NAMES, READ_DOCUMENT, READ_PAGE, SWEEP
from core.settings import Settings
from worker import beat, caller, process
from worker.app import app, beat_config, worker_config


def test_attempts_are_counted_in_sql_and_not_by_celery() -> None:
    assert app.conf.task_acks_late
    assert not app.conf.task_reject_on_worker_lost
    assert app.conf.result_backend is None
    assert app.conf.task_ignore_result


def test_one_task_a_reader_is_fetched_and_urgent_ones_first() -> None:
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.broker_transport_options["queue_order_strategy"] == "priority"
    assert [queue.name for queue in app.conf.task_queues] == [MAINTENANCE_QUEUE, "high", "normal", "bulk"]


def test_limits_are_in_an_order_that_makes_sense() -> None:
    settings = Settings()
    config = worker_config(settings)
    limits = (config["task_soft_time_limit"], config["task_time_limit"], settings.lease_seconds)
    assert limits == tuple(sorted(limits))
    assert settings.lease_seconds < settings.visibility_timeout_seconds
    assert config["worker_max_memory_per_child"] == settings.worker_max_memory_mib * 1024


@pytest.mark.parametrize(("period", "expires"), [(5.0, 90.0), (100.0, 200.0)])
def test_sweeps_do_not_pile_up_nor_expire_by_a_clock_that_is_somewhat_ahead(period: float, expires: float) -> None:
    sweep = beat_config(Settings(sweep_seconds=period, lease_seconds=90.0))["beat_schedule"]["sweep"]
    assert (sweep["task"], sweep["schedule"], sweep["options"]["expires"]) == (SWEEP, period, expires)


def test_the_worker_knows_every_task_that_is_sent() -> None:
    app.loader.import_default_modules()
    assert {READ_DOCUMENT, READ_PAGE, SWEEP} <= set(app.tasks)


def test_readers_do_not_call_and_callers_do_not_read() -> None:
    readers, callers = ({queue.name for queue in each.conf.task_queues} for each in (app, caller.app))
    assert callers == {CALLBACK_QUEUE}
    assert readers == set(QUEUE_NAMES) - callers
    assert NOTIFY in caller.app.tasks


@pytest.mark.parametrize("imported", ["worker.app, worker.tasks", "worker.caller"])
def test_the_parents_imports_load_no_pixels(imported: str, project_root: Path) -> None:
    script = f"import {imported}, sys; print({{'cv2', 'ai_edge_litert', 'tensorflow'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=project_root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_lost_process_is_logged_with_its_document(project_root: Path) -> None:
    script = (
        "from worker.app import setup_logging; from worker.process import log_lost\n"
        "from billiard.exceptions import WorkerLostError\n"
        "setup_logging()\n"
        "log_lost(args=['abc'], exception=WorkerLostError())\n"
        "log_lost(args=['x'], exception=KeyError())"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=project_root, capture_output=True, text=True, check=True)
    (line,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert (line["event"], line["document_id"], line["reason"]) == ("worker process lost", "abc", "WorkerLostError")


def test_a_process_that_cannot_open_its_desk_tries_again_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "die_with_parent", lambda: None)
    monkeypatch.setenv("TALLYSCAN_HOME", str(tmp_path))
    monkeypatch.setenv("TALLYSCAN_MODEL", "no such network")
    process.start()
    assert process._desks == []
    monkeypatch.delenv("TALLYSCAN_MODEL")
    assert process.desk() is process.desk()
    process.stop()
    assert process._desks == []


def test_beat_shows_that_it_lives(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert not beat.is_alive(settings)
    beat.sign_of_life(settings).touch()
    assert beat.is_alive(settings)
    for other in (time.time() - 120, time.time() + 7200):  # long ago, or before the clock was set back
        os.utime(beat.sign_of_life(settings), (other, other))
        assert not beat.is_alive(settings)


def test_a_clock_that_is_set_back_holds_up_no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(beat.SteadyScheduler, "apply_entry", lambda _self, entry, **_: sent.append(entry.task))
    monkeypatch.setattr(beat.SteadyScheduler, "producer", None)  # it would connect
    scheduler = beat.SteadyScheduler(app)
    period = app.conf.beat_schedule["sweep"]["schedule"]
    entry = scheduler.schedule["sweep"]
    assert 0 < scheduler.tick() <= period
    entry.last_run_at += timedelta(hours=2)  # as after the wall clock went back so far
    scheduler._heap = None
    assert 0 < scheduler.tick() <= period
    entry.last_run_at -= timedelta(seconds=period)
    scheduler._heap = None
    scheduler.tick()
    assert sent == [SWEEP]
