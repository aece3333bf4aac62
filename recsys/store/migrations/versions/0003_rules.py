"""A shop's rules, and every change of them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables; nothing has been changed yet."""
    op.create_table(
        "rules",
        sa.Column("rule_id", _ID, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("updated_by", sa.Text),
    )
    op.create_table(
        "rule_changes",
        sa.Column("version", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("rule_id", _ID, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("who", sa.Text),
        sa.Column("timestamp", sa.Double, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
    )
    op.create_index("rule_changes_rule", "rule_changes", ["rule_id", "version"])
    versions = op.create_table("rules_version", sa.Column("version", _NUMBER, primary_key=True, autoincrement=False))
    op.bulk_insert(versions, [{"version": 0}])


def downgrade() -> None:
    """Drop them."""
    for table in ("rules_version", "rule_changes", "rules"):
        op.drop_table(table)
