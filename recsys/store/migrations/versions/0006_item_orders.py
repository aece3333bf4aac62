"""Items are found by brand and price, and sorted by price and title."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_SHORT_BRAND = sa.text("length(brand) <= 512")


def upgrade() -> None:
    """Add what titles are sorted by, and the indexes.

    The keys of titles are made where items are put, so the items of the bundle that is served are to be put again: they
    are of no version any more. Search finds them meanwhile, and sorts all of them as if they had no title.
    """
    op.add_column("items", sa.Column("title_key", _ID))
    op.execute("UPDATE catalogues SET version = ''")
    op.create_index("items_price", "items", ["catalogue", "price", "position"])
    op.create_index("items_title", "items", ["catalogue", "title_key", "position"])
    op.create_index(
        "items_brand",
        "items",
        ["catalogue", "brand", "position"],
        sqlite_where=_SHORT_BRAND,
        postgresql_where=_SHORT_BRAND,
    )


def downgrade() -> None:
    """Drop them."""
    for index in ("items_brand", "items_title", "items_price"):
        op.drop_index(index, "items")
    op.drop_column("items", "title_key")
