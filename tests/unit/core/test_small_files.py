import os
import socket
from pathlib import Path

import pytest

from recsys.core.small_files import read_small_file


def test_gives_the_content_of_a_plain_file_and_of_one_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_small_file(tmp_path / "file") == read_small_file(tmp_path / "link") == b"content"


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "socket", "loop", "large", "missing"])
def test_what_is_no_small_plain_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        elif kind == "folder":
            path.mkdir()
        elif kind == "socket":
            listener.bind(str(path)[-100:] if len(str(path)) > 100 else str(path))
        elif kind == "loop":
            path.symlink_to(path)
        elif kind == "large":
            path.write_bytes(b"12345")
        with pytest.raises(OSError):  # noqa: PT011  # which one, the system says
            read_small_file(path, 4)
