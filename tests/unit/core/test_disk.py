"""What is written is whole or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from recsys.core.disk import link, write_whole, writing
from recsys.core.errors import TrainingError
from tests.support.disks import full_disk


def test_a_text_takes_the_place_of_the_one_before_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write_whole(path, "before")
    write_whole(path, "ä" * 3000)
    assert path.read_text("utf8") == "ä" * 3000
    with full_disk(), pytest.raises(OSError, match="large"):
        write_whole(path, "b" * 5000)
    assert path.read_text("utf8") == "ä" * 3000


def test_what_cannot_be_written_says_what_and_what_to_do(tmp_path: Path) -> None:
    with (
        full_disk(),
        pytest.raises(TrainingError, match=r"to write a diary(.|\n)*too large(.|\n)*buy a notebook"),
        writing("a diary", TrainingError, "buy a notebook"),
    ):
        (tmp_path / "diary").write_text("x" * 2000)


def test_other_errors_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="odd"), writing("a diary", TrainingError, "wait", LookupError):
        raise LookupError("odd")
    with pytest.raises(LookupError), writing("a diary", TrainingError, "wait"):
        raise LookupError("odd")


def test_a_file_is_linked_or_copied_where_it_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_text("weights")
    link(source, tmp_path / "linked")
    assert (tmp_path / "linked").samefile(source)

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    link(source, tmp_path / "copied")
    assert not (tmp_path / "copied").samefile(source)
    assert (tmp_path / "copied").read_text() == "weights"


def test_what_is_not_there_is_neither_linked_nor_copied(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        link(tmp_path / "source", tmp_path / "target")
