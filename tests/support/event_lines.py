"""Lines of an event log in the tables of the engine, and what the filters leave of them."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa
from hypothesis import HealthCheck, settings

from recsys.prepare.engine import filters, staging
from recsys.prepare.settings import DataConfig

WEIGHTS = {"view": 1.0, "add_to_cart": 3.0, "purchase": 5.0, "rating": 5.0}


@dataclass(frozen=True)
class Line:
    user: str
    item: str
    kind: str | None
    time: int
    quantity: float | None = None


def load(db: duckdb.DuckDBPyConnection, lines: list[Line]) -> None:
    for (table,) in db.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        db.execute(f"DROP TABLE {table}")
    staging.create_raw_table(db)
    table = {
        "user_id": pa.array([line.user for line in lines], pa.string()),
        "item_id": pa.array([line.item for line in lines], pa.string()),
        "timestamp": pa.array([line.time for line in lines], pa.int64()),
        "weight": pa.array([WEIGHTS.get(line.kind or "", 1.0) for line in lines], pa.float32()),
        "quantity": pa.array([line.quantity for line in lines], pa.float32()),
        "event_type": pa.array([line.kind for line in lines], pa.string()),
        "seq": pa.array(range(len(lines)), pa.int64()),
    }
    staging.insert_interactions(db, pa.table(table))


def config(**changes: object) -> DataConfig:
    return DataConfig.model_validate(
        {"format": "events", "interactions": ["x"], "k_core_users": 0, "k_core_items": 0, **changes}
    )


def filtered(
    db: duckdb.DuckDBPyConnection, lines: list[Line], **changes: object
) -> tuple[list[int], filters.FilterReport]:
    """Which lines are left, and the report."""
    load(db, lines)
    report = filters.filter_interactions(db, config(**changes))
    return [seq for (seq,) in db.execute("SELECT seq FROM kept ORDER BY seq").fetchall()], report


def purchase(item: str, time: int, quantity: float | None = None, kind: str = "purchase") -> Line:
    return Line("u", item, kind, time, quantity)


oracle = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
