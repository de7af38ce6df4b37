"""`docker-compose.yml`: valid for the compose client, hardened, and every command in it starts as it is written there.

There is no container engine here: the commands run as plain processes, with the file's own environment, against a
real Redis (started by the file's own command) and a real PostgreSQL.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from core.settings import Settings
from tests.live.running import eventually
from tests.live.scans import scan
from worker.caller import caller_config

pytestmark = pytest.mark.live

SECRETS = {"POSTGRES_PASSWORD": "a 'pass$word'", "TALLYSCAN_SECRET_KEY": "not a secret"}
OURS = ("migrate", "api", "worker", "caller", "beat")
LONG_RUNNING = ("api", "worker", "caller", "beat")


@pytest.fixture(scope="module")
def compose_text(project_root: Path) -> str:
    return (project_root / "docker-compose.yml").read_text()


@pytest.fixture(scope="module")
def services(compose_text: str) -> dict[str, Any]:
    """The services as written, before any substitution."""
    found: dict[str, Any] = yaml.safe_load(compose_text)["services"]
    return found


@pytest.fixture(scope="module")
def compose_client() -> list[str]:
    """The compose client's command."""
    for command in (["docker", "compose"], ["docker-compose"]):
        with contextlib.suppress(OSError):
            if subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0:
                return command
    pytest.skip("no compose client: install Debian's docker-compose")


def configured(client: list[str], root: Path, secrets: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **secrets}
    command = [*client, "--project-directory", str(root), "-f", str(root / "docker-compose.yml"), "config"]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def test_the_compose_client_finds_the_file_valid(compose_client: list[str], project_root: Path) -> None:
    done = configured(compose_client, project_root, SECRETS)
    assert done.returncode == 0, done.stderr
    config = yaml.safe_load(done.stdout)
    assert set(config["services"]) == {"postgres", "redis", *OURS}
    assert config["services"]["worker"]["environment"]["TALLYSCAN_BROKER_URL"] == "redis://redis:6379/0"


def test_whoever_asks_database_or_broker_may_reach_one_elsewhere(services: dict[str, Any]) -> None:
    assert all(services[name]["networks"] == ["stores", "outside"] for name in OURS)
    assert services["postgres"]["networks"] == services["redis"]["networks"] == ["stores"]


def test_settings_of_ours_reach_the_containers_but_not_where_the_shell_lives(
    compose_client: list[str], project_root: Path
) -> None:
    exported = {"TALLYSCAN_HOME": "/home/me/svc", "TALLYSCAN_HOST": "127.0.0.1", "TALLYSCAN_MAX_PAGES": "7"}
    done = configured(compose_client, project_root, {**SECRETS, **exported})
    assert done.returncode == 0, done.stderr
    config = yaml.safe_load(done.stdout)["services"]
    for name in OURS:
        environment = config[name]["environment"]
        assert environment["TALLYSCAN_HOME"] == "/tmp/tallyscan"
        assert environment["TALLYSCAN_HOST"] == "0.0.0.0"
        assert environment["TALLYSCAN_MAX_PAGES"] == "7"
        assert environment.get("TALLYSCAN_PDF_DPI") is None, "left to its default"
    assert "0.0.0.0:8080" in config["api"]["command"]


def test_the_env_file_reaches_the_containers(compose_client: list[str], project_root: Path, tmp_path: Path) -> None:
    lines = [*(f"{name}=x" for name in SECRETS), "TALLYSCAN_ACCEPT_CONFIDENCE=0.9", "TALLYSCAN_HOME=/srv"]
    (tmp_path / ".env").write_text("\n".join(lines))
    shutil.copy(project_root / "docker-compose.yml", tmp_path)
    done = configured(compose_client, tmp_path, {})
    assert done.returncode == 0, done.stderr
    environment = yaml.safe_load(done.stdout)["services"]["worker"]["environment"]
    assert environment["TALLYSCAN_ACCEPT_CONFIDENCE"] == "0.9"
    assert environment["TALLYSCAN_HOME"] == "/tmp/tallyscan"


def test_the_api_is_told_whom_to_believe_behind_a_proxy(compose_client: list[str], project_root: Path) -> None:
    for given, expected in (({}, "127.0.0.1,::1"), ({"FORWARDED_ALLOW_IPS": "172.16.0.0/12"}, "172.16.0.0/12")):
        done = configured(compose_client, project_root, {**SECRETS, **given})
        assert done.returncode == 0, done.stderr
        assert yaml.safe_load(done.stdout)["services"]["api"]["environment"]["FORWARDED_ALLOW_IPS"] == expected


def test_every_setting_can_be_given(services: dict[str, Any]) -> None:
    wanted = {f"TALLYSCAN_{name.upper()}" for name in Settings.model_fields}
    for name in OURS:
        assert wanted - set(services[name]["environment"]) == set()


def test_the_database_counts_as_healthy_only_by_tcp(services: dict[str, Any]) -> None:
    # While the image initialises the database, a temporary server answers at the unix socket alone.
    assert "-h 127.0.0.1" in services["postgres"]["healthcheck"]["test"][1]
    assert services["migrate"]["restart"].startswith("on-failure")


@pytest.mark.parametrize("secret", sorted(SECRETS))
def test_nothing_starts_without_secrets(secret: str, compose_client: list[str], project_root: Path) -> None:
    rest = {name: value for name, value in SECRETS.items() if name != secret}
    done = configured(compose_client, project_root, rest)
    assert done.returncode != 0
    assert "fill in .env" in done.stderr


def test_every_container_is_hardened(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "/tmp" in str(service["tmpfs"]), name
        assert "healthcheck" in service or name == "migrate", name
        assert "build" in service or service["user"] not in {"root", "0"}, name


def test_what_is_under_way_may_be_finished_before_a_stop(services: dict[str, Any]) -> None:
    grace = {name: int(services[name]["stop_grace_period"].removesuffix("s")) for name in ("worker", "caller")}
    assert grace["worker"] > Settings.model_fields["hard_time_limit_seconds"].default
    assert grace["caller"] > caller_config()["task_time_limit"]


def test_images_run_what_compose_runs_and_not_as_root(services: dict[str, Any], project_root: Path) -> None:
    stages = re.split(r"^FROM ", (project_root / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    bodies = {re.match(r"\S+ AS (\S+)", stage).group(1): stage for stage in stages}  # type: ignore[union-attr]
    assert {"api", "worker", "train"} <= set(bodies)
    for name in ("api", "worker"):
        command = ", ".join(f'"{substituted(word, {})}"' for word in services[name]["command"])
        assert f"CMD [{command}]" in bodies[name]
        assert bodies[name].startswith("runtime AS")
    assert "USER tallyscan" in bodies["runtime"]
    assert "USER tallyscan" in bodies["train"]
    assert "--require-hashes -r requirements.lock" in bodies["runtime"]


def test_every_variable_of_the_example_is_used(compose_text: str, project_root: Path) -> None:
    names = re.findall(r"^#? ?([A-Z_]+)=(.*)$", (project_root / ".env.example").read_text(), flags=re.MULTILINE)
    assert [name for name, _ in names if f"${{{name}:" not in compose_text and f" {name}:\n" not in compose_text] == []
    assert {name for name, value in names if "SECRET" in name or "PASSWORD" in name if value} == set()


@dataclass
class Composed:
    """The services as plain processes."""

    services: dict[str, Any]
    environment: dict[str, str]
    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def words(self, written: object) -> list[str]:
        """Return a command as written in the file, its variables substituted."""
        assert isinstance(written, list)
        return [self._here(substituted(str(word), self.environment)) for word in written]

    def environment_of(self, name: str) -> dict[str, str]:
        """Return the environment that the file gives a service."""
        written = self.services[name].get("environment", {})
        own = {
            key: self._here(substituted(str(value), self.environment))
            for key, value in written.items()
            if value is not None
        }
        virtual = Path(sys.executable).parent
        path = f"{virtual}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "HOSTNAME": socket.gethostname(), "HOME": str(self.folder), **own}

    def _here(self, text: str) -> str:
        """Return `text` with what only a container has to itself, its addresses and its `/tmp`, replaced."""
        return text.replace("0.0.0.0", "127.0.0.1").replace("/tmp/tallyscan", str(self.folder / "home"))

    def start(self, name: str) -> None:
        """Start a service."""
        folder = self.folder / name
        folder.mkdir()
        with (folder / "log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                self.words(self.services[name]["command"]),
                cwd=folder,
                env=self.environment_of(name),
                stdout=log,
                stderr=log,
            )

    def run(self, name: str, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run something in a service's environment."""
        return subprocess.run(
            command,
            env=self.environment_of(name),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def healthy(self, name: str) -> bool:
        """Return whether a service's own health check is content."""
        kind, *words = self.words(self.services[name]["healthcheck"]["test"])
        command = words if kind == "CMD" else ["sh", "-c", *words]
        return self.run(name, command).returncode == 0

    def log(self, name: str) -> str:
        """Return what a service has written."""
        return (self.folder / name / "log").read_text()


def substituted(text: str, environment: Mapping[str, str]) -> str:
    """Return `text` as compose reads it: `${NAME:-default}`, `${NAME:?reason}`, `$$`."""

    def value(match: re.Match[str]) -> str:
        if match.group(0) == "$$":
            return "$"
        found = environment.get(match["name"], "")
        assert found or match["kind"] == "-", f"{match['name']} is needed"
        return found or match["rest"]

    return re.sub(r"\$\$|\$\{(?P<name>\w+):(?P<kind>[-?])(?P<rest>[^}]*)\}", value, text)


@pytest.fixture(scope="module")
def composed(services: dict[str, Any], postgres_database: str, short_folder: Path) -> Iterator[Composed]:
    """Redis and our services, started in the file's order; PostgreSQL is there already."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    folder = short_folder / "compose"
    folder.mkdir()
    redis_port, port = free_port(), free_port()
    environment = {
        **SECRETS,
        "TALLYSCAN_DATABASE_URL": postgres_database,
        "TALLYSCAN_BROKER_URL": f"redis://127.0.0.1:{redis_port}/0",
        "TALLYSCAN_BLOB_URL": (folder / "blobs").as_uri(),
        "TALLYSCAN_PORT": str(port),
        "TALLYSCAN_REDIS_PORT": str(redis_port),
    }
    composed = Composed(services, environment, folder)
    try:
        composed.start("redis")
        eventually(lambda: composed.healthy("redis"), seconds=20, what="redis to be healthy")
        migrated = composed.run("migrate", composed.words(services["migrate"]["command"]))
        assert migrated.returncode == 0, migrated.stderr
        for name in LONG_RUNNING:
            composed.start(name)
        yield composed
    finally:
        for name, process in composed.running.items():
            sys.stdout.write(f"=== {name}\n{composed.log(name)[-4000:]}\n")  # pytest shows it when a test fails
            process.kill()
            process.wait()


def test_every_service_starts_becomes_healthy_and_reads_a_document(composed: Composed) -> None:
    for name in LONG_RUNNING:
        eventually(partial(composed.healthy, name), seconds=60, what=f"{name} to be healthy", pause=0.5)
    created = composed.run("migrate", ["tallyscan", "keys", "create", "me", "--scope", "admin"])
    assert created.returncode == 0, created.stderr
    url = f"http://127.0.0.1:{composed.environment['TALLYSCAN_PORT']}"
    headers = {"Authorization": f"Bearer {created.stdout.strip()}"}
    text, data = scan(0)
    with httpx2.Client(base_url=url, headers=headers, timeout=60) as client:
        answer = client.post("/v1/documents", files={"file": ("scan.png", data)}, data={"type": "digits"})
        assert answer.status_code == 202, answer.text
        location = answer.headers["Location"]
        document = eventually(
            lambda: (found := client.get(location).json())["status"] == "done" and found, seconds=30, what="done"
        )
    assert document["pages"][0]["fields"][0]["text"] == text


def test_every_service_leaves_when_asked(composed: Composed) -> None:
    for name in (*LONG_RUNNING, "redis"):
        process = composed.running[name]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0, composed.log(name)


def free_port() -> int:
    """Return a port that nobody listens at just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
