"""Files packed and compressed in every way that is read, cut, damaged, and of kinds that are not read."""

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.core.errors import DataError
from recsys.prepare.formats import files
from recsys.prepare.formats.files import head_lines, open_file, read_blocks
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.raw import compression
from recsys.prepare.raw.encodings import as_utf8

LINES = b"".join(b"line %d\n" % number for number in range(30_000))


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as file:
        file.write(data)
    return sink.getvalue().to_pybytes()


def packed(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return sink.getvalue()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
}

slower = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


# Many control characters are no text.
texts = st.text(st.characters(codec="utf8", exclude_categories=["Cc"], include_characters="\n\t"), min_size=1)


def read(stored: bytes, allow_truncated: bool = False) -> tuple[bytes, InputReport]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"  # no name tells how it is stored
        path.write_bytes(stored)
        report = open_file(path, "interactions")
        return b"".join(read_blocks(report, allow_truncated)), report


@slower
@given(
    texts,
    st.lists(st.sampled_from(list(COMPRESS)), max_size=3),
    st.booleans(),
)
def test_any_text_comes_back_from_any_container(text: str, layers: list[str], archived: bool) -> None:
    lines = ("a line of letters\n" + text.removeprefix("\ufeff") + "\n").encode()
    stored = lines
    for layer in layers:
        stored = COMPRESS[layer](stored)
    if archived:
        stored = packed(("folder/", b""), ("folder/a", stored), ("__MACOSX/folder/._a", b"x"), (".DS_Store", b"x"))
    got, report = read(stored)
    assert got == lines
    assert report.written_as == ", ".join(["ZIP"] * archived + layers[::-1])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_several_members_are_read_in_their_order(method: int) -> None:
    got, report = read(packed(("b", b"one\n"), ("empty", b""), ("a", gzip.compress(b"two")), method=method))
    assert got == b"one\ntwo\n"
    assert report.written_as == "ZIP of 2 files, gzip"


@pytest.mark.parametrize("name", COMPRESS)
def test_streams_that_follow_each_other(name: str) -> None:
    assert read(COMPRESS[name](b"one\n") + COMPRESS[name](b"two\n"))[0] == b"one\ntwo\n"


@slower
@given(st.sampled_from(list(COMPRESS)), st.floats(0, 1, exclude_max=True))
def test_a_stream_cut_anywhere_is_said_to_be_cut(name: str, share: float) -> None:
    whole = COMPRESS[name](LINES)
    stored = whole[: max(12, int(len(whole) * share))]
    with pytest.raises(DataError, match="ends in the middle"):
        read(stored)
    got, report = read(stored, allow_truncated=True)
    assert report.truncated
    assert LINES.startswith(got)
    assert got == b"" or got.endswith(b"\n")


@pytest.mark.parametrize("name", COMPRESS)
def test_what_follows_a_stream_is_not_called_a_cut(name: str) -> None:
    with pytest.raises(DataError) as error:
        read(COMPRESS[name](LINES) + b"user,item\n", allow_truncated=True)
    assert "middle" not in str(error.value)


@slower
@given(st.sampled_from(["zip", *COMPRESS]), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_damaged_byte_ends_in_lines_or_an_error_of_ours(name: str, share: float, flip: int) -> None:
    whole = bytearray(packed(("log", LINES)) if name == "zip" else COMPRESS[name](LINES))
    whole[int(len(whole) * share)] ^= flip
    try:
        read(bytes(whole))
    except DataError as error:
        assert error.remedy  # noqa: PT017


@slower
@given(st.floats(0, 1, exclude_max=True))
def test_a_cut_zip_is_an_error_of_ours(share: float) -> None:
    stored = packed(("log", LINES))
    with pytest.raises(DataError, match="ZIP"):
        read(stored[: max(4, int(len(stored) * share))])


def test_a_zip_with_a_password() -> None:
    stored = bytearray(packed(("log", LINES)))
    directory = stored.index(b"PK\x01\x02")
    stored[6] |= 1
    stored[directory + 8] |= 1
    with pytest.raises(DataError, match="password"):
        read(bytes(stored))


def test_a_zip_without_files() -> None:
    with pytest.raises(DataError, match="ZIP archive"):
        read(packed(("folder/", b"")))
    with pytest.raises(DataError, match="empty ZIP"):
        read(packed())


def parquet() -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"a": [1]}), sink)
    return sink.getvalue()


def orc() -> bytes:
    sink = io.BytesIO()
    pyarrow.orc.write_table(pa.table({"a": [1]}), sink)
    return sink.getvalue()


def sqlite() -> bytes:
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE t (a)")
        return database.serialize()


def tar() -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("log.csv"), io.BytesIO())
    return sink.getvalue()


OTHERS = {
    "Parquet": parquet,
    "ORC": orc,
    "SQLite": sqlite,
    "tar archive": tar,
    "Excel": lambda: packed(("[Content_Types].xml", b"x"), ("xl/workbook.xml", b"x")),
    "XLS": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "PNG": lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(200)),
    "PDF": lambda: b"%PDF-1.7\n...",
    "web page": lambda: b"\n<!DOCTYPE html>\n<html><body>Please log in",
    "XML": lambda: b"\xef\xbb\xbf<?xml version='1.0'?><rss/>",
    "7z": lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "binary": lambda: bytes(range(256)) * 10,
    "binary file": lambda: bytes(10_000),
    "UTF-16": lambda: "user_id,item_id\n".encode("utf-16-le"),
}


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_text_is_named(tmp_path: Path, kind: str, compress: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(compress(OTHERS[kind]()))
    with pytest.raises(DataError, match="ZIP" if kind == "Excel" and compress is gzip.compress else kind):
        head_lines(path, 1)
    with pytest.raises(DataError):
        list(read_blocks(open_file(path, "interactions"), True))


def test_too_many_layers() -> None:
    stored = b"line\n"
    for _ in range(compression.MAX_LAYERS + 1):
        stored = gzip.compress(stored)
    with pytest.raises(DataError, match="compressions"):
        read(stored)


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zstd"])
def test_a_bomb_meets_the_bound_of_a_line(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 4 << 20)
    stored = COMPRESS[name](b"a" * (32 << 20))
    assert len(stored) < 100_000
    with pytest.raises(DataError, match="one record a line"):
        read(stored)


@slower
@given(st.lists(st.text("abé\n", min_size=1), min_size=1), st.sampled_from(["\n", "\r\n", "\r"]))
def test_line_ends(pieces: list[str], line_end: str) -> None:
    text = "header\n" + "".join(pieces) + "\n"
    got, _ = read(text.replace("\n", line_end).encode())
    assert got == (text if line_end == "\r" else text.replace("\n", line_end)).encode()


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-32"])
@slower
@given(texts)
def test_a_byte_order_mark_tells_the_encoding(mark: str, text: str) -> None:
    lines = "header of letters\n" + text + "\n"
    got, report = read(lines.encode(mark))
    assert got == lines.encode()
    assert report.written_as == ("" if mark == "utf-8-sig" else mark.upper())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_set_encoding_that_needs_a_mark_which_is_not_there(encoding: str) -> None:
    with pytest.raises(DataError, match=r"(?s)BOM.*utf-16-le"):
        list(as_utf8(iter([b"user_id,item_id\n" * 9]), encoding, "log.csv")[1])


@pytest.mark.parametrize("name", ["bzip2", "xz"])
def test_a_stream_cut_before_the_first_byte(tmp_path: Path, name: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(COMPRESS[name](b"user,item\n")[:24])
    with pytest.raises(DataError, match="ends in the middle"):
        head_lines(path, 1)
