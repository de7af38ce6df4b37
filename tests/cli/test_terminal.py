"""What is printed for people does not steer their terminal, whatever files are called or a service says."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cli.outcome import Outcome
from cli.output import failure_lines
from cli.stop import Stop
from cli.terminal import visible
from core.status import Status
from core.types import Failure, Phase
from tests.cli.conftest import Tallyscan
from tests.factories import png_bytes

TITLE = "\x1b]0;pwned\x07"
"""Sets the title of a terminal's window; click takes no such sequence out by itself."""

SHOWN = "\\x1b]0;pwned\\x07"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("scan é 扫 ½ – \\x1b.png", "scan é 扫 ½ – \\x1b.png"),
        ("\x1b[2J\x9b2J", "\\x1b[2J\\x9b2J"),
        ("a\r\nb\tc\x00\x7f", "a\\r\\nb\\tc\\x00\\x7f"),
        ("caf\udce9.png", "caf\\udce9.png"),
        ("\u202egnp.exe\u2066\u2028", "\\u202egnp.exe\\u2066\\u2028"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_files_name_is_printed_visibly_and_written_exactly(tallyscan: Tallyscan, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / f"{TITLE}.png").write_bytes(png_bytes("4821"))
    (scans / f"bad\n{TITLE}.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    table = tallyscan("read", scans, "--type", "digits")
    for stream in (table.stdout, table.stderr):
        assert SHOWN in stream
        assert TITLE not in stream
    out = tmp_path / "readings.csv"
    tallyscan("read", scans, "--type", "digits", "--out", out)
    assert TITLE in out.read_text()
    as_json = tallyscan("read", scans, "--type", "digits", "--format", "json")
    assert sorted(Path(each["file"]).name for each in json.loads(as_json.stdout)) == sorted(
        [f"{TITLE}.png", f"bad\n{TITLE}.png"]
    )
    assert TITLE in tallyscan("read", scans, "--type", "digits", "--format", "csv").stdout


def test_a_table_in_a_file_is_for_people_too(tallyscan: Tallyscan, tmp_path: Path) -> None:
    (tmp_path / f"{TITLE}.png").write_bytes(png_bytes("4821"))
    out = tmp_path / "table.txt"
    tallyscan("read", tmp_path / f"{TITLE}.png", "--type", "digits", "--format", "table", "--out", out)
    assert SHOWN in out.read_text()


def test_why_a_file_failed_is_one_visible_line() -> None:
    failure = Failure("unreadable_image", Phase.DECODE, f"Damaged{TITLE}.", retryable=False)
    (line,) = failure_lines(Outcome(f"a\nb{TITLE}.png", Status.FAILED, failure=failure))
    assert line == f"a\\nb{SHOWN}.png: Damaged{SHOWN}. (unreadable_image)"


def test_an_error_is_one_visible_line(capsys: pytest.CaptureFixture[str]) -> None:
    Stop(f"No{TITLE}\nsuch file.", code="os_error").show()
    assert capsys.readouterr().err == f"error: No{SHOWN}\\nsuch file. (os_error)\n"


def test_a_name_that_click_repeats_is_visible(tallyscan: Tallyscan) -> None:
    result = tallyscan("results", "BATCH", f"{TITLE}.png")
    assert result.exit_code == 2
    assert SHOWN in result.stderr
    assert TITLE not in result.stderr


class Impostor(BaseHTTPRequestHandler):
    """A service that means harm."""

    def do_GET(self) -> None:
        """Refuse in colour."""
        body = json.dumps({"code": "not_found", "detail": f"Gone{TITLE}."}).encode()
        self.send_response(404)
        self.send_header("Content-Type", "application/problem+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Be silent."""


@contextmanager
def impostor() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Impostor) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_a_service_says_is_visible(tallyscan: Tallyscan) -> None:
    with impostor() as url:
        result = tallyscan("corrections", "list", "--url", url, "--key", "k")
    assert result.exit_code == 1
    assert result.stderr == f"error: Gone{SHOWN}. (not_found)\n"


def test_only_the_frame_prints_past_what_makes_text_visible(project_root: Path) -> None:
    allowed = {
        "cli/about.py",  # a script for the shell
        "cli/keys.py",  # a secret of our own
        "cli/output.py",  # JSON
        "cli/stop.py",  # made visible there
        "cli/templates.py",  # JSON
        "cli/terminal.py",
    }
    found = {
        str(path.relative_to(project_root))
        for path in (project_root / "cli").rglob("*.py")
        if "click.echo(" in path.read_text() or " print(" in path.read_text()
    }
    assert found <= allowed
