"""What a shop says of its items after a bundle was made, and the vectors of their texts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")

# Items that search finds change with what the shop says; the index of their words follows.
_SQLITE_SEARCH = """
    CREATE TRIGGER items_words_update AFTER UPDATE OF words ON items BEGIN
        INSERT INTO items_words (items_words, rowid, words) VALUES ('delete', old.seq, old.words);
        INSERT INTO items_words (rowid, words) VALUES (new.seq, new.words);
    END
"""


def upgrade() -> None:
    """Create the tables; nothing has been changed yet."""
    op.create_table(
        "live_items",
        sa.Column("item_id", _ID, primary_key=True),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("deleted", sa.Integer, nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
        sa.Column("first_version", _NUMBER, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("updated_by", sa.Text),
        sa.UniqueConstraint("version", name="live_items_version_of"),
    )
    versions = op.create_table(
        "live_items_version", sa.Column("version", _NUMBER, primary_key=True, autoincrement=False)
    )
    op.bulk_insert(versions, [{"version": 0}])
    op.create_table(
        "text_vectors",
        sa.Column("seq", _NUMBER, primary_key=True),
        sa.Column("encoder", sa.String, nullable=False),
        sa.Column("text_key", sa.String, nullable=False),
        sa.Column("vector", sa.LargeBinary),
        sa.Column("timestamp", sa.Double, nullable=False),
        sa.UniqueConstraint("encoder", "text_key", name="text_vectors_key"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_SQLITE_SEARCH)


def downgrade() -> None:
    """Drop them."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER items_words_update")
    for table in ("text_vectors", "live_items_version", "live_items"):
        op.drop_table(table)
