"""What in the finished tables may surprise their owner: one user or item with a large part of all, ids much alike."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.core.attributes import STOCK
from recsys.prepare.engine.staging import Database, count, one_value

# An outstanding user or item has this share of all interactions, and so many times the median.
OUTSTANDING_SHARE = {"user": 0.05, "item": 0.2}
OUTSTANDING_TIMES = 10


@dataclass(frozen=True)
class Outstanding:
    """A user or an item with far more interactions than others."""

    entity: str
    id: str
    interactions: int
    share: float


@dataclass(frozen=True)
class AlikeIds:
    """How many ids of users or items differ from another in case, blanks, unseen characters or form alone; and two."""

    entity: str
    count: int
    example: tuple[str, str]


def outstanding(db: Database) -> list[Outstanding]:
    """The user and the item with most interactions in table `interactions`, where they stand out."""
    entries = []
    total = count(db, "interactions")
    for entity, least in OUTSTANDING_SHARE.items():
        row, most, median = db.execute(
            f'SELECT arg_max("{entity}", n), max(n), median(n) FROM'
            f' (SELECT "{entity}", count(*) AS n FROM interactions GROUP BY "{entity}")'
        ).fetchall()[0]
        if most >= least * total and most >= OUTSTANDING_TIMES * median:
            name = one_value(db, f'SELECT {entity}_id FROM {entity}s WHERE "{entity}" = $row', row=row)
            entries.append(Outstanding(entity, name, most, most / total))
    return entries


def alike_ids(db: Database) -> list[AlikeIds]:
    """Ids in tables `users` and `items` that read alike, see `AlikeIds`."""
    alike: list[AlikeIds] = []
    for entity in ("user", "item"):
        # Unseen characters (Cf: zero width spaces, marks of direction) stand in no text of ASCII, as most ids are.
        seen = f"CASE WHEN strlen({entity}_id) = length({entity}_id) THEN {entity}_id"
        seen += f" ELSE regexp_replace({entity}_id, '\\p{{Cf}}', '', 'g') END"
        plain = f"nfc_normalize(lower(replace({seen}, ' ', '')))"
        # Hashes tell soon that there are none, as nearly always.
        extra = int(one_value(db, f"SELECT count(*) - count(DISTINCT hash({plain})) FROM {entity}s"))
        if extra:
            example = db.execute(
                f"SELECT min({entity}_id), max({entity}_id) FROM {entity}s GROUP BY {plain} HAVING count(*) > 1"
                " ORDER BY ALL LIMIT 1"
            ).fetchall()
            alike += [AlikeIds(entity, extra, row) for row in example]
    return alike


def items_without_title(db: Database) -> int:
    """How many items have a record in table `metadata` without a title."""
    return count(db, "metadata WHERE coalesce(title, '') = ''")


def items_sold_out(db: Database) -> int:
    """How many items have a record in table `metadata` with a stock, and none left; the table has such a column."""
    return count(db, f"metadata WHERE {STOCK} <= 0")
