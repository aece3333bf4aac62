"""Cycles: after how many days people buy an item again. Counted before one event of each user and item is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from recsys.core.events import SECONDS_PER_DAY, bought_types
from recsys.prepare import columns as c
from recsys.prepare.engine.staging import Database, count, one_value

LEAST_DAYS = 1.0  # what is bought within a day is of one order: a second piece, or one that was forgotten


@dataclass(frozen=True)
class CycleCounts:
    """How many items of a dataset have a cycle, and where it is from.

    Attributes:
        own: from repeat purchases of the item.
        category: from those of the items of one of its categories.
        default: no cycle: too few users bought such an item again.
    """

    own: int = 0
    category: int = 0
    default: int = 0

    @property
    def any(self) -> bool:
        """Whether there is any cycle at all."""
        return bool(self.own or self.category)

    def to_manifest(self) -> dict[str, dict[str, int]]:
        """Nothing for a dataset without cycles."""
        return {"cycles": asdict(self)} if self.any else {}


def find_gaps(db: Database, event_weights: Mapping[str, float]) -> None:
    """Make table `gaps` of table `coded`: days between successive purchases of one item by one user, and their ends."""
    db.execute(
        f"""
        CREATE TABLE gaps AS
        WITH bought AS (
            SELECT user_code, item_code, timestamp FROM coded WHERE list_contains($types, event_type)
        ), again AS (
            SELECT user_code, item_code FROM bought GROUP BY user_code, item_code HAVING count(*) > 1
        )
        SELECT * FROM (
            SELECT user_code, item_code, timestamp AS until, (timestamp - lag(timestamp) OVER (
                PARTITION BY user_code, item_code ORDER BY timestamp
            )) / CAST({SECONDS_PER_DAY} AS DOUBLE) AS days
            FROM bought SEMI JOIN again USING (user_code, item_code)
        ) WHERE days >= {LEAST_DAYS}
        """,
        {"types": bought_types(event_weights)},
    )


def find_cycles(
    db: Database, least_users: int, validation_from: int | None = None, *, cold_items: bool = False
) -> CycleCounts:
    """Make table `cycles` (item, cycle in days) of table `gaps`, which is dropped, and the split interactions.

    An item's cycle is the median of all its gaps if enough users bought it again, else that of the gaps of its finest
    category with enough of them. Nothing that is held out is read: no gap that ends at or after the first held-out
    interaction of its user, nor one of an item that is held out whole.

    Args:
        db: with tables `gaps`, `users`, `items`, `interactions` (split) and `metadata`.
        least_users: who must have bought an item, or one of a category, again.
        validation_from: of a split at one time for all: no gap that ends later; None: there is none.
        cold_items: whether items are held out whole, those of table `cold`.
    """
    db.execute(
        f"""
        CREATE TEMP TABLE train_gaps AS
        SELECT "user", item, days FROM gaps JOIN users USING (user_code) JOIN items USING (item_code)
        {"ANTI JOIN cold USING (item)" if cold_items else ""}
        LEFT JOIN (
            SELECT "user", min(timestamp) AS held_out_from FROM interactions WHERE split <> '{c.TRAIN}' GROUP BY "user"
        ) USING ("user")
        WHERE (held_out_from IS NULL OR until < held_out_from) AND ($end IS NULL OR until < $end)
        """,
        {"end": validation_from},
    )
    db.execute("DROP TABLE gaps")
    # A category is known by the whole way to it: other branches may call one of theirs the same.
    db.execute(
        f"""
        CREATE TABLE cycles AS
        WITH own AS (
            SELECT item, median(days) AS cycle FROM train_gaps
            GROUP BY item HAVING count(DISTINCT "user") >= $least
        ), paths AS (
            SELECT item, level, list_slice({c.CATEGORIES}, 1, level) AS path
            FROM items JOIN metadata USING (item_id), unnest(range(1, len({c.CATEGORIES}) + 1)) AS levels(level)
        ), of_paths AS (
            SELECT path, median(days) AS cycle FROM train_gaps JOIN paths USING (item)
            GROUP BY path HAVING count(DISTINCT "user") >= $least
        ), of_categories AS (
            SELECT item, arg_max(cycle, level) AS cycle FROM paths JOIN of_paths USING (path) GROUP BY item
        )
        SELECT item, coalesce(own.cycle, of_categories.cycle) AS cycle, own.cycle IS NOT NULL AS is_own
        FROM own FULL JOIN of_categories USING (item)
        """,
        {"least": least_users},
    )
    db.execute("DROP TABLE train_gaps")
    own, all_ = int(one_value(db, "SELECT count(*) FROM cycles WHERE is_own")), count(db, "cycles")
    return CycleCounts(own, all_ - own, count(db, "items") - all_)
