"""Experiments, kept as texts, and the users whom they assign by another id than their own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import sqlalchemy as sa

from recsys.store import experiment_units
from recsys.store.database import Database
from recsys.store.experiment_units import Units
from recsys.store.kept_text_records import StoredText
from recsys.store.kept_texts import KeptTexts, TextTables
from recsys.store.tables import EXPERIMENT_CHANGES, EXPERIMENTS, EXPERIMENTS_VERSION

_TABLES = TextTables("an experiment", "experiment changes", EXPERIMENTS, EXPERIMENT_CHANGES, EXPERIMENTS_VERSION)


class StoredExperiments(NamedTuple):
    """All experiments as of one moment.

    Attributes:
        version: number of changes until then, those of units included.
        texts: ordered by key.
        units: of each experiment, by user id, the id that it assigns the user by where that is not the user's own.
    """

    version: int = 0
    texts: tuple[StoredText, ...] = ()
    units: Mapping[str, Units] = MappingProxyType({})


class Experiments(KeptTexts):
    """The experiments of a store. Errors as of `Store`.

    Units come with merges and go with forgetting (`recsys.store.live_users`), and with their experiment.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database, _TABLES)

    def follow(self, before: StoredExperiments) -> StoredExperiments:
        """The experiments and units of now, of which those of before are known: of units, what has changed is read."""
        if self.version() == before.version:
            return before
        version, texts = self.read()
        with self._database.read() as connection:
            # What comes between the two reads has another version, and is looked for the next time.
            units = experiment_units.follow(connection, before.units, before.version, version)
        return StoredExperiments(version, texts, units)

    def _deleted(self, connection: sa.Connection, key: str) -> None:
        experiment_units.remove_all(connection, key)
