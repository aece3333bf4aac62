"""Parts of preparing on Spark that need no Java: the scratch space, and which errors become which."""

from __future__ import annotations

import errno
import pickle
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pyarrow as pa
import pytest
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from recsys.core.errors import ConfigError, DataError
from recsys.prepare.settings import DataConfig
from recsys.prepare.spark.scratch import Scratch
from recsys.prepare.spark.session import spark_errors, start_session

SCHEMA = pa.schema([("n", pa.int32()), ("text", pa.string())])


def rows(*numbers: int) -> pa.RecordBatchReader:
    batch = pa.record_batch([pa.array(numbers, pa.int32()), pa.array(map(str, numbers))], schema=SCHEMA)
    return pa.RecordBatchReader.from_batches(SCHEMA, [batch])


@pytest.mark.parametrize("parent", ["{tmp}", "file://{tmp}", "memory://bucket/tmp"])
def test_what_is_written_is_read_once_and_all_goes(tmp_path: Path, parent: str) -> None:
    parent = parent.format(tmp=tmp_path)
    files, _ = fsspec.core.url_to_fs(parent)
    scratch, other = Scratch(parent), Scratch(parent)
    folder = scratch.folder("numbers")
    scratch.write(folder, rows(3, 1, 2))
    other.write(other.folder("kept"), rows(9))
    assert scratch.reader(folder, SCHEMA, 2).read_all().to_pylist() == [{"n": n, "text": str(n)} for n in (3, 1, 2)]
    assert not files.exists(files._strip_protocol(folder))
    scratch.remove()
    assert other.reader(other.folder("kept"), SCHEMA, 2).read_all()["n"].to_pylist() == [9]
    other.remove()
    other.remove()


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path))
    folder = scratch.folder("parts")
    scratch.write(folder, rows(5))
    written = Path(folder.removeprefix("file://"))
    for number in (2, 1):
        scratch.write(scratch.folder("one"), rows(number))
        one = Path(scratch.folder("one").removeprefix("file://"))
        (one / "part-0.parquet").rename(written / f"part-0000{number}-x.c000.parquet")
    (written / "part-0.parquet").unlink()
    (written / "_SUCCESS").touch()
    assert scratch.reader(folder, SCHEMA, 10).read_all()["n"].to_pylist() == [1, 2]


class Builder:
    """Takes note of what a session is started with, and starts none."""

    def __init__(self) -> None:
        self.options: dict[str, object] = {}

    def config(self, name: str, value: object) -> Builder:
        self.options[name] = value
        return self

    def getOrCreate(self) -> None:  # noqa: N802  # as Spark calls it
        raise OSError("none is wanted")


@pytest.mark.parametrize(
    ("options", "address"), [({}, "127.0.0.1"), ({"spark.master": "spark://a:7077"}, None)], ids=["here", "elsewhere"]
)
def test_machines_elsewhere_are_not_sent_to_their_own_address(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, object], address: str | None
) -> None:
    builder = Builder()
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    monkeypatch.setenv("PYSPARK_PYTHON", "python")
    monkeypatch.setattr(SparkSession, "builder", SimpleNamespace(appName=lambda _: builder))
    with pytest.raises(ConfigError, match="none is wanted"):
        start_session(DataConfig(format="events", interactions=["log.csv"], spark_options=options))
    assert builder.options.get("spark.driver.host") == address
    assert options.items() <= builder.options.items()


def test_a_full_disk_is_one_to_the_preparation() -> None:
    with pytest.raises(OSError, match="No space left") as error, spark_errors():
        raise Py4JError("Job aborted: java.io.IOException: No space left on device")
    assert error.value.errno == errno.ENOSPC


def test_too_little_memory_has_a_remedy() -> None:
    with pytest.raises(DataError, match="--executor-memory"), spark_errors():
        raise PySparkException("java.lang.OutOfMemoryError: Java heap space\n\tat x")


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(PySparkException, match="no such column"), spark_errors():
        raise PySparkException("no such column")


def test_an_error_of_a_task_is_the_same_on_the_driver() -> None:
    error = pickle.loads(pickle.dumps(DataError("lines", "none", "look")))
    assert isinstance(error, DataError)
    assert (error.expected, error.got, error.remedy) == ("lines", "none", "look")
    assert str(error) == str(DataError("lines", "none", "look"))
