"""Bring a database to the newest schema; safe when several processes start at once."""

from __future__ import annotations

import threading

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from recsys.store.backends import UPGRADE_S
from recsys.store.database import Database
from recsys.store.errors import StoreError

_ONE_IN_A_PROCESS = threading.Lock()  # Alembic keeps what it works on in a module


def upgrade(database: Database) -> None:
    """Run the missing migrations in one transaction.

    Raises:
        StoreUnavailable: the database is down, or another process holds the lock for a minute.
        StoreError: the schema is newer than this version; a database that is not in UTF-8.
    """
    database.prepare()
    with _ONE_IN_A_PROCESS:
        _run(database)


def _run(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", "recsys.store:migrations")
    with database.write(UPGRADE_S) as connection:
        database.backend.lock_schema(connection)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"a schema that this version knows in {database.name}", str(error), "run the newest version"
            ) from error
