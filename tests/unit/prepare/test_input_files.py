import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.core.errors import DataError
from recsys.prepare.input_files import find_files

DAYS = ["2020-09-13.csv", "2020-09-14.csv", "2020-09-15.csv.gz"]


def names(found_paths: list[tuple[Path, int]]) -> list[str]:
    return [path.name for path, _ in found_paths]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("2020-09-14.csv", "2020-09-13.csv", "2020-09-15.csv.gz"):
        (folder / name).write_text(name)
    return folder


def test_a_glob_and_a_folder_in_the_order_of_names(logs: Path) -> None:
    assert names(find_files([logs / "*.csv"], "data.interactions").paths) == ["2020-09-13.csv", "2020-09-14.csv"]
    assert names(find_files([logs], "data.interactions").paths) == DAYS
    assert names(find_files([logs / "2020-09-1[45]*"], "data.interactions").paths) == DAYS[1:]


def test_entries_keep_their_order(logs: Path) -> None:
    found = find_files([logs / "2020-09-14.csv", logs / "*.csv"], "data.interactions")
    assert [(path.name, number) for path, number in found.paths] == [("2020-09-14.csv", 0), ("2020-09-13.csv", 1)]
    assert any("2020-09-14.csv" in note and "more than once" in note for note in found.notes)


def test_one_file_under_two_names_is_read_once(logs: Path) -> None:
    (logs.parent / "link.csv").symlink_to(logs / "2020-09-13.csv")
    named = [logs / "2020-09-13.csv", logs.parent / "link.csv", logs / "../logs/2020-09-13.csv"]
    found = find_files(named, "data.interactions")
    assert [path for path, _ in found.paths] == named[:1]
    assert "2 named more than once" in found.notes[0]


def test_globs_go_into_folders(logs: Path) -> None:
    (logs / "2021").mkdir()
    (logs / "2021/a.csv").write_text("a")
    assert names(find_files([logs / "**/*.csv"], "x").paths) == ["2020-09-13.csv", "2020-09-14.csv", "a.csv"]
    assert names(find_files([logs / "20*1"], "x").paths) == ["a.csv"]  # a folder that a glob finds


def test_loops_of_links_end(logs: Path) -> None:
    for name in ("one", "two"):
        (logs / name).symlink_to(logs, target_is_directory=True)
    found = find_files([logs / "**/*.csv"], "x")
    assert {path.resolve().name for path, _ in found.paths} == {"2020-09-13.csv", "2020-09-14.csv"}
    assert len(found.paths) == 2


@pytest.mark.parametrize("entry", ["logs", "logs/*"])
def test_hidden_files_markers_and_folders_are_passed_over_and_said(logs: Path, entry: str) -> None:
    for name in ("_SUCCESS", ".part-0.csv.crc", "store.sqlite-wal"):
        (logs / name).write_text("x")
    (logs / "old").mkdir()
    found = find_files([logs.parent / entry], "x")
    assert names(found.paths) == ["2020-09-13.csv", "2020-09-14.csv", "2020-09-15.csv.gz"]
    (note,) = found.notes
    assert "4 passed over" in note
    assert all(name in note for name in ("_SUCCESS", ".part-0.csv.crc", "store.sqlite-wal", "old"))


def test_a_hidden_file_that_is_named_is_read(logs: Path) -> None:
    (logs / ".hidden.csv").write_text("x")
    assert names(find_files([logs / ".hidden.csv"], "x").paths) == [".hidden.csv"]


def test_days_without_events(logs: Path) -> None:
    (logs / "2020-09-16.csv").touch()
    found = find_files([logs], "x")
    assert "2020-09-16.csv" not in names(found.paths)
    assert any("1 empty" in note and "2020-09-16.csv" in note for note in found.notes)
    with pytest.raises(DataError, match="empty files alone"):
        find_files([logs / "*16*"], "x")


def test_a_name_that_looks_like_a_glob(logs: Path) -> None:
    (logs / "a[1].csv").write_text("x")
    assert names(find_files([logs / "a[1].csv"], "x").paths) == ["a[1].csv"]


def test_urls_are_left_to_the_format() -> None:
    url = Path("postgresql://shop@db/shop")
    assert find_files([url], "x").paths == [(url, 0)]


def _empty_folder(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def _only_folders(folder: Path) -> Path:
    (folder / "years/2020").mkdir(parents=True)
    return folder / "years"


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def _pipe_in_a_folder(folder: Path) -> Path:
    (folder / "pipes").mkdir()
    os.mkfifo(folder / "pipes/p")
    return folder / "pipes"


def _socket(folder: Path) -> Path:
    os.chdir(folder)  # the path of a socket has at most 108 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
    return folder / "s"


def _loop(folder: Path) -> Path:
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop"


def _dangling(folder: Path) -> Path:
    (folder / "link").symlink_to(folder / "gone")
    return folder / "link"


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no file": (lambda folder: folder / "absent.csv", r"no file .*absent.csv .*has logs"),
    "no folder": (lambda folder: folder / "no/such/file.csv", r"no file .*No such file.*has logs"),
    "no match": (lambda folder: folder / "logs/*.parquet", r"no match; .* has 2020-09-13.csv, 2020-09-14.csv"),
    "no match, no folder": (lambda folder: folder / "nowhere/*.csv", r"no match; .* has logs"),
    "empty folder": (_empty_folder, "is empty"),
    "folders alone": (_only_folders, r"has 2020(.|\n)*\*/\*.csv"),
    "pipe": (_pipe, "a pipe"),
    "pipe in a folder": (_pipe_in_a_folder, "a pipe"),
    "socket": (_socket, "a socket"),
    "device": (lambda _: Path("/dev/zero"), "a device"),
    "loop": (_loop, "levels of symbolic links|Symlink loop"),
    "dangling": (_dangling, "no file .*link"),
    "a file as a folder": (lambda folder: folder / "logs/2020-09-13.csv/x", "Not a directory"),
    "a NUL": (lambda folder: folder / "a\0b", "null"),
    "a long name": (lambda folder: folder / ("x" * 300), "name too long"),
}


@pytest.mark.parametrize(("make", "words"), BAD.values(), ids=BAD)
def test_what_cannot_be_read_is_said(
    logs: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Path], words: str
) -> None:
    monkeypatch.chdir(logs.parent)
    with pytest.raises(DataError, match=words) as error:
        find_files([make(logs.parent)], "data.interactions")
    assert "data.interactions" in str(error.value)
    assert error.value.remedy
