"""The train, validation and test parts, and the counts of the finished dataset."""

from __future__ import annotations

from typing import Any

from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare.engine.staging import Database, count, one_value
from recsys.prepare.settings import SplitConfig

# SQL that gives an interaction's part. `n` counts the user's interactions, `back` counts from the latest one (1),
# `n_validation` and `n_test` are the user's shares.
_RULES = {
    # With fewer than three interactions nothing could be learnt or measured: all of them are train.
    "leave_one_out": "CASE WHEN n < 3 OR back > 2 THEN 'train' WHEN back = 1 THEN 'test' ELSE 'validation' END",
    # At least one interaction stays in train.
    "ratio": (
        "CASE WHEN back < n AND back <= n_test THEN 'test'"
        " WHEN back < n AND back <= n_test + n_validation THEN 'validation' ELSE 'train' END"
    ),
    "temporal": (
        "CASE WHEN timestamp >= $test_from THEN 'test'"
        " WHEN timestamp >= $validation_from THEN 'validation' ELSE 'train' END"
    ),
}


def split_interactions(db: Database, config: SplitConfig) -> dict[str, Any]:
    """Replace table `kept` by `interactions`, with row numbers of users and items and the part of each interaction.

    A user's interactions are ordered by time, then file order.

    Returns:
        The manifest's entry on the split; for a temporal split it has the two times.

    Raises:
        DataError: the training part or the test part would be empty.
    """
    times = _boundary_times(db, config) if config.method == "temporal" else {}
    # Shares are rounded to the nearest whole number, halves up.
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
        SELECT "user", item, timestamp, rating, weight, price, quantity, seq, {_RULES[config.method]} AS split
        FROM shares
        """,
        times,
    )
    db.execute("DROP TABLE kept")
    for part in (c.TRAIN, c.TEST):
        if not one_value(db, "SELECT count(*) FROM interactions WHERE split = $part", part=part):
            raise _empty(db, config, part)
    return {"method": config.method, **times}


def _empty(db: Database, config: SplitConfig, part: str) -> DataError:
    """Why the split has no interactions in `part`."""
    longest = one_value(db, 'SELECT max(n) FROM (SELECT count(*) AS n FROM interactions GROUP BY "user")')
    moments = one_value(db, "SELECT count(DISTINCT timestamp) FROM interactions")
    reasons = {
        "leave_one_out": (
            f"none: it takes three interactions of one user, and no user has more than {longest}",
            "set data.split.method to temporal, which needs no histories, or bring more data",
        ),
        "ratio": (
            f"none: the share is less than half an interaction of the longest history, of {longest}",
            "raise data.split.test_share, set data.split.method to temporal, or bring more data",
        ),
        "temporal": (
            f"none: what happened at one time stays together, and there are {moments} different times",
            "set data.split.method to leave_one_out, change the shares in data.split, or bring more data",
        ),
    }
    got, remedy = reasons[config.method]
    return DataError(f"interactions for the {part} part of the split {config.method}", got, remedy)


def _boundary_times(db: Database, config: SplitConfig) -> dict[str, int]:
    """The times at which the validation part and the test part begin, such that they have their shares."""
    total = count(db, "kept")
    times = {}
    for name, share in (
        ("validation_from", config.validation_share + config.test_share),
        ("test_from", config.test_share),
    ):
        offset = min(max(total - round(total * share), 0), total - 1)
        times[name] = int(
            one_value(
                db,
                "SELECT min(timestamp) FROM (SELECT timestamp, sum(n) OVER (ORDER BY timestamp) AS upto FROM ("
                "SELECT timestamp, count(*) AS n FROM kept GROUP BY timestamp)) WHERE upto > $offset",
                offset=offset,
            )
        )
    return times


def summary(db: Database) -> dict[str, Any]:
    """The manifest's entries on tables `interactions`, `users` and `items`."""
    parts = dict(db.execute("SELECT split, count(*) FROM interactions GROUP BY split").fetchall())
    first, last, rated = db.execute(
        "SELECT min(timestamp), max(timestamp), count(rating) FROM interactions"
    ).fetchall()[0]
    not_in_train = one_value(
        db,
        "SELECT count(DISTINCT item) FROM interactions"
        " ANTI JOIN (SELECT item FROM interactions WHERE split = 'train') USING (item)",
    )
    without_interactions = one_value(db, "SELECT count(*) FROM items ANTI JOIN interactions USING (item)")
    without_metadata = one_value(db, "SELECT count(*) FROM items ANTI JOIN metadata USING (item_id)")
    return {
        "counts": {
            "users": count(db, "users"),
            "items": count(db, "items"),
            "interactions": sum(parts.values()),
            **{part: parts.get(part, 0) for part in c.SPLITS},
            "rated": rated,
            "items_without_metadata": without_metadata,
            "items_without_interactions": without_interactions,
            "items_not_in_train": not_in_train,
        },
        "time_range": {"first": first, "last": last},
        "has_ratings": rated > 0,
    }
