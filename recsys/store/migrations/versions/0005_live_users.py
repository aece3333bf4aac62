"""What a shop says of its users, whom it has forgotten, and which ids are one person's."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables; nobody has been changed yet. What was shown to one user is found by an index from now on."""
    op.create_table(
        "user_attributes",
        sa.Column("user_id", _ID, primary_key=True),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("consent", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("updated_by", sa.Text),
    )
    op.create_table(
        "tombstones",
        sa.Column("user_hash", sa.String, primary_key=True),
        sa.Column("timestamp", sa.Double, nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
    )
    op.create_index("tombstones_version", "tombstones", ["version"])
    op.create_table(
        "aliases",
        sa.Column("alias_id", _ID, primary_key=True),
        sa.Column("since", sa.Double, primary_key=True),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
    )
    op.create_index("aliases_user", "aliases", ["user_id"])
    op.create_index("aliases_version", "aliases", ["version"])
    versions = op.create_table("persons_version", sa.Column("version", _NUMBER, primary_key=True, autoincrement=False))
    op.bulk_insert(versions, [{"version": 0}])
    op.create_index("served_user", "served", ["user_id", "seq"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("served_user", "served")
    for table in ("persons_version", "aliases", "tombstones", "user_attributes"):
        op.drop_table(table)
