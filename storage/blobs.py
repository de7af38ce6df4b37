"""Scans and page pictures: bytes under their own SHA-256, in a folder or behind any fsspec URL.

A blob lies at `ab/cd/<sha256>`, after the first digits of its digest. It is complete or not there: a folder gets it
under a temporary name, synced, and renamed; an object store shows an upload only once it is whole. Writing a blob
again puts a damaged one right. Reading verifies.
"""

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Protocol, Self

import fsspec
from fsspec.implementations.local import LocalFileSystem

from core.errors import BlobAltered, BlobMissing, BlobStoreUnavailable, PayloadTooLarge, StorageFull, Unavailable
from core.files import is_full_disk, sync_folder
from storage.folders import holds_blobs, is_folder, remove_old_drafts, settle

CHUNK_BYTES = 1024 * 1024


class Reads(Protocol):
    """What `put_stream` needs of a stream."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


class BlobStore:
    """Blobs behind one fsspec URL. Make one in each process, after any fork."""

    def __init__(self, filesystem: Any, root: str) -> None:  # noqa: ANN401 - fsspec is untyped
        """Keep blobs of `filesystem` under `root`."""
        self._files = filesystem
        self._root = root.rstrip("/")
        self._local = isinstance(filesystem, LocalFileSystem)
        self._folder = Path(self._root or "/")
        self._known = self._local and holds_blobs(self._folder)

    @classmethod
    def open(cls, url: str, **options: object) -> Self:
        """Return the store behind `url`; `options` go to its fsspec file system.

        Raises:
            BlobStoreUnavailable: no such kind of store, or it does not answer.
        """
        try:
            filesystem, root = _opened(url, options)
        except (ValueError, ImportError) as error:
            raise BlobStoreUnavailable(f"The blob store's URL cannot be used: {error}.") from error
        if isinstance(filesystem, LocalFileSystem):
            remove_old_drafts(Path(root))
        return cls(filesystem, root)

    def put(self, data: bytes, *, note: Callable[[str], None] | None = None) -> str:
        """Store `data` and return its SHA-256; `note` is as for `put_stream`.

        Raises:
            StorageFull: no space is left.
            BlobStoreUnavailable: the store does not answer, or its folder was there and is away.
        """
        return self.put_stream(io.BytesIO(data), max_bytes=len(data), note=note)[0]

    def put_stream(
        self, stream: Reads, max_bytes: int, *, note: Callable[[str], None] | None = None
    ) -> tuple[str, int]:
        """Store what `stream` gives, a piece in memory at a time; return its SHA-256 and size.

        Args:
            stream: read to its end.
            max_bytes: more is refused.
            note: called with the SHA-256 just before a blob of that name appears, as `Arrival.note`; what it raises
                comes through, and nothing is kept.

        Raises:
            PayloadTooLarge: more than `max_bytes`; nothing is kept.
            StorageFull: no space is left.
            BlobStoreUnavailable: the store does not answer, or its folder was there and is away.
        """
        with _translated(), self._draft() as draft:
            sha256, size = _copy(stream, draft, max_bytes=max_bytes)
            draft.flush()
            if note is not None:
                note(sha256)
            self._publish(draft, sha256)
        return sha256, size

    def get(self, sha256: str) -> bytes:
        """Return a blob's bytes, verified.

        Raises:
            BlobMissing: it is not there.
            BlobAltered: its bytes have changed.
            BlobStoreUnavailable: the store does not answer.
        """
        with _translated(missing=BlobMissing):
            data: bytes = self._files.cat_file(self._path(sha256))
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BlobAltered
        self._known = self._local
        return data

    def exists(self, sha256: str) -> bool:
        """Return whether the blob is there, without reading it."""
        with _translated():
            if self._local:
                return Path(self._path(sha256)).is_file()
            self._files.invalidate_cache()  # object stores' listings are cached, and other processes write too
            return bool(self._files.exists(self._path(sha256)))

    def is_made(self) -> bool:
        """Return whether this is no new store: False for a folder that holds no blobs yet, or whose volume is away."""
        return not self._local or holds_blobs(self._folder)

    def reach(self, sha256: str) -> None:
        """See that the store answers, by asking for a blob that it held once.

        Raises:
            BlobStoreUnavailable: it does not, or its folder or bucket is away.
        """
        if not self.exists(sha256) and not (self.is_made() and self._has_bucket()):
            raise BlobStoreUnavailable

    def delete(self, sha256: str) -> None:
        """Remove a blob; one that is gone already is fine.

        Raises:
            BlobStoreUnavailable: the store does not answer, or its folder is away.
        """
        try:
            with _translated(missing=BlobMissing):
                self._files.rm_file(self._path(sha256))
        except BlobMissing:
            self.reach(sha256)

    def _has_bucket(self) -> bool:
        with _translated():
            return not _is_object_store(self._files) or bool(self._files.exists(self._root.split("/", 1)[0]))

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256[2:4]}/{sha256}"

    @contextmanager
    def _draft(self) -> Iterator[IO[bytes]]:
        """Yield a file to write to; it is gone afterwards unless it was published."""
        if not self._local:
            with tempfile.TemporaryFile() as draft:
                yield draft
            return
        settle(self._folder, known=self._known)
        self._known = True
        # Beside the blobs, for a rename must not leave the file system; 0600, as tempfile makes it.
        with tempfile.NamedTemporaryFile(dir=self._root, prefix=".draft-", delete=False) as named:
            try:
                yield named
            finally:
                Path(named.name).unlink(missing_ok=True)

    def _publish(self, draft: IO[bytes], sha256: str) -> None:
        path = self._path(sha256)
        if self._local:
            _rename(draft, Path(path))
            return
        draft.seek(0)
        if _is_object_store(self._files):
            # There is nothing to make: `makedirs` of a missing bucket would create it.
            self._send(draft, path)
            return
        target = f"{self._root}/.draft-{os.urandom(8).hex()}"
        self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        self._send(draft, target)
        self._files.mv(target, path)

    def _send(self, draft: IO[bytes], target: str) -> None:
        with self._files.open(target, "wb") as remote:
            while piece := draft.read(CHUNK_BYTES):
                remote.write(piece)


def _opened(url: str, options: dict[str, object]) -> tuple[Any, str]:
    if not is_folder(url):
        found: tuple[Any, str] = fsspec.core.url_to_fs(url, **options)
        return found
    filesystem = LocalFileSystem(**options)
    return filesystem, str(filesystem._strip_protocol(url))  # noqa: SLF001 - as url_to_fs does, which cuts it at `::`


def _copy(stream: Reads, draft: IO[bytes], *, max_bytes: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while piece := stream.read(CHUNK_BYTES):
        size += len(piece)
        if size > max_bytes:
            raise PayloadTooLarge
        digest.update(piece)
        draft.write(piece)
    return digest.hexdigest(), size


def _rename(draft: IO[bytes], path: Path) -> None:
    """Give a written file its final name, so that it is there whole even after a power cut."""
    os.fsync(draft.fileno())
    path.parent.mkdir(parents=True, exist_ok=True)
    Path(draft.name).replace(path)
    sync_folder(path.parent)


def _is_object_store(filesystem: Any) -> bool:  # noqa: ANN401 - fsspec is untyped
    protocols = {filesystem.protocol} if isinstance(filesystem.protocol, str) else set(filesystem.protocol)
    return not protocols.isdisjoint({"s3", "s3a", "gs", "gcs", "abfs", "az"})


@contextmanager
def _translated(*, missing: type[Unavailable] = BlobStoreUnavailable) -> Iterator[None]:
    """Raise what goes wrong in a store as what it means, `missing` for what is not there."""
    try:
        yield
    except FileNotFoundError as error:
        raise missing from error
    except OSError as error:
        meaning = StorageFull if is_full_disk(error) else BlobStoreUnavailable
        raise meaning from error
    except _client_errors() as error:
        raise BlobStoreUnavailable from error


@cache
def _client_errors() -> tuple[type[Exception], ...]:
    """Return the errors of S3's client that are no OSError; the client is an extra."""
    try:
        exceptions = import_module("botocore.exceptions")
    except ImportError:
        return ()
    return (exceptions.BotoCoreError,)
