"""Repeats: which events of one user with one item become interactions, before and after the split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from recsys.core.events import RATING, bought_types
from recsys.prepare import columns as c
from recsys.prepare.engine.staging import Database, count, replace_table
from recsys.prepare.schema import Repeats

OLDER, WEAKER, REPEATED_IN_PART = "older_of_same_pair", "weaker_of_same_pair", "repeat_in_part"


def count_rebought(db: Database, event_weights: Mapping[str, float]) -> tuple[int, int]:
    """Purchases in table `coded`, and how many of these repeat an earlier one of the same user and item.

    Several of one moment, or of one day where days alone are told, are one purchase of several pieces.
    """
    types: dict[str, Any] = {"types": bought_types(event_weights)}
    bought = "coded WHERE list_contains($types, event_type)"
    total = int(db.execute(f"SELECT count(*) FROM {bought}", types).fetchall()[0][0])
    if not total:
        return 0, 0
    again = f"SELECT user_code, item_code FROM {bought} GROUP BY ALL HAVING count(*) > 1"
    times = f"SELECT DISTINCT user_code, item_code, timestamp FROM {bought}"
    pairs = f"SELECT count(*) AS n FROM ({times}) SEMI JOIN ({again}) USING (user_code, item_code)"
    pairs += " GROUP BY user_code, item_code"
    return total, int(db.execute(f"SELECT coalesce(sum(n - 1), 0) FROM ({pairs})", types).fetchall()[0][0])


def choose_of_pairs(db: Database, repeats: Repeats) -> str:
    """Replace table `coded` by `kept`: the events of each user and item that can be interactions.

    latest: one of them, of the greatest weight (a view does not undo a purchase), and of equal weights the latest.
    count, all: all of the greatest weight. A purchase that follows views of the item is no repeat, nor is the
    rating that follows a purchase.

    Returns:
        The cause for which the others are dropped.
    """
    # Few pairs repeat: ranking only those takes a quarter of the time of ranking all.
    db.execute(
        """
        CREATE TABLE repeated AS
        SELECT user_code, item_code FROM coded GROUP BY user_code, item_code HAVING count(*) > 1
        """
    )
    pairs = "OVER (PARTITION BY user_code, item_code ORDER BY weight DESC"
    if repeats == "latest":
        cause, rank = OLDER, f"row_number() {pairs}, timestamp DESC, seq DESC)"
    else:
        cause, rank = WEAKER, f"rank() {pairs}, coalesce(event_type = '{RATING}', false))"
    db.execute(
        f"""
        CREATE TABLE kept AS
        WITH ranked AS (
            SELECT seq, {rank} AS rank_in_pair FROM coded SEMI JOIN repeated USING (user_code, item_code)
        ), superseded AS (
            SELECT seq FROM ranked WHERE rank_in_pair > 1
        )
        SELECT * EXCLUDE (event_type) FROM coded ANTI JOIN superseded USING (seq)
        """
    )
    db.execute("DROP TABLE coded")
    db.execute("DROP TABLE repeated")
    return cause


def merge_repeats(db: Database, repeats: Repeats) -> dict[str, int]:
    """Merge what repeats within a part of table `interactions`, whose parts are known; nothing is merged across parts.

    count: each part holds a pair once, at its latest time; column `count` says how many of its events the part had.
    all: train holds every event; validation and test hold each pair once, because a list is right about an item once.

    Returns:
        How many interactions were dropped, by cause.
    """
    pairs = 'PARTITION BY "user", item, split'
    match repeats:
        case "latest":
            return {}
        case "count":
            parts, counted = "true", f', CAST(count(*) OVER ({pairs}) AS INTEGER) AS "count"'
        case "all":
            parts, counted = f"split <> '{c.TRAIN}'", ""
        case _:
            assert_never(repeats)
    before = count(db, "interactions")
    replace_table(
        db,
        "interactions",
        f"""
        SELECT * EXCLUDE (later) FROM (
            SELECT *, row_number() OVER ({pairs} ORDER BY timestamp DESC, seq DESC) AS later{counted}
            FROM interactions
        ) WHERE later = 1 OR NOT ({parts})
        """,
    )
    return {REPEATED_IN_PART: before - count(db, "interactions")}
