"""Interactions inside DuckDB: loading, deduplication, filters, splits, row numbers.

Everything here is plain SQL over tables; the statements use nothing that a Spark engine lacks in kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from recsys.config import DataConfig, SplitConfig
from recsys.core.errors import DataError
from recsys.prepare import columns as c


@dataclass
class FilterReport:
    """Interactions dropped by cause, in the order of the filters."""

    read: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    k_core_rounds: int = 0

    def to_manifest(self) -> dict[str, Any]:
        kept = self.read - sum(self.dropped.values())
        return {"read": self.read, "dropped": self.dropped, "kept": kept, "k_core_rounds": self.k_core_rounds}


def connect(config: DataConfig, spill: Path) -> duckdb.DuckDBPyConnection:
    """An in-memory database that keeps to the config's memory limit and spills into `spill`."""
    return duckdb.connect(
        config={
            "memory_limit": f"{config.memory_limit_mb}MB",
            "threads": config.threads,
            "temp_directory": str(spill),
            "preserve_insertion_order": False,
        }
    )


def create_tables(db: duckdb.DuckDBPyConnection) -> None:
    """Make the empty table that interactions are loaded into; `seq` is the order of the files and their lines."""
    db.execute(
        "CREATE TABLE raw (user_id VARCHAR, item_id VARCHAR, timestamp BIGINT, rating FLOAT, weight FLOAT DEFAULT 1,"
        " price FLOAT, quantity FLOAT, seq BIGINT)"
    )


def insert(db: duckdb.DuckDBPyConnection, table: str, batch: pa.Table) -> None:
    """Append an Arrow table; columns go by name."""
    db.register("batch", batch)
    db.execute(f"INSERT INTO {table} BY NAME SELECT * FROM batch")
    db.unregister("batch")


def filter_interactions(db: duckdb.DuckDBPyConnection, config: DataConfig) -> FilterReport:
    """Make table `kept` (user, item: codes) from `raw`, which goes: latest of a pair, minimum rating, k-core.

    Raises:
        DataError: nothing is left.
    """
    report = FilterReport(read=count(db, "raw"))
    _encode_ids(db)
    _drop_repeated(db)
    left = count(db, "kept")
    report.dropped["older_of_same_pair"] = report.read - left
    if config.min_rating is not None:
        _replace(db, "kept", "SELECT * FROM kept WHERE rating IS NULL OR rating >= $least", least=config.min_rating)
        before, left = left, count(db, "kept")
        report.dropped["below_min_rating"] = before - left
    report.k_core_rounds = _k_core(db, config.k_core_users, config.k_core_items)
    before, left = left, count(db, "kept")
    report.dropped["k_core"] = before - left
    if left == 0:
        raise DataError(
            "interactions left after the filters",
            f"none of {report.read:,} ("
            + ", ".join(f"{count:,} dropped by {cause}" for cause, count in report.dropped.items())
            + ")",
            "lower data.k_core_users, data.k_core_items or data.min_rating, or bring more data",
        )
    return report


def _encode_ids(db: duckdb.DuckDBPyConnection) -> None:
    """Replace table `raw` by `coded`, with integer codes in place of ids, and the tables user_codes, item_codes."""
    for entity in ("user", "item"):
        db.execute(
            f"CREATE TABLE {entity}_codes AS SELECT {entity}_id, CAST(row_number() OVER () AS INTEGER) AS {entity}_code"
            f" FROM (SELECT DISTINCT {entity}_id FROM raw)"
        )
    db.execute(
        """
        CREATE TABLE coded AS
        SELECT user_code, item_code, timestamp, rating, weight, price, quantity, seq
        FROM raw JOIN user_codes USING (user_id) JOIN item_codes USING (item_id)
        """
    )
    db.execute("DROP TABLE raw")


def _drop_repeated(db: duckdb.DuckDBPyConnection) -> None:
    """Make table `kept` from `coded`, which goes: one interaction of each user and item.

    Of an event log the strongest one stays (a view does not undo a purchase), of equals the latest.
    """
    # Few pairs repeat: to rank those alone takes a quarter of the time of ranking all.
    db.execute(
        """
        CREATE TABLE repeated AS
        SELECT user_code, item_code FROM coded GROUP BY user_code, item_code HAVING count(*) > 1
        """
    )
    db.execute(
        """
        CREATE TABLE kept AS
        WITH ranked AS (
            SELECT seq, row_number() OVER (
                PARTITION BY user_code, item_code ORDER BY weight DESC, timestamp DESC, seq DESC
            ) AS place
            FROM coded SEMI JOIN repeated USING (user_code, item_code)
        ), older AS (
            SELECT seq FROM ranked WHERE place > 1
        )
        SELECT * FROM coded ANTI JOIN older USING (seq)
        """
    )
    db.execute("DROP TABLE coded")
    db.execute("DROP TABLE repeated")


def _k_core(db: duckdb.DuckDBPyConnection, min_user: int, min_item: int) -> int:
    """Drop users and items with too few interactions until there is none; returns the number of rounds."""
    filters = [(f"{entity}_code", least) for entity, least in (("user", min_user), ("item", min_item)) if least > 1]
    rounds, before = 0, -1
    while filters and (left := count(db, "kept")) != before:
        before, rounds = left, rounds + 1
        for code, least in filters:
            enough = f"SELECT {code} FROM kept GROUP BY {code} HAVING count(*) >= $least"
            _replace(db, "kept", f"SELECT * FROM kept SEMI JOIN ({enough}) USING ({code})", least=least)
    return rounds


def _replace(db: duckdb.DuckDBPyConnection, table: str, query: str, **values: Any) -> None:
    """Put the rows of a query in the place of a table."""
    db.execute(f"CREATE TABLE replacement AS {query}", values)
    db.execute(f"DROP TABLE {table}")
    db.execute(f"ALTER TABLE replacement RENAME TO {table}")


def number_rows(db: duckdb.DuckDBPyConnection) -> None:
    """Make tables `users` and `items` (row number, id) of what is kept.

    Rows are ordered by a hash of the id: ids ordered as they are would tell what came when.
    """
    for entity in ("user", "item"):
        db.execute(
            f"""
            CREATE TABLE {entity}s AS
            SELECT CAST(row_number() OVER (ORDER BY md5({entity}_id), {entity}_id) - 1 AS INTEGER) AS {entity},
                   {entity}_id, {entity}_code
            FROM {entity}_codes SEMI JOIN kept USING ({entity}_code)
            """
        )
        db.execute(f"DROP TABLE {entity}_codes")


def split_interactions(db: duckdb.DuckDBPyConnection, config: SplitConfig) -> dict[str, Any]:
    """Make table `interactions` from `kept`: row numbers and the split.

    A user's interactions are ordered by time, then file order.

    Returns:
        What the manifest says of the split; for temporal the two times.

    Raises:
        DataError: the training part or the test part would be empty.
    """
    about: dict[str, Any] = {"method": config.method}
    if config.method == "leave_one_out":
        # With fewer than three nothing could be learnt or asked: all goes to train.
        rule = "CASE WHEN n < 3 OR back > 2 THEN 'train' WHEN back = 1 THEN 'test' ELSE 'validation' END"
        values: dict[str, float] = {}
    elif config.method == "ratio":
        # Shares rounded to the nearest whole number (halves up); at least one stays in train.
        rule = (
            "CASE WHEN back < n AND back <= n_test THEN 'test'"
            " WHEN back < n AND back <= n_test + n_validation THEN 'validation' ELSE 'train' END"
        )
        values = {}
    else:
        total = count(db, "kept")
        times = {}
        for name, share in (
            ("validation", config.validation_share + config.test_share),
            ("test", config.test_share),
        ):
            offset = min(max(total - round(total * share), 0), total - 1)
            times[name] = _one(
                db, "SELECT timestamp FROM kept ORDER BY timestamp LIMIT 1 OFFSET $offset", offset=offset
            )
        about |= {"validation_from": times["validation"], "test_from": times["test"]}
        rule = (
            "CASE WHEN timestamp >= $test THEN 'test' WHEN timestamp >= $validation THEN 'validation' ELSE 'train' END"
        )
        values = dict(times)
    db.execute(
        f"""
        CREATE TABLE interactions AS
        WITH ordered AS (
            SELECT "user", item, timestamp, rating, weight, price, quantity, seq,
                   count(*) OVER (PARTITION BY "user") AS n,
                   row_number() OVER (PARTITION BY "user" ORDER BY timestamp DESC, seq DESC) AS back
            FROM kept JOIN users USING (user_code) JOIN items USING (item_code)
        ), shares AS (
            SELECT *, floor(n * {config.test_share!r} + 0.5 + 1e-9) AS n_test,
                   floor(n * {config.validation_share!r} + 0.5 + 1e-9) AS n_validation
            FROM ordered
        )
        SELECT "user", item, timestamp, rating, weight, price, quantity, seq, {rule} AS split FROM shares
        """,
        values,
    )
    db.execute("DROP TABLE kept")
    for part in ("train", "test"):
        if not _one(db, "SELECT count(*) FROM interactions WHERE split = $part", part=part):
            raise DataError(
                f"interactions for the {part} part of the split {config.method}",
                "none",
                "choose another data.split.method or other shares, or bring more data",
            )
    return about


def summary(db: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What the manifest says of tables `interactions`, `users` and `items`."""
    parts = dict(db.execute("SELECT split, count(*) FROM interactions GROUP BY split").fetchall())
    first, last, rated = db.execute(
        "SELECT min(timestamp), max(timestamp), count(rating) FROM interactions"
    ).fetchall()[0]
    cold = _one(
        db,
        "SELECT count(DISTINCT item) FROM interactions"
        " ANTI JOIN (SELECT item FROM interactions WHERE split = 'train') USING (item)",
    )
    bare = _one(db, "SELECT count(*) FROM items ANTI JOIN metadata USING (item_id)")
    return {
        "counts": {
            "users": count(db, "users"),
            "items": count(db, "items"),
            "interactions": sum(parts.values()),
            **{part: parts.get(part, 0) for part in c.SPLITS},
            "rated": rated,
            "items_without_metadata": bare,
            "items_not_in_train": cold,
        },
        "time_range": {"first": first, "last": last},
        "has_ratings": rated > 0,
    }


def count(db: duckdb.DuckDBPyConnection, table: str) -> int:
    """Number of rows of a table, which may carry a clause, as in `kept WHERE rating > 3`."""
    return int(_one(db, f"SELECT count(*) FROM {table}"))


def _one(db: duckdb.DuckDBPyConnection, query: str, **values: Any) -> Any:
    # All rows: DuckDB refuses other work while a result is unfinished.
    return db.execute(query, values).fetchall()[0][0]
