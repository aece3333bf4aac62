"""Which events become interactions (not undone, of one pair, well rated, k-core), and rows of users and items."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from recsys.core.errors import DataError
from recsys.prepare.engine.cycles import find_gaps
from recsys.prepare.engine.events import BURST, OUTSTANDING_USER, clean_events
from recsys.prepare.engine.repeats import OLDER, REPEATED_IN_PART, WEAKER, choose_of_pairs, count_rebought
from recsys.prepare.engine.staging import Database, count, replace_table, row_numbers
from recsys.prepare.settings import DataConfig


@dataclass
class FilterReport:
    """Interactions dropped by cause, in the order of the filters.

    Attributes:
        read: events.
        dropped: by cause.
        reduced: see `EventReport`.
        outstanding_users: see `EventReport`.
        busy_users: see `EventReport`.
        bought, rebought: see `count_rebought`; counted where `data.repeats` keeps one of them.
        k_core_rounds: until all users and items left had enough.
    """

    read: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    reduced: int = 0
    outstanding_users: list[tuple[str, int]] = field(default_factory=list)
    busy_users: tuple[int, float] | None = None
    bought: int = 0
    rebought: int = 0
    k_core_rounds: int = 0

    def to_manifest(self) -> dict[str, Any]:
        kept = self.read - sum(self.dropped.values())
        entry = {"read": self.read, "dropped": self.dropped, "kept": kept, "k_core_rounds": self.k_core_rounds}
        if self.reduced:
            entry["quantity_reduced"] = self.reduced
        if self.outstanding_users:
            entry["outstanding_users"] = [
                {"user_id": user, "events": events} for user, events in self.outstanding_users
            ]
        return entry


def filter_interactions(db: Database, config: DataConfig) -> FilterReport:
    """Replace table `raw` by `kept` (users and items as codes): events as `clean_events` leaves them, see `repeats`.

    Makes table `gaps` as well, see `find_gaps`.

    Raises:
        DataError: nothing is left.
    """
    report = FilterReport(read=count(db, "raw"))
    _encode_ids(db)
    cleaned = clean_events(db, config)
    report.dropped |= cleaned.dropped
    report.reduced, report.outstanding_users = cleaned.reduced, cleaned.outstanding_users
    report.busy_users = cleaned.busy_users
    left = count(db, "coded")
    if config.repeats == "latest":
        report.bought, report.rebought = count_rebought(db, config.event_weights)
    find_gaps(db, config.event_weights)
    cause = choose_of_pairs(db, config.repeats)
    report.dropped[cause] = left - (left := count(db, "kept"))
    if config.min_rating is not None:
        replace_table(
            db, "kept", "SELECT * FROM kept WHERE rating IS NULL OR rating >= $least", least=config.min_rating
        )
        report.dropped["below_min_rating"] = left - (left := count(db, "kept"))
    report.k_core_rounds = _k_core(db, config)
    report.dropped["k_core"] = left - (left := count(db, "kept"))
    if left == 0:
        raise _nothing_left(report, config)
    return report


def _nothing_left(report: FilterReport, config: DataConfig) -> DataError:
    """Names the setting of the filter that dropped most."""
    dropped = {cause: count for cause, count in report.dropped.items() if count}
    causes = ", ".join(f"{count:,} dropped by {cause}" for cause, count in dropped.items())
    least = [
        f"data.{name} ({value})"
        for name, value in (("k_core_users", config.k_core_users), ("k_core_items", config.k_core_items))
        if value > 1
    ]
    remedies = {
        "k_core": f"lower {' or '.join(least)}, or bring more data",
        "below_min_rating": f"lower data.min_rating ({config.min_rating})",
        OUTSTANDING_USER: f"raise data.max_user_events ({config.max_user_events}) or data.max_user_share",
    }
    # Of the events of a burst or of a pair one is always left.
    emptying = [cause for cause in dropped if cause not in (BURST, OLDER, WEAKER, REPEATED_IN_PART)]
    worst = max(emptying, key=lambda cause: dropped[cause], default="")
    return DataError(
        "interactions left after the filters",
        f"none of {report.read:,}" + (f" ({causes})" if causes else ""),
        remedies.get(worst, "bring events that are not taken back by others" if worst else "bring events"),
    )


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
        SELECT user_code, item_code, timestamp, rating, weight, price, quantity, event_type, seq
        FROM raw JOIN user_codes USING (user_id) JOIN item_codes USING (item_id)
        """
    )
    db.execute("DROP TABLE raw")


def _k_core(db: Database, config: DataConfig) -> int:
    """Drop users and items with too few interactions until all that are left have enough; returns the rounds.

    Repeats count once: a user has as many interactions as items, an item as many as users.
    """
    sides = (("user_code", "item_code", config.k_core_users), ("item_code", "user_code", config.k_core_items))
    filters = [side for side in sides if side[2] > 1]
    rounds, before = 0, -1
    while filters and (left := count(db, "kept")) != before:
        before, rounds = left, rounds + 1
        for code, other, least in filters:
            number = "count(*)" if config.repeats == "latest" else f"count(DISTINCT {other})"
            db.execute(
                f"CREATE OR REPLACE TEMP TABLE few AS SELECT {code} FROM kept GROUP BY {code} HAVING {number} < $least",
                {"least": least},
            )
            # Most of the time of a round is copying what stays, for nothing in the last round.
            if count(db, "few"):
                replace_table(db, "kept", f"SELECT * FROM kept ANTI JOIN few USING ({code})")
    return rounds


def number_rows(db: Database) -> None:
    """Make tables `users` and `items` (row number, id) of the interactions in `kept`."""
    for entity in ("user", "item"):
        db.execute(
            f"""
            CREATE TABLE {entity}s AS
            SELECT {row_numbers(entity)} AS {entity}, {entity}_id, {entity}_code
            FROM {entity}_codes SEMI JOIN kept USING ({entity}_code)
            """
        )
        db.execute(f"DROP TABLE {entity}_codes")
