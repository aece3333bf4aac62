"""Which interactions are kept (latest of each pair, minimum rating, k-core), and the row numbers of users and items."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from recsys.core.errors import DataError
from recsys.prepare.engine.staging import Database, count
from recsys.prepare.settings import DataConfig


@dataclass
class FilterReport:
    """Interactions dropped by cause, in the order of the filters."""

    read: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    k_core_rounds: int = 0

    def to_manifest(self) -> dict[str, Any]:
        kept = self.read - sum(self.dropped.values())
        return {"read": self.read, "dropped": self.dropped, "kept": kept, "k_core_rounds": self.k_core_rounds}


def filter_interactions(db: Database, config: DataConfig) -> FilterReport:
    """Replace table `raw` by `kept` (users and items as codes): latest of each pair, minimum rating, k-core.

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


def _encode_ids(db: Database) -> None:
    """Replace table `raw` by `coded`, with integer codes for ids, and tables `user_codes` and `item_codes`."""
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


def _drop_repeated(db: Database) -> None:
    """Replace table `coded` by `kept`: one interaction of each user and item.

    The one of the greatest weight is kept (a view does not undo a purchase), and of equal weights the latest.
    """
    # Few pairs repeat: ranking only those takes a quarter of the time of ranking all.
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
            ) AS rank_in_pair
            FROM coded SEMI JOIN repeated USING (user_code, item_code)
        ), superseded AS (
            SELECT seq FROM ranked WHERE rank_in_pair > 1
        )
        SELECT * FROM coded ANTI JOIN superseded USING (seq)
        """
    )
    db.execute("DROP TABLE coded")
    db.execute("DROP TABLE repeated")


def _k_core(db: Database, min_user: int, min_item: int) -> int:
    """Drop users and items with too few interactions until all that are left have enough; returns the rounds."""
    filters = [(f"{entity}_code", least) for entity, least in (("user", min_user), ("item", min_item)) if least > 1]
    rounds, before = 0, -1
    while filters and (left := count(db, "kept")) != before:
        before, rounds = left, rounds + 1
        for code, least in filters:
            enough = f"SELECT {code} FROM kept GROUP BY {code} HAVING count(*) >= $least"
            _replace(db, "kept", f"SELECT * FROM kept SEMI JOIN ({enough}) USING ({code})", least=least)
    return rounds


def _replace(db: Database, table: str, query: str, **values: Any) -> None:
    """Replace a table by the rows of a query."""
    db.execute(f"CREATE TABLE replacement AS {query}", values)
    db.execute(f"DROP TABLE {table}")
    db.execute(f"ALTER TABLE replacement RENAME TO {table}")


def number_rows(db: Database) -> None:
    """Make tables `users` and `items` (row number, id) of the interactions in `kept`.

    Rows are ordered by a hash of the id, because the order of the ids themselves tells what was new when.
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
