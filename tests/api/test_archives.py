"""ZIPs from outside: nothing gets out that should not, whatever the archive says of itself."""

import errno
import io
import stat
import struct
import zipfile
from contextlib import suppress
from tempfile import TemporaryFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.archives import Archive, ArchiveLimits
from core.errors import ArchiveRejected

LIMITS = ArchiveLimits(max_files=10, max_file_bytes=8_000_000, max_total_bytes=12_000_000, max_ratio=200.0)


def packed(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for info, data in entries:
            archive.writestr(info, data, method)
    return buffer.getvalue()


def unpacked(data: bytes, limits: ArchiveLimits = LIMITS) -> dict[str, bytes]:
    archive = Archive(io.BytesIO(data), limits)
    archive.check()
    return {name: b"".join(iter(lambda member=member: member.read(1000), b"")) for name, member in archive.members()}


def test_files_come_out_as_they_went_in() -> None:
    files = {"a.png": b"first", "folder/b.png": bytes(range(256)) * 50, "empty.png": b"", "10:30 scan.png": b"x"}
    assert unpacked(packed(*files.items())) == files


@pytest.mark.parametrize(
    "name", ["../a.png", "a/../../b.png", "/a.png", "..\\a.png", "C:\\a.png", "c:a.png", "\\\\server\\a.png"]
)
def test_names_that_lead_outside_are_refused(name: str) -> None:
    with pytest.raises(ArchiveRejected, match="outside"):
        unpacked(packed((name, b"x")))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(kind: int) -> None:
    info = zipfile.ZipInfo("a.png")
    info.external_attr = (kind | 0o777) << 16
    with pytest.raises(ArchiveRejected, match="link"):
        unpacked(packed((info, b"/etc/passwd")))


@pytest.mark.parametrize(("name", "data"), [("b.zip", b""), ("b.png", packed(("c", b"x"))), ("b.tar.gz", b"")])
def test_archives_inside_are_refused_by_name_and_by_content(name: str, data: bytes) -> None:
    with pytest.raises(ArchiveRejected, match="inside the archive"):
        unpacked(packed(("a.png", b"x"), (name, data)))


def test_encrypted_members_are_refused() -> None:
    data = bytearray(packed(("a.png", b"secret"), method=zipfile.ZIP_STORED))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ArchiveRejected, match="encrypted"):
        unpacked(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bound_are_not_even_opened(method: int) -> None:
    data = packed(("a.png", bytes(4_000_000)), method=method)
    with pytest.raises(ArchiveRejected, match="another way than deflate"):
        Archive(io.BytesIO(data), LIMITS)


def test_a_member_that_expands_too_much_is_refused() -> None:
    with pytest.raises(ArchiveRejected, match="expands more than 200-fold"):
        unpacked(packed(("a.png", bytes(4_000_000))))


def test_a_small_blank_page_may_shrink_a_lot() -> None:
    assert len(unpacked(packed(("a.png", bytes(900_000))))["a.png"]) == 900_000


def test_many_members_may_not_expand_to_more_than_the_limit() -> None:
    limits = ArchiveLimits(max_files=10, max_file_bytes=8_000_000, max_total_bytes=2_000_000, max_ratio=1e9)
    with pytest.raises(ArchiveRejected, match="expands to more than"):
        unpacked(packed(*((f"{n}.png", bytes(700_000)) for n in range(3))), limits)


def test_a_member_larger_than_a_file_may_be_is_refused() -> None:
    limits = ArchiveLimits(max_files=10, max_file_bytes=1000, max_total_bytes=12_000_000, max_ratio=200.0)
    with pytest.raises(ArchiveRejected, match="larger than 1000 bytes"):
        unpacked(packed(("a.png", bytes(1001))), limits)


def test_sizes_in_the_header_are_not_believed() -> None:
    data = bytearray(packed(("a.png", bytes(4_000_000))))
    entry = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, entry + 24, 100)  # the uncompressed size, in the table of contents
    struct.pack_into("<I", data, 22, 100)
    with pytest.raises(ArchiveRejected):  # no more than a hundred bytes come out, and their checksum does not fit
        unpacked(bytes(data))


def test_too_many_files_are_refused() -> None:
    with pytest.raises(ArchiveRejected, match="more than 10 files"):
        unpacked(packed(*((f"{n}.png", b"x") for n in range(11))))


def test_a_huge_table_of_contents_is_not_even_read() -> None:
    data = bytearray(packed(("a.png", b"x")))
    struct.pack_into("<I", data, data.rindex(b"PK\x05\x06") + 12, 200_000_000)
    with pytest.raises(ArchiveRejected, match="holds more than"):
        Archive(io.BytesIO(bytes(data)), LIMITS)


def test_a_false_end_over_the_real_one_hides_no_table_of_contents() -> None:
    data = bytearray(packed(("a.png", b"x")))
    end = data.rindex(b"PK\x05\x06")
    struct.pack_into("<I", data, end + 12, 200_000_000)
    data[end:end] = b"PK\x05\x06" + bytes(6)  # its 22 bytes reach into the real record
    with pytest.raises(ArchiveRejected, match="holds more than"):
        Archive(io.BytesIO(bytes(data)), LIMITS)


def test_a_zip64_locator_before_the_longest_comment_is_found() -> None:
    data = packed(("a.png", b"x"))
    end = data.rindex(b"PK\x05\x06")
    record = bytearray(data[end:])
    struct.pack_into("<H", record, 20, 65_535)
    locator = b"PK\x06\x07" + bytes(16)
    with pytest.raises(ArchiveRejected, match="ZIP64"):
        Archive(io.BytesIO(data[:end] + locator + bytes(record) + bytes(65_535)), LIMITS)


@pytest.mark.parametrize("data", [packed(), packed(("folder/", b"")), packed((".DS_Store", b"x"))])
def test_an_archive_without_files_is_refused(data: bytes) -> None:
    with pytest.raises(ArchiveRejected, match="no files"):
        unpacked(data)


def misplaced(*, table: bool) -> bytes:
    """Return an archive whose table of contents, or whose member, is said to lie before its start."""
    data = bytearray(packed(("a.png", b"x")))
    end = data.rindex(b"PK\x05\x06")
    if table:
        struct.pack_into("<I", data, end + 12, end + 1)  # the table's size
    else:
        struct.pack_into("<I", data, end + 16, end)  # the table's place, from which all others are reckoned
    return bytes(data)


@pytest.mark.parametrize("table", [True, False], ids=["table", "member"])
def test_a_place_before_the_start_is_damage_on_disk_too(table: bool) -> None:
    with TemporaryFile() as file:  # where an upload lies that is larger than half a megabyte
        file.write(misplaced(table=table))
        with pytest.raises(ArchiveRejected, match="damaged"):
            Archive(file, LIMITS).check()


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_is_no_damage(code: int) -> None:
    class Failing(io.BytesIO):
        fails = False

        def read(self, size: int | None = -1, /) -> bytes:
            if self.fails:
                raise OSError(code, "no disk fails when it is asked to")
            return super().read(size)

    stream = Failing(packed(("a.png", b"x")))
    archive = Archive(stream, LIMITS)
    stream.fails = True
    with pytest.raises(OSError, match="no disk fails"):
        archive.check()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_archive_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(packed(("a.png", bytes(range(256)) * 8), ("b.png", b"second" * 40)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(4, len(whole)))
    with suppress(ArchiveRejected):  # anything else that is raised fails the test
        unpacked(bytes(whole[:end]))
