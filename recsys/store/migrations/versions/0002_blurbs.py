"""Blurbs that a language model wrote."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "blurbs",
        sa.Column("seq", _NUMBER, primary_key=True),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("bundle_version", sa.String, nullable=False),
        sa.Column("prompt_version", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("timestamp", sa.Double, nullable=False),
        sa.UniqueConstraint("item_id", "bundle_version", "prompt_version", "language", name="blurbs_key"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("blurbs")
