"""Spark as an engine of preparations."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from recsys.core.errors import ConfigError
from recsys.prepare.engine import staging
from recsys.prepare.engine.staging import Database
from recsys.prepare.engine.told import Told
from recsys.prepare.engines import Engine
from recsys.prepare.inputs import Input, Inputs
from recsys.prepare.loading import require_events
from recsys.prepare.mapping_settings import OF_ITEM, OF_USER
from recsys.prepare.settings import DataConfig
from recsys.prepare.spark.database import SparkDatabase
from recsys.prepare.spark.reading import read_all
from recsys.prepare.spark.scratch import Scratch
from recsys.prepare.spark.session import start_session
from recsys.prepare.terminal import StageProgress


def check(inputs: Inputs, config: DataConfig) -> None:
    """Refuse what is not done on Spark.

    Raises:
        ConfigError: an input is a store; columns of events tell of items or users.
    """
    if inputs.stores:
        raise ConfigError(
            "files as the inputs of a preparation on Spark",
            f"the store {inputs.stores[0]}",
            "set data.engine: duckdb, or name files of its events",
        )
    if told := [name for name in config.columns if name.startswith((OF_ITEM, OF_USER))]:
        raise ConfigError(
            "data.columns of events alone in a preparation on Spark",
            ", ".join(told),
            "set data.engine: duckdb, or write what they tell into a catalogue, data.properties or data.users",
        )


def connect(config: DataConfig, spill: Path) -> SparkDatabase:
    """An empty database on Spark; see `start_session` for what it raises."""
    session = start_session(config)
    return SparkDatabase(session, Scratch(config.spark_scratch or str(spill)), staging.connect(config, spill))


def load_interactions(
    db: Database, logs: list[Input], _items: Told, _users: Told, config: DataConfig, progress: StageProgress
) -> None:
    """Load the events of all inputs into table `raw`; they tell nothing of items and users, see `check`.

    Raises:
        DataError: there is none; see `Format.interactions`.
    """
    if not isinstance(db, SparkDatabase):
        raise TypeError("events are loaded into the engine's own database")
    with progress.stage(f"Reading {len(logs):,} inputs on Spark"):
        read_all(db, logs, config)
    require_events(logs)


SPARK: Final = Engine(connect, load_interactions, check)
