"""Blobs: complete or not there, verified, in a folder, behind fsspec, and in S3."""

import errno
import hashlib
import io
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote
from uuid import uuid4

import boto3  # type: ignore[import-untyped]  # has no types
import pytest
from moto.server import ThreadedMotoServer

from core.errors import BlobAltered, BlobMissing, BlobStoreUnavailable, PayloadTooLarge, StorageFull
from core.settings import Settings
from storage.blobs import CHUNK_BYTES, BlobStore
from storage.folders import DRAFT_SECONDS, MARK, former_folder
from tests.storage.racing import race_threads

DATA = b"a scan \x00\xff" * 1_000
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A private S3."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def s3_blobs(s3_endpoint: str) -> BlobStore:
    name = f"b{uuid4().hex}"
    boto3.client("s3", endpoint_url=s3_endpoint).create_bucket(Bucket=name)
    return BlobStore.open(f"s3://{name}/scans", endpoint_url=s3_endpoint, skip_instance_cache=True)


@pytest.fixture
def folder_blobs(tmp_path: Path) -> BlobStore:
    return BlobStore.open((tmp_path / "blobs").as_uri())


@pytest.fixture(params=["folder_blobs", "memory", "s3_blobs"])
def blobs(request: pytest.FixtureRequest) -> BlobStore:
    """A blob store of each kind; memory stands for any file system that fsspec knows."""
    if request.param == "memory":
        return BlobStore.open(f"memory://{uuid4().hex}")
    found: BlobStore = request.getfixturevalue(request.param)
    return found


def test_what_was_put_comes_back(blobs: BlobStore) -> None:
    assert not blobs.exists(DIGEST)
    assert blobs.put(DATA) == DIGEST
    assert blobs.exists(DIGEST)
    assert blobs.get(DIGEST) == DATA
    assert blobs.put(b"") == hashlib.sha256(b"").hexdigest()
    assert blobs.get(hashlib.sha256(b"").hexdigest()) == b""


def test_a_stream_is_stored_as_it_comes(blobs: BlobStore) -> None:
    data = os.urandom(2 * CHUNK_BYTES + 17)
    sha256, size = blobs.put_stream(io.BytesIO(data), max_bytes=len(data))
    assert (sha256, size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert blobs.get(sha256) == data


def test_a_stream_over_the_limit_leaves_nothing(blobs: BlobStore) -> None:
    with pytest.raises(PayloadTooLarge):
        blobs.put_stream(io.BytesIO(DATA), max_bytes=len(DATA) - 1)
    assert not blobs.exists(DIGEST)


def test_a_missing_blob_is_missing(blobs: BlobStore) -> None:
    with pytest.raises(BlobMissing):
        blobs.get(DIGEST)
    blobs.put(b"another")
    blobs.delete(DIGEST)


def test_a_folder_that_is_not_mounted_takes_no_deletion_for_done(folder_blobs: BlobStore, tmp_path: Path) -> None:
    folder_blobs.put(DATA)
    root, aside = tmp_path / "blobs", tmp_path / "aside"
    root.rename(aside)
    for mount_point in (False, True):
        if mount_point:
            root.mkdir()
        with pytest.raises(BlobStoreUnavailable):
            folder_blobs.delete(DIGEST)
    root.rmdir()
    aside.rename(root)
    folder_blobs.delete(DIGEST)
    folder_blobs.delete(DIGEST)
    assert not folder_blobs.exists(DIGEST)


def test_a_folder_that_is_not_mounted_takes_no_blob_either(folder_blobs: BlobStore, tmp_path: Path) -> None:
    root, aside = tmp_path / "blobs", tmp_path / "aside"
    assert not folder_blobs.is_made()
    folder_blobs.put(DATA)
    reader = BlobStore.open(root.as_uri())
    assert folder_blobs.is_made()
    root.rename(aside)
    for mount_point in (False, True):
        if mount_point:
            root.mkdir()
        assert not folder_blobs.is_made()
        for known in (folder_blobs, reader):
            with pytest.raises(BlobStoreUnavailable):
                known.put(b"another")
    assert list(root.iterdir()) == []
    root.rmdir()
    aside.rename(root)
    assert folder_blobs.get(folder_blobs.put(b"another")) == b"another"


def test_a_folder_from_before_there_were_marks_is_one_of_blobs(folder_blobs: BlobStore, tmp_path: Path) -> None:
    folder_blobs.put(DATA)
    mark = tmp_path / "blobs" / MARK
    mark.unlink()
    old = BlobStore.open((tmp_path / "blobs").as_uri())
    assert old.is_made()
    old.delete(DIGEST)
    old.delete(DIGEST)
    assert old.get(old.put(DATA)) == DATA
    assert mark.is_file()


def test_who_wants_an_empty_folder_marks_it(folder_blobs: BlobStore, tmp_path: Path) -> None:
    folder_blobs.put(DATA)
    root = tmp_path / "blobs"
    root.rename(tmp_path / "aside")
    root.mkdir()
    (root / MARK).touch()
    assert folder_blobs.put(DATA) == DIGEST


def test_a_deleted_blob_is_gone(blobs: BlobStore) -> None:
    blobs.put(DATA)
    blobs.delete(DIGEST)
    assert not blobs.exists(DIGEST)
    with pytest.raises(BlobMissing):
        blobs.get(DIGEST)


def test_an_altered_blob_is_noticed_and_mended_by_sending_it_again(blobs: BlobStore) -> None:
    blobs.put(DATA)
    blobs._files.pipe_file(blobs._path(DIGEST), DATA[:-1] + b"?")
    with pytest.raises(BlobAltered):
        blobs.get(DIGEST)
    blobs.put(DATA)
    assert blobs.get(DIGEST) == DATA


def test_a_folder_holds_blobs_by_digest_and_nothing_else(folder_blobs: BlobStore, tmp_path: Path) -> None:
    folder_blobs.put(DATA)
    with pytest.raises(PayloadTooLarge):
        folder_blobs.put_stream(io.BytesIO(DATA), max_bytes=1)
    files = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert sorted(files) == [tmp_path / "blobs" / MARK, tmp_path / "blobs" / DIGEST[:2] / DIGEST[2:4] / DIGEST]
    assert stat.S_IMODE(files[-1].stat().st_mode) == 0o600


def test_many_may_put_the_same_blob_at_once(folder_blobs: BlobStore) -> None:
    assert set(race_threads(16, lambda _: folder_blobs.put(DATA))) == {DIGEST}
    assert folder_blobs.get(DIGEST) == DATA


def test_a_write_that_breaks_off_leaves_no_blob(folder_blobs: BlobStore, tmp_path: Path) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError(errno.EIO, "the connection is gone")
            return super().read(size)

    with pytest.raises(BlobStoreUnavailable):
        folder_blobs.put_stream(Breaking(DATA * 1_000), max_bytes=10**9)
    assert [path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == [MARK]


def test_opening_removes_what_a_killed_process_left(folder_blobs: BlobStore, tmp_path: Path) -> None:
    folder_blobs.put(DATA)
    old, fresh = (tmp_path / "blobs" / f".draft-{name}" for name in ("old", "fresh"))
    for draft, age in ((old, DRAFT_SECONDS + 60), (fresh, DRAFT_SECONDS - 60)):
        draft.write_bytes(DATA)
        os.utime(draft, (time.time() - age,) * 2)
    assert BlobStore.open((tmp_path / "blobs").as_uri()).get(DIGEST) == DATA
    assert (old.exists(), fresh.exists()) == (False, True)


def test_a_full_disk_is_called_so(tmp_path: Path) -> None:
    class OnAFullDisk(BlobStore):
        @contextmanager
        def _draft(self) -> Iterator[IO[bytes]]:
            with Path("/dev/full").open("wb") as draft:
                yield draft

    full = OnAFullDisk.open(tmp_path.as_uri())
    with pytest.raises(StorageFull):
        full.put(DATA)
    assert not full.exists(DIGEST)


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    blobs = BlobStore.open((tmp_path / "file" / "blobs").as_uri())
    with pytest.raises(BlobStoreUnavailable):
        blobs.put(DATA)
    with pytest.raises((BlobMissing, BlobStoreUnavailable)):
        blobs.get(DIGEST)


def test_a_folder_of_scans_may_have_colons_in_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in (f"file://{tmp_path}/a::b/scans", f"{tmp_path}/a::b/scans", f"local:{tmp_path}/a::b/scans"):
        assert former_folder(url, home=tmp_path) is None
        sha256 = BlobStore.open(url).put(b"scan")
    monkeypatch.chdir(tmp_path)
    assert BlobStore.open(Settings(blob_url="a::b/scans").blob_url).get(sha256) == b"scan"
    assert [path.name for path in tmp_path.iterdir()] == ["a::b"]
    BlobStore.open(f"file://{tmp_path}/a").put(b"scan")  # as it once was
    assert former_folder(f"file://{tmp_path}/a::b/scans", home=tmp_path) == tmp_path / "a"


def test_a_chain_of_file_systems_is_still_one(tmp_path: Path) -> None:
    name = uuid4().hex
    sha256 = BlobStore.open(f"memory://{name}").put(b"scan")
    assert BlobStore.open(f"simplecache::memory://{name}", cache_storage=str(tmp_path)).get(sha256) == b"scan"


@pytest.mark.parametrize("name", ["hä us", "h%41 #x?"])
def test_blobs_of_a_home_lie_in_it_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    home = tmp_path / name
    url = Settings(home=home).resolved_blob_url
    assert former_folder(url, home=home) is None
    sha256 = BlobStore.open(url).put(b"scan")
    assert sorted(path.name for path in (home / "blobs").rglob("*") if path.is_file()) == [MARK, sha256]
    assert [path.name for path in tmp_path.iterdir()] == [name]
    BlobStore.open((home / "blobs").as_uri()).put(b"scan")  # as it once was
    assert former_folder(url, home=home) == tmp_path / quote(name) / "blobs"


def test_a_url_of_no_known_kind_is_refused() -> None:
    with pytest.raises(BlobStoreUnavailable):
        BlobStore.open("nosuch://x")


def test_an_s3_that_does_not_answer_is_unavailable(s3_endpoint: str) -> None:
    options = {"client_kwargs": {}, "config_kwargs": {"retries": {"max_attempts": 0}, "connect_timeout": 1}}
    gone = BlobStore.open("s3://b/x", endpoint_url="http://127.0.0.1:9", skip_instance_cache=True, **options)
    for call in (gone.get, gone.exists, gone.delete):
        with pytest.raises(BlobStoreUnavailable):
            call(DIGEST)
    with pytest.raises(BlobStoreUnavailable):
        gone.put(DATA)


def test_an_s3_without_the_bucket_is_unavailable(s3_endpoint: str) -> None:
    blobs = BlobStore.open("s3://nosuchbucket/x", endpoint_url=s3_endpoint, skip_instance_cache=True)
    with pytest.raises(BlobStoreUnavailable):
        blobs.put(DATA)
    with pytest.raises(BlobStoreUnavailable):
        blobs.delete(DIGEST)  # or what waits to be removed would be taken for gone
