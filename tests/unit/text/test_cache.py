"""The cache on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recsys.core.errors import TrainingError
from recsys.text.cache import TextCache, text_key

# Loads the module by its path: importing the package would import TensorFlow, for seconds.
WRITER = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("cache", sys.argv[1])
cache_module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cache_module)
cache = cache_module.TextCache(__import__("pathlib").Path(sys.argv[2]))
start, stop = int(sys.argv[3]), int(sys.argv[4])
print("ready", flush=True)
sys.stdin.readline()
for first in range(start, stop, 10):
    keys = [number.to_bytes(4, "big") for number in range(first, first + 10)]
    cache.put({key: key * 500 for key in keys})
"""


def writer(path: Path, start: int, stop: int) -> subprocess.Popen[str]:
    module = Path(sys.modules[TextCache.__module__].__file__ or "")
    arguments = [sys.executable, "-c", WRITER, str(module), str(path), str(start), str(stop)]
    root = module.parents[2]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def test_keeps_values_and_tells_what_is_missing(tmp_path: Path) -> None:
    cache = TextCache(tmp_path / "new" / "cache.sqlite")
    cache.put({b"a": b"1", b"b": b"2"})
    cache.close()
    cache = TextCache(tmp_path / "new" / "cache.sqlite")
    assert cache.get([b"a", b"c"]) == {b"a": b"1"}
    assert cache.missing([b"a", b"b", b"c"]) == {b"c"}
    assert cache.missing([]) == set()


def test_more_keys_than_a_query_may_hold(tmp_path: Path) -> None:
    values = {str(number).encode(): str(-number).encode() for number in range(1300)}
    cache = TextCache(tmp_path / "cache.sqlite")
    cache.put(values)
    assert cache.get(list(values)) == values
    assert cache.missing([*values, b"x"]) == {b"x"}


def test_two_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    writers = [writer(path, 0, 1000), writer(path, 500, 1500)]
    for process in writers:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in writers:
        process.communicate(timeout=60)
        assert process.returncode == 0
    keys = [number.to_bytes(4, "big") for number in range(1500)]
    assert TextCache(path).get(keys) == {key: key * 500 for key in keys}


def test_killed_process_leaves_whole_batches(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    process = writer(path, 0, 20_000)
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()
    cache = TextCache(path)
    first = [number.to_bytes(4, "big") for number in range(50)]
    while cache.missing(first):
        assert process.poll() is None
    process.kill()
    process.communicate()
    keys = [number.to_bytes(4, "big") for number in range(20_000)]
    kept = cache.get(keys)
    assert len(kept) >= 50
    assert len(kept) % 10 == 0
    assert kept == {key: key * 500 for key in keys[: len(kept)]}
    cache.put({b"after": b"the kill"})
    assert cache.get([b"after"]) == {b"after": b"the kill"}


def test_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"not a database " * 1000)
    with pytest.raises(TrainingError, match=r"cache\.sqlite"):
        TextCache(path)


def test_texts_differ_in_their_keys() -> None:
    texts = ["red shoe", "red  shoe", "Red shoe", "", "\ud800"]
    assert len({text_key(text) for text in texts}) == len(texts)
