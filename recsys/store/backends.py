"""What differs between the databases: connecting, waiting, and the statements that no common SQL expresses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, Select, create_engine

from recsys.store.records import Event

UPGRADE_S = 60.0  # another process may be upgrading the schema, and a table may be large
EVENT_COLUMNS = ", ".join(f"e.{name}" for name in Event._fields)

# Of each item, type and of rated and unrated events the latest, of the latest items among `events`, a subquery.
LATEST_OF_ITEMS = """
    SELECT seq FROM (
        SELECT seq, dense_rank() OVER (ORDER BY latest DESC, item_id) AS place FROM (
            SELECT seq, item_id, max(timestamp) OVER (PARTITION BY item_id) AS latest,
                   row_number() OVER (
                       PARTITION BY item_id, event_type, rating IS NULL ORDER BY timestamp DESC, seq DESC
                   ) AS again
            FROM ({events}) AS deep
        ) AS ranked WHERE again = 1
    ) AS placed WHERE place <= {limit}
"""


class Backend(ABC):
    """One kind of database.

    Attributes:
        engine: for transactions that write.
        reads: for reads, whose statements stand for themselves.
        streams: for reads of many rows as of one moment, which hold off no writer.
        probe: a statement that changes nothing, and that a database refuses which takes no changes.
        insert: the dialect's INSERT, which knows ON CONFLICT.
        latest_events: the latest `limit` events up to `until` of each of `users`, oldest first; one look into the
            index for each user. As the driver takes it, see `rows_of`.
        latest_items: of the latest `depth` events up to `until` of each of `users`, those of the latest `limit` items:
            of each item, type and of rated and unrated ones the latest event, oldest first.
    """

    insert: Any
    latest_events: str
    latest_items: str
    probe: str

    def __init__(self, url: URL, timeout_s: float, pool_size: int) -> None:
        self.url, self.timeout_s = url, timeout_s
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=timeout_s,
            # Messages go to logs and into answers, where ids of customers do not belong.
            hide_parameters=True,
            **self.engine_options(),
        )
        self.reads, self.streams = self.prepare()

    @abstractmethod
    def engine_options(self) -> dict[str, Any]:
        """More arguments of `create_engine`."""

    @abstractmethod
    def prepare(self) -> tuple[Engine, Engine]:
        """Install the listeners of `engine`; returns `reads` and `streams`."""

    @abstractmethod
    def limit(self, connection: Connection, until: float) -> None:
        """Let what follows on a connection wait no longer than `until`, by the monotonic clock."""

    @contextmanager
    def turn(self, until: float) -> Iterator[None]:
        """One of the threads that write at a time, where the database itself has no queue; `until` as in `limit`."""
        del until
        yield

    @abstractmethod
    def lock_schema(self, connection: Connection) -> None:
        """Wait until no other process changes the schema, and keep others from it to the end of the transaction."""

    @abstractmethod
    def create(self) -> None:
        """Make the database where there is none, if that is the store's to do."""

    @abstractmethod
    def try_out(self) -> None:
        """Find out whether a start would find, or could make, a database that takes changes; changes nothing."""

    @abstractmethod
    def open_to_others(self) -> str | None:
        """See `Store.open_to_others`."""

    @abstractmethod
    def look(self) -> None:
        """Find out whether the files are those that were opened; raises StoreDamaged if not."""

    @abstractmethod
    def committed(self, connection: Connection) -> None:
        """Called before a commit is acknowledged; raises StoreUnavailable if it may not be found again."""

    def abandon(self) -> None:
        """Close the connections; where files may be damaged, let all calls fail until `reopen`."""
        self.engine.dispose()

    def reopen(self, *, verify: bool) -> None:
        """As `abandon`, and use what is there now; with `verify`, if it is found sound."""
        del verify
        self.engine.dispose()

    def close(self) -> None:
        """Close all connections that are not in use."""
        self.engine.dispose()

    @abstractmethod
    def prepare_database(self) -> None:
        """Check and set what holds for the whole database, before its first migration."""

    @abstractmethod
    def order_events(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        """Bring rows of `events` into an order that lets writers meet, their `seq` that of arrival."""

    @abstractmethod
    def lock_persons(self, connection: Connection, *, shared: bool) -> None:
        """Let nobody be forgotten or merged to the end of the transaction; not `shared`, hold off who asks for this."""

    @abstractmethod
    def allow(self, connection: Connection, limit_s: float) -> None:
        """Let each statement of a transaction take so long."""

    def rows_of(self, statement: str, values: dict[str, Any], until: float) -> Sequence[Sequence[Any]]:
        """Rows of a statement in the driver's own form: every recommendation asks, SQLAlchemy takes longer than it.

        `until` as in `limit`.
        """
        with self.reads.connect() as connection:
            self.limit(connection, until)
            return connection.exec_driver_sql(statement, values).all()

    @abstractmethod
    def users_value(self, user_ids: Sequence[str]) -> Any:
        """Value of `users` in `latest_events`."""

    @abstractmethod
    def with_words(self, items: Select[Any], words: Sequence[str], *, alone: bool) -> Select[Any]:
        """Items that have for each word one that begins with it.

        Args:
            items: a SELECT of the `seq` of items of one catalogue.
            words: hold letters and digits alone.
            alone: there are no other items than those.
        """
