"""Uploads and the ledger: nothing twice, whenever the process dies."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli.client import Client, Upload
from cli.ledger import Ledger, Run, Stamp, State, open_ledger, run_name, upload_key
from cli.progress import progress_display
from cli.replies import Document, Limits
from cli.sending import Sender, SendOptions, Sent, send_all
from cli.submit import Plan
from cli.submit import _open_run as submitted_run
from cli.watch import Watch
from cli.watch import _open_run as watched_run
from core.errors import Forbidden, InvalidRequest, ServiceUnreachable, Unauthorized
from tests.cli.app_server import AppServer
from tests.cli.conftest import Tallyscan
from tests.factories import png_bytes

OPTIONS = SendOptions(type_name="digits")
LIMIT = 1_000_000

OLD_LEDGER = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, service TEXT NOT NULL, purpose TEXT NOT NULL, name TEXT NOT NULL, token TEXT NOT NULL,
    options TEXT NOT NULL, batch_id TEXT
);
CREATE TABLE files (
    run_id INTEGER NOT NULL REFERENCES runs (id), path BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, round INTEGER NOT NULL, state TEXT NOT NULL, document_id TEXT, in_batch INTEGER,
    code TEXT, message TEXT,
    PRIMARY KEY (run_id, path)
) WITHOUT ROWID;
"""
"""As it was before the names of uploads were kept."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "client") as opened:
        yield opened


@pytest.fixture
def run(ledger: Ledger) -> Run:
    return ledger.start("http://service", purpose="test", name="monday", options=OPTIONS.as_json())


def sender(app: AppServer, ledger: Ledger, run: Run) -> Sender:
    return Sender(app.client(), ledger, run, options=OPTIONS, max_bytes=LIMIT)


def test_a_file_is_sent_once_however_often_it_is_asked_for(
    app: AppServer, ledger: Ledger, run: Run, scans: Path
) -> None:
    first = sender(app, ledger, run).send(scans / "a.png")
    assert sender(app, ledger, run).send(scans / "a.png") == first
    assert app.documents() == [first.entry.document_id]


def test_a_kill_between_the_answer_and_the_ledger_sends_nothing_twice(
    app: AppServer, ledger: Ledger, run: Run, scans: Path
) -> None:
    # What the service has, and the ledger does not: exactly what a kill at that moment leaves.
    scan = scans / "a.png"
    data = scan.read_bytes()
    key = upload_key(run, scan, sha256=_sha256(data), round=0)
    with app.client() as client:
        lost = client.submit(Upload(name=scan.name, data=data, idempotency_key=key, type_name="digits"))
    assert ledger.entry(run, scan) is None
    assert sender(app, ledger, run).send(scan).entry.document_id == lost.id
    assert app.documents() == [lost.id]


def test_a_touched_file_is_not_sent_again_and_a_changed_one_is(
    app: AppServer, ledger: Ledger, run: Run, scans: Path
) -> None:
    scan = scans / "a.png"
    first = sender(app, ledger, run).send(scan).entry
    os.utime(scan, (1, 1))
    assert sender(app, ledger, run).send(scan).entry.document_id == first.document_id
    known = ledger.entry(run, scan)
    assert known is not None
    assert known.stamp == Stamp.of(scan)
    scan.write_bytes(png_bytes("999"))
    assert sender(app, ledger, run).send(scan).entry.document_id != first.document_id
    assert len(app.documents()) == 2


def test_the_service_hears_of_the_target_error(app: AppServer, ledger: Ledger, run: Run, scans: Path) -> None:
    options = SendOptions(type_name="digits", target_error=0.02)
    sent = Sender(app.client(), ledger, run, options=options, max_bytes=LIMIT).send(scans / "a.png")
    assert sent.entry.document_id is not None
    assert app.services.store.documents.get(sent.entry.document_id, None).target_error == 0.02


def test_a_run_without_a_target_error_is_noted_as_before_there_was_one() -> None:
    assert "target_error" not in OPTIONS.as_json()
    assert SendOptions(target_error=0.02).as_json()["target_error"] == 0.02


def test_equal_files_are_separate_documents(app: AppServer, ledger: Ledger, run: Run, scans: Path) -> None:
    (scans / "b.png").write_bytes((scans / "a.png").read_bytes())
    sent = [sender(app, ledger, run).send(scans / name).entry.document_id for name in ("a.png", "b.png")]
    assert len(set(sent)) == 2


def test_files_of_one_name_in_two_folders_are_told_apart(
    app: AppServer, ledger: Ledger, run: Run, tmp_path: Path
) -> None:
    for folder in ("a", "b"):
        (tmp_path / "day" / folder).mkdir(parents=True)
        (tmp_path / "day" / folder / "1.png").write_bytes(png_bytes(f"{ord(folder)}"))
    named = Sender(app.client(), ledger, run, options=OPTIONS, max_bytes=LIMIT, paths=[tmp_path / "day"])
    for folder in ("a", "b"):
        sent = named.send(tmp_path / "day" / folder / "1.png").entry.document_id
        assert sent is not None
        assert app.services.store.documents.get(sent, None).filename == f"{folder}/1.png"


def test_what_was_sent_by_its_bare_name_is_not_sent_again_by_its_folders(
    app: AppServer, ledger: Ledger, run: Run, scans: Path
) -> None:
    (scans / "sub").mkdir()
    scan = (scans / "a.png").rename(scans / "sub" / "a.png")
    key = upload_key(run, scan, sha256=hashlib.sha256(scan.read_bytes()).hexdigest(), round=0)
    lost = app.client().submit(Upload("a.png", scan.read_bytes(), key, run.batch_id, type_name="digits"))
    named = Sender(app.client(), ledger, run, options=OPTIONS, max_bytes=LIMIT, paths=[scans])
    assert named.send(scan).entry.document_id == lost.id
    assert app.documents() == [lost.id]


@pytest.mark.parametrize("later", [["scans/more"], ["scans", "other"], ["scans/more/c.png"]], ids=str)
def test_what_was_sent_once_is_not_sent_again_however_the_paths_are_named_later(
    later: list[str], app: AppServer, ledger: Ledger, run: Run, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scans.parent / "other").mkdir()
    scan, submit = scans / "more" / "c.png", Client.submit

    def lose(client: Client, upload: Upload) -> Document:
        submit(client, upload)
        raise ServiceUnreachable

    def send(*paths: Path) -> Sent:
        return Sender(app.client(), ledger, run, options=OPTIONS, max_bytes=LIMIT, paths=paths).send(scan)

    with monkeypatch.context() as away:
        away.setattr(Client, "submit", lose)
        with pytest.raises(ServiceUnreachable):
            send(scans)
    assert [send(*(scans.parent / path for path in later)).entry.document_id] == app.documents()
    assert app.services.store.documents.get(app.documents()[0], None).filename == "more/c.png"


def test_a_file_that_the_service_took_under_another_name_is_refused_and_stops_nobody(
    app: AppServer, ledger: Ledger, run: Run, scans: Path
) -> None:
    taken = scans / "a.png"
    key = upload_key(run, taken, sha256=_sha256(taken.read_bytes()), round=0)
    app.client().submit(Upload("else.png", taken.read_bytes(), key, run.batch_id, type_name="digits"))
    sent = send_all(sender(app, ledger, run).send, [taken, scans / "b.png"], jobs=1, stop=lambda: None)
    codes = {item.scan.name: item.entry.code for item in sent}
    assert codes == {"a.png": "idempotency_conflict", "b.png": None}
    assert [entry.path for entry in ledger.entries(run, State.REFUSED)] == [taken]
    assert len(app.documents()) == 2


def test_a_ledger_of_an_earlier_version_is_gone_on_with(tmp_path: Path) -> None:
    scan = tmp_path / "a.png"
    with closing(sqlite3.connect(tmp_path / "submissions.db")) as db:
        db.executescript(OLD_LEDGER)
        db.execute("INSERT INTO runs VALUES (1, 'http://a', 'p', 'n', 't', '{}', 'B1')")
        db.execute("INSERT INTO files VALUES (1, ?, 1, 2, 'aa', 0, 'sent', 'D1', 1, NULL, NULL)", (str(scan).encode(),))
        db.commit()
    for _ in range(2):
        with open_ledger(tmp_path) as ledger:
            run = ledger.find("http://a", purpose="p")
            assert run is not None
            assert ledger.entries(run, State.SENT)[0].document_id == "D1"
            assert ledger.label(run, scan, proposed="day/a.png") == "day/a.png"
            assert ledger.label(run, scan, proposed="a.png") == "day/a.png"


def test_a_refused_file_is_noted_with_its_code(app: AppServer, ledger: Ledger, run: Run, scans: Path) -> None:
    entry = sender(app, ledger, run).send(scans / "notes.txt").entry
    assert (entry.state, entry.code, entry.document_id) == (State.REFUSED, "unsupported_media_type", None)
    assert ledger.entries(run, State.REFUSED)[0].message == entry.message
    assert app.documents() == []


def test_a_file_over_the_limit_is_not_sent_at_all(app: AppServer, ledger: Ledger, run: Run, scans: Path) -> None:
    small = Sender(app.client(), ledger, run, options=OPTIONS, max_bytes=10)
    assert small.send(scans / "a.png").entry.code == "payload_too_large"


def test_uploads_run_in_parallel_and_all_arrive(app: AppServer, ledger: Ledger, run: Run, tmp_path: Path) -> None:
    scans = [tmp_path / f"{number}.png" for number in range(20)]
    for scan in scans:
        scan.write_bytes(png_bytes("70315"))
    one = sender(app, ledger, run)
    sent = list(send_all(one.send, scans, jobs=4, stop=lambda: None))
    assert {item.scan for item in sent} == set(scans)
    assert len({item.entry.document_id for item in sent}) == 20
    assert len(app.documents()) == 20


def test_a_refused_key_ends_the_run(app: AppServer, ledger: Ledger, run: Run, scans: Path) -> None:
    app.services.store.keys.revoke(app.key_id)
    stopped: list[bool] = []
    with pytest.raises(Unauthorized):
        list(send_all(sender(app, ledger, run).send, [scans / "a.png"], jobs=2, stop=lambda: stopped.append(True)))
    assert stopped == [True]
    assert ledger.entry(run, scans / "a.png") is None


def test_a_closed_file_that_comes_again_is_sent_again(app: AppServer, ledger: Ledger, run: Run, scans: Path) -> None:
    from dataclasses import replace

    first = sender(app, ledger, run).send(scans / "a.png").entry
    ledger.record(run, replace(first, state=State.CLOSED))
    again = sender(app, ledger, run).send(scans / "a.png").entry
    assert again.document_id != first.document_id
    assert again.round == 1


def test_the_ledger_survives_and_keeps_names_that_are_no_text(tmp_path: Path) -> None:
    odd = tmp_path / b"caf\xe9.png".decode("utf-8", "surrogateescape")
    odd.write_bytes(b"x")
    with open_ledger(tmp_path / "client") as ledger:
        started = ledger.start("http://a", purpose="p", name="n", options={"type_name": None})
        run = ledger.set_batch(started, "B1")
        from cli.ledger import Entry

        ledger.record(run, Entry(odd, Stamp.of(odd), "aa", 0, State.SENT, "D1"))
    with open_ledger(tmp_path / "client") as ledger:
        assert ledger.find("http://a", purpose="p") == run
        assert ledger.find("http://b", purpose="p") is None
        assert ledger.entries(run, State.SENT)[0].path == odd


def test_a_runs_name_is_text_that_a_service_takes(app: AppServer, ledger: Ledger) -> None:
    folder = b"caf\xe9 ".decode("utf-8", "surrogateescape") + "x" * 250
    name = run_name(folder, ending=" 2026-01-31 09:30")
    assert name.startswith("caf? x")
    assert name.endswith("x 2026-01-31 09:30")
    run = ledger.start("http://service", purpose="odd", name=name, options={})
    with app.client() as client:
        batch = client.create_batch(run.name, idempotency_key=run.token)
    assert app.services.store.batches.get(batch.id, None).name == name
    assert run_name("monday") == "monday"


def test_a_folder_whose_name_is_no_text_can_be_sent_and_watched(app: AppServer, ledger: Ledger, scans: Path) -> None:
    odd = scans.rename(scans.with_name(b"caf\xe9".decode("utf-8", "surrogateescape")))
    plan = Plan((odd,), None, resume=False, wait=False, jobs=1, format_name=None, out=None, options=OPTIONS)
    watch = Watch(odd, "caf\udce9", 1.0, 1, None, None, OPTIONS)
    with app.client() as client, progress_display() as display:
        sent = submitted_run(client, ledger, plan, display=display)
        watched = watched_run(client, ledger, watch)
    assert sent.name.startswith("caf? 20")
    assert watched.name == "caf?"
    names = {batch.name for batch in app.services.store.batches.recent(None, 9)}
    assert names == {sent.name, watched.name}


def test_a_home_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidRequest, match="ledger"), open_ledger(tmp_path / "file" / "home"):
        pass


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def test_the_service_hears_of_the_template(app: AppServer, ledger: Ledger, run: Run, scans: Path) -> None:
    options = SendOptions(template="auto")
    sent = Sender(app.client(), ledger, run, options=options, max_bytes=LIMIT).send(scans / "a.png")
    assert sent.entry.document_id is not None
    assert app.services.store.documents.get(sent.entry.document_id, None).template == ("auto", None)
    assert options.as_json()["template"] == "auto"
    assert "template" not in OPTIONS.as_json()


@pytest.fixture
def refused_limits(app: AppServer, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The options that lead to a service that tells its limits to no key of scope `submit`, as older ones do."""

    def refuse(_client: Client) -> Limits:
        raise Forbidden

    monkeypatch.setattr(Client, "limits", refuse)
    return ("--url", app.endpoint.url, "--key", app.new_key("scanner", "submit"))


def test_a_key_that_may_only_submit_is_enough_to_send(
    tallyscan: Tallyscan, app: AppServer, refused_limits: tuple[str, ...], scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tallyscan("submit", scans, "--no-wait", *refused_limits).exit_code == 0
    assert len(app.documents()) == 3
    monkeypatch.setenv("TALLYSCAN_MAX_FILE_BYTES", "10")
    result = tallyscan("submit", scans / "a.png", "--no-wait", *refused_limits)
    assert (result.exit_code, "(payload_too_large)" in result.stderr) == (1, True)


def test_a_key_that_may_only_submit_is_enough_to_watch(
    tallyscan: Tallyscan, refused_limits: tuple[str, ...], scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.watch._work", lambda *_arguments, **_options: None)
    result = tallyscan("submit", "--watch", scans, *refused_limits)
    assert (result.exit_code, "stopped: 0 files read" in result.stderr) == (0, True)


@pytest.mark.parametrize("option", ["--tag", "--template"])
def test_a_word_that_is_no_text_is_wrong_usage(tallyscan: Tallyscan, scans: Path, option: str) -> None:
    result = tallyscan("submit", scans, option, "caf\udce9", "--url", "http://127.0.0.1:9")
    assert (result.exit_code, "is no text" in result.stderr) == (2, True)
