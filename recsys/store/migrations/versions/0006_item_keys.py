"""Items are found by brand and price, and sorted by price and title."""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from itertools import islice
from typing import Any

import sqlalchemy as sa
from alembic import op

from recsys.store.item_keys import keys_of
from recsys.store.records import ItemRow

revision = "0006"
down_revision = "0005"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_AT_ONCE = 10_000


def upgrade() -> None:
    """Make the table of what items are listed by, of all items; it has the categories, too."""
    keys = op.create_table(
        "item_keys",
        sa.Column("catalogue", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("key", _ID, primary_key=True),
        sa.Column("position", _NUMBER, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    positions = _positions(op.get_bind())
    rows = (
        {"catalogue": catalogue, "kind": kind, "key": key, "position": position}
        for catalogue, kind, key in sorted(positions)  # in its order the table is written fast
        for position in positions[catalogue, kind, key]
    )
    while part := list(islice(rows, _AT_ONCE)):
        op.bulk_insert(keys, part)
    op.add_column("items", sa.Column("title_key", _ID))
    op.execute(
        "UPDATE items SET title_key = k.key FROM item_keys AS k "
        "WHERE k.catalogue = items.catalogue AND k.kind = 'title' AND k.position = items.position"
    )
    op.drop_table("item_categories")


def _positions(connection: sa.Connection) -> dict[tuple[int, str, str], array[int]]:
    """Positions of the items of each key, in less memory than a row for each of them takes."""
    positions: dict[tuple[int, str, str], array[int]] = defaultdict(lambda: array("q"))
    columns = "seq, catalogue, position, item_id, title, brand, categories, price"
    part = sa.text(f"SELECT {columns} FROM items WHERE seq > :seq ORDER BY seq LIMIT {_AT_ONCE}")
    seq: Any = -1
    while rows := connection.execute(part, {"seq": seq}).all():
        seq = rows[-1].seq
        for row in rows:
            item = ItemRow(row.item_id, row.title, row.brand, tuple(json.loads(row.categories)), row.price)
            for kind, key in keys_of(item):
                positions[row.catalogue, kind, key].append(row.position)
    return positions


def downgrade() -> None:
    """Go back to a table of categories."""
    op.create_table(
        "item_categories",
        sa.Column("catalogue", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("category", _ID, primary_key=True),
        sa.Column("position", _NUMBER, primary_key=True, autoincrement=False),
    )
    op.execute(
        "INSERT INTO item_categories (catalogue, category, position) "
        "SELECT catalogue, key, position FROM item_keys WHERE kind = 'category'"
    )
    op.drop_table("item_keys")
    op.drop_column("items", "title_key")
