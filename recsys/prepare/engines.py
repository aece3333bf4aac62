"""The engines of `data.engine`: what holds the tables of a preparation, and how events come into them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recsys.core.dotted import imported
from recsys.core.errors import ConfigError
from recsys.prepare.engine import staging
from recsys.prepare.engine.staging import Database
from recsys.prepare.engine.told import Told
from recsys.prepare.inputs import Input, Inputs
from recsys.prepare.loading import load_interactions
from recsys.prepare.settings import DataConfig
from recsys.prepare.terminal import StageProgress

Loader = Callable[[Database, list[Input], Told, Told, DataConfig, StageProgress], None]


@dataclass(frozen=True)
class Engine:
    """Where the statements of `recsys.prepare.engine` run.

    Attributes:
        connect: an empty database, which may write into the folder that is named.
        load_interactions: see `recsys.prepare.loading.load_interactions`.
        check: refuses what the engine does not do, by ConfigError.
    """

    connect: Callable[[DataConfig, Path], Database]
    load_interactions: Loader
    check: Callable[[Inputs, DataConfig], None] = lambda _inputs, _config: None


_DUCKDB: Final = Engine(staging.connect, load_interactions)
_SPARK: Final = "recsys.prepare.spark.engine.SPARK"  # imported when it is used: few need it, and it is large


def load_engine(name: str) -> Engine:
    """The engine of a name.

    Raises:
        ConfigError: what it needs is not installed.
    """
    if name == "duckdb":
        return _DUCKDB
    try:
        engine: Engine = imported(_SPARK)
    except ModuleNotFoundError as error:
        raise ConfigError(
            "PySpark, as data.engine: spark needs it",
            str(error),
            "pip install 'recsys[spark]', or set data.engine: duckdb",
        ) from None
    return engine
