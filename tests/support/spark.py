"""One Spark session on two threads for the tests of a module, and datasets of both engines side by side."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from rich.console import Console

from recsys.config import parse_config
from recsys.core.errors import RecsysError
from recsys.prepare.prepare import prepare

# For tables of a few rows: what Spark does to be quick with many would take most of the time.
_SMALL = {
    "spark.master": "local[2]",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.memory": "700m",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    # A machine that is busy makes no test wrong.
    "spark.executor.heartbeatInterval": "300s",
    "spark.network.timeout": "900s",
}
FILES = ("interactions.parquet", "users.parquet", "items.parquet")


def spark_on_two_threads() -> Iterator[None]:
    """Start a session that preparations find, and stop it at the end; skip where there is no Java."""
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17, which is not on this machine")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # its workers need the packages of this environment
    builder = SparkSession.builder.appName("tests")
    for name, value in _SMALL.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield
    session.stop()


def prepared_by_both(folder: Path, **data: Any) -> dict[str, Any]:
    """Prepare with both engines and compare the datasets byte for byte; returns the manifest."""
    first, second = (_prepared(folder / engine, engine, data) for engine in ("duckdb", "spark"))
    assert _manifest(first) == _manifest(second)
    for name in FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    return _manifest(first)


def refused_by_both(folder: Path, **data: Any) -> str:
    """The message with which both engines refuse."""
    messages = []
    for engine in ("duckdb", "spark"):
        with pytest.raises(RecsysError) as refusal:
            _prepared(folder / engine, engine, data)
        messages.append(str(refusal.value))
    assert messages[0] == messages[1]
    return messages[0]


def _prepared(folder: Path, engine: str, data: dict[str, Any]) -> Path:
    settings = {"name": "shop", "data": {**data, "engine": engine, "prepared_dir": folder}}
    return prepare(parse_config(settings, "the test"), Console(quiet=True))


def _manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    for name in ("engine", "prepared_dir"):
        manifest["config"]["data"].pop(name, None)
    return manifest
