import gzip
import hashlib
import io
import zlib
from pathlib import Path

import pytest

from recsys.core.errors import DataError
from recsys.prepare.formats import files, reports
from recsys.prepare.formats.files import head_lines, open_file, read_blocks
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.raw import compression, parts

LINES = b"".join(b'{"number": %d}\n' % number for number in range(5000))


def read(path: Path, allow_truncated: bool = False) -> tuple[bytes, InputReport]:
    report = open_file(path, "interactions")
    return b"".join(read_blocks(report, allow_truncated)), report


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "READ_BYTES", 60)
    monkeypatch.setattr(compression, "PIECE_BYTES", 100)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("compressed", [False, True])
def test_blocks_are_whole_lines_and_together_the_file(tmp_path: Path, compressed: bool) -> None:
    stored = gzip.compress(LINES) if compressed else LINES
    path = tmp_path / "file"
    path.write_bytes(stored)
    report = open_file(path, "interactions")
    seen: list[int] = []
    blocks = list(read_blocks(report, False, seen.append))
    assert b"".join(blocks) == LINES
    assert all(block.endswith(b"\n") for block in blocks)
    assert len(blocks) > 10
    assert report.sha256 == hashlib.sha256(stored).hexdigest()
    assert sum(seen) == report.size == len(stored)


def test_a_missing_last_line_feed_is_added(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"one\ntwo")
    assert read(tmp_path / "f")[0] == b"one\ntwo\n"


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    assert read(tmp_path / "f")[0] == b"one\ntwo\n"


def test_truncated_gzip(tmp_path: Path) -> None:
    stored = gzip.compress(LINES)
    path = tmp_path / "f.gz"
    path.write_bytes(stored[: len(stored) // 2])
    with pytest.raises(DataError, match="ends in the middle") as error:
        read(path)
    assert "--allow-truncated" in error.value.remedy

    data, report = read(path, allow_truncated=True)
    assert data
    assert LINES.startswith(data)
    assert data.endswith(b"\n")
    assert report.truncated
    assert report.bad == 0
    assert report.dropped in ({}, {reports.CUT_OFF: 1})
    assert report.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_damaged_gzip(tmp_path: Path) -> None:
    stored = bytearray(gzip.compress(LINES))
    stored[-6] ^= 0xFF  # in the checksum
    (tmp_path / "f.gz").write_bytes(stored)
    with pytest.raises(DataError, match="sound gzip"):
        read(tmp_path / "f.gz", allow_truncated=True)


def test_what_precedes_the_cut_is_kept_to_the_last_whole_line(tmp_path: Path) -> None:
    compressor = zlib.compressobj(wbits=31)
    head = compressor.compress(b"one\ntwo\nthr") + compressor.flush(zlib.Z_SYNC_FLUSH)
    path = tmp_path / "f.gz"
    path.write_bytes(head + compressor.compress(LINES) + compressor.flush()[:0])
    data, report = read(path, allow_truncated=True)
    assert data == b"one\ntwo\n"
    assert report.dropped == {reports.CUT_OFF: 1}


def test_zeros_after_a_gzip_are_padding(tmp_path: Path) -> None:
    (tmp_path / "f.gz").write_bytes(gzip.compress(b"one\n") + bytes(1000))
    assert read(tmp_path / "f.gz")[0] == b"one\n"


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")], ids=["plain", "gzip"])  # its bytes hold the time
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(DataError, match="an empty file"):
        read(tmp_path / "f")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        open_file(tmp_path / "absent", "interactions")
    with pytest.raises(DataError, match="the folder"):
        open_file(tmp_path, "interactions")


def test_a_file_without_lines_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 1000)
    monkeypatch.setattr(parts, "READ_BYTES", 100)
    (tmp_path / "f").write_bytes(b"[" + b'{"a": 1}, ' * 500 + b"]")
    with pytest.raises(DataError, match="one record a line"):
        read(tmp_path / "f")


def test_head_lines(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(gzip.compress(LINES))
    assert head_lines(path, 2) == [b'{"number": 0}', b'{"number": 1}']
    path.write_bytes(gzip.compress(b"")[:10] + b"\xff" * 50)
    with pytest.raises(DataError, match="sound gzip"):
        head_lines(path, 2)


def test_bad_share_is_measured_on_bad_lines_alone() -> None:
    report = InputReport(Path("f"), "interactions", lines=100)
    report.drop(reports.MALFORMED, 3, b"\xff{" + b"x" * 500)
    report.drop(reports.BLANK, 4, b"")
    report.check_bad_share(0.01)
    assert report.kept == 98
    report.drop(reports.NOT_UTF8, 9, "line")
    with pytest.raises(DataError) as error:
        report.check_bad_share(0.01)
    message = str(error.value)
    assert "2 of 100 (1 malformed, 1 not_utf8)" in message
    assert "line 3 (malformed): \\xff{" + "x" * 115 + "\n" in message
    assert "line 9 (not_utf8): line" in message


def test_hashing_reader_counts_what_was_not_read() -> None:
    reader = files.HashingReader(io.BytesIO(b"abcdef"), lambda _: None)
    assert reader.read(2) == b"ab"
    assert reader.hexdigest() == hashlib.sha256(b"abcdef").hexdigest()
