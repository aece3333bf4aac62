"""Run by Alembic: the caller has opened the transaction and holds the lock."""

from alembic import context

from recsys.store.tables import metadata

# On SQLite, too, a step and its number are committed together, by the caller.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
