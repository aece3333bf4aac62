"""The Spark session of a preparation."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from recsys.core.errors import ConfigError, DataError
from recsys.prepare.settings import DataConfig

_OURS = {
    "spark.sql.session.timeZone": "UTC",
    # What does not fit or is no number stops the work, as in DuckDB; it never becomes null in silence.
    "spark.sql.ansi.enabled": "true",
}
_OF_ONE_MACHINE = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def start_session(config: DataConfig) -> SparkSession:
    """A session of its own, of the application that spark-submit started, or of this machine.

    Raises:
        ConfigError: Spark does not start: no Java, no cluster at that address.
    """
    # spark-submit sets this; what it says of machines and memory holds.
    is_submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    if not is_submitted:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # that of the workers
    # Executors elsewhere could not reach a driver at this machine's own address.
    is_here = not is_submitted and str(config.spark_options.get("spark.master", "local")).startswith("local")
    options = {**(_of_one_machine(config) if is_here else {}), **config.spark_options}
    builder = SparkSession.builder.appName("recsys prepare")
    for name, value in options.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except (PySparkException, Py4JError, OSError) as error:
        raise ConfigError(
            "Spark to start, as data.engine: spark needs it",
            str(error).splitlines()[0],
            "install Java 17 or later and set JAVA_HOME, correct data.spark_options, or set data.engine: duckdb",
        ) from None
    session.sparkContext.setLogLevel("ERROR")
    # Its views are its own, whoever else works in the same application.
    own = session.newSession()
    for name, value in _OURS.items():
        own.conf.set(name, value)
    return own


@contextmanager
def spark_errors() -> Iterator[None]:
    """Turn errors of a full disk and of too little memory into those that a preparation knows.

    Raises:
        OSError: a disk is full.
        DataError: a process had too little memory.
    """
    try:
        yield
    except (PySparkException, Py4JError) as error:
        message = str(error)
        if "No space left on device" in message:
            raise OSError(errno.ENOSPC, "No space left on device, said Spark") from None
        if "OutOfMemoryError" in message:
            raise DataError(
                "Spark's work to fit into its memory",
                message.splitlines()[0],
                "raise data.memory_limit_mb on this machine, --driver-memory and --executor-memory on a cluster",
            ) from None
        raise


def _of_one_machine(config: DataConfig) -> dict[str, str]:
    root = Path(__file__).parents[3]
    return {
        **_OF_ONE_MACHINE,
        "spark.master": f"local[{config.threads}]",
        "spark.driver.memory": f"{config.memory_limit_mb}m",
        "spark.executorEnv.PYTHONPATH": os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH")))),
        "spark.sql.shuffle.partitions": str(2 * config.threads),
    }
