"""A `Database` whose tables of events are on Spark, and those of users and items in DuckDB on the driver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from sqlglot import exp

from recsys.prepare.engine.staging import Database
from recsys.prepare.spark.dialect import in_spark, parsed, table_names
from recsys.prepare.spark.scratch import Scratch
from recsys.prepare.spark.session import spark_errors

# What has a row for each user or item, or each item that is bought again, is on the driver, which reads the catalogue.
_ON_DRIVER = frozenset({"users", "items", "train_gaps"})
_BATCH_ROWS = 1 << 16


class Rows(NamedTuple):
    """The answer of a query on Spark, as DuckDB gives one."""

    rows: list[tuple[Any, ...]]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows."""
        return self.rows


class Batches:
    """A query that is answered when its rows are asked for."""

    def __init__(self, database: SparkDatabase, query: exp.Expr) -> None:
        self._database, self._query = database, query

    def to_arrow_reader(self, batch_size: int) -> pa.RecordBatchReader:
        """The rows in their order, of which a batch has at most so many."""
        return self._database.read(self._query, batch_size)


class SparkDatabase:
    """Runs the statements of `recsys.prepare.engine` where their tables are.

    A statement of tables on the driver alone is DuckDB's. One that reads a table of events is Spark's; tables of the
    driver are sent there when such a statement names them, and again when they have changed. Each table on Spark is a
    folder of Parquet files, so that nothing is computed twice and a lost machine costs its tasks alone.
    """

    def __init__(self, session: SparkSession, scratch: Scratch, local: Database) -> None:
        """Tables are kept in `scratch`, which all machines see; `local` is the driver's database."""
        self._session, self._scratch, self._local = session, scratch, local
        self._folders: dict[str, str] = {}  # of the tables on Spark
        self._sent: dict[str, str] = {}  # of tables of the driver, those on Spark, too
        self._numbers = count()

    @property
    def session(self) -> SparkSession:
        """What runs on Spark."""
        return self._session

    def execute(self, query: str, parameters: object = None, /) -> Any:
        """Run a statement, see `Database.execute`."""
        tree = parsed(query)
        if not self._is_of_spark(tree):
            if not isinstance(tree, exp.Query):
                self._forget_sent(table_names(tree))
            return self._local.execute(query, parameters)
        values: Mapping[str, Any] = parameters if isinstance(parameters, Mapping) else {}
        match tree:
            case exp.Create(this=exp.Table() as table, expression=exp.Query() as source):
                self._create(table.name, self._frame(source, values))
            case exp.Drop(args={"tables": [table]}):
                self._drop(table.name)
            case exp.Alter(this=exp.Table() as table, args={"actions": [exp.AlterRename() as rename]}):
                self._rename(table.name, rename.this.name)
            case exp.Delete():
                self._delete(tree, values)
            case exp.Query():
                with spark_errors():
                    return Rows([tuple(row) for row in self._frame(tree, values).collect()])
            case _:
                raise NotImplementedError(f"on Spark: {query}")
        return Rows([])

    def sql(self, query: str, /) -> Any:
        """Rows of a query, see `Database.sql`."""
        tree = parsed(query)
        return Batches(self, tree) if self._is_of_spark(tree) else self._local.sql(query)

    def register(self, view_name: str, python_object: object, /) -> Any:
        """Give a table of Arrow a name; it is on the driver."""
        self._forget_sent([view_name])
        return self._local.register(view_name, python_object)

    def unregister(self, view_name: str, /) -> Any:
        """Forget such a table."""
        self._forget_sent([view_name])
        return self._local.unregister(view_name)

    def cursor(self) -> Any:
        """A cursor over tables of the driver."""
        return self._local.cursor()

    def close(self) -> None:
        """Forget all tables, on Spark and on the driver."""
        for name in [*self._folders, *self._sent]:
            self._session.catalog.dropTempView(name)
        self._scratch.remove()
        self._local.close()

    def attach(self, name: str, folder: str, frame: DataFrame) -> None:
        """Make a table of what lies in a folder of the scratch space."""
        self._folders[name] = folder
        frame.createOrReplaceTempView(name)

    def new_folder(self, name: str) -> str:
        """A folder for a table, which does not exist yet."""
        return self._scratch.folder(f"{next(self._numbers)}-{name}")

    def read(self, query: exp.Expr, batch_size: int) -> pa.RecordBatchReader:
        """The rows of a query in their order; they wait in the scratch space and not in memory."""
        folder, frame = self._written("rows", self._frame(query))
        return self._scratch.reader(folder, to_arrow_schema(frame.schema), batch_size)

    def _is_of_spark(self, tree: exp.Expr) -> bool:
        return not self._folders.keys().isdisjoint(table_names(tree))

    def _frame(self, query: exp.Expr, values: Mapping[str, Any] | None = None) -> DataFrame:
        """A query whose tables are all on Spark."""
        for name in table_names(query) - self._folders.keys() - self._sent.keys():
            self._send(name)
        return self._session.sql(in_spark(query, values or {}))

    def _written(self, name: str, frame: DataFrame) -> tuple[str, DataFrame]:
        """The rows of a query in files of their own: their folder, and what reads them."""
        folder = self.new_folder(name)
        with spark_errors():
            frame.write.parquet(folder)
        return folder, self._session.read.schema(frame.schema).parquet(folder)

    def _create(self, name: str, frame: DataFrame) -> None:
        if name in _ON_DRIVER:
            folder, written = self._written(name, frame)
            reader = self._scratch.reader(folder, to_arrow_schema(written.schema), _BATCH_ROWS)
            self._local.register("fetched", reader)
            self._local.execute(f"CREATE TABLE {name} AS SELECT * FROM fetched")  # nosec B608  # a name of ours
            self._local.unregister("fetched")
            return
        older = self._folders.get(name)
        self.attach(name, *self._written(name, frame))
        if older:
            self._scratch.remove_folder(older)

    def _drop(self, name: str) -> None:
        self._session.catalog.dropTempView(name)
        self._scratch.remove_folder(self._folders.pop(name))

    def _rename(self, name: str, new: str) -> None:
        frame = self._session.table(name)
        self._session.catalog.dropTempView(name)
        self.attach(new, self._folders.pop(name), frame)

    def _delete(self, statement: exp.Delete, values: Mapping[str, Any]) -> None:
        """Files are not changed: what stays becomes the table. Where the condition is null, a row stays, as in SQL."""
        name = statement.this.name
        goes = exp.func("coalesce", statement.args["where"].this, exp.false())
        self._create(name, self._frame(exp.select("*").from_(exp.to_table(name)).where(exp.not_(goes)), values))

    def _send(self, name: str) -> None:
        """Send a table of the driver to Spark."""
        folder = self.new_folder(name)
        self._scratch.write(folder, self._local.sql(f'SELECT * FROM "{name}"').to_arrow_reader(_BATCH_ROWS))
        self._session.read.parquet(folder).createOrReplaceTempView(name)
        self._sent[name] = folder

    def _forget_sent(self, names: Iterable[str]) -> None:
        for name in self._sent.keys() & set(names):
            self._session.catalog.dropTempView(name)
            self._scratch.remove_folder(self._sent.pop(name))
