"""What is written is whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.core.disk import write_whole, writing
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
