"""What came of a list: events name it, what is said of lists is kept, and the served log says how each was made.

Experiments, every change of them, and who is assigned by another id than the own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns, empty in the rows there are, and the tables; nobody has experimented yet."""
    op.add_column("events", sa.Column("recommendation_id", _ID))
    op.add_column("events", sa.Column("position", sa.Integer))
    op.create_index("events_timestamp", "events", ["timestamp", "seq"])
    op.add_column("served", sa.Column("recommendation_id", _ID))
    op.add_column("served", sa.Column("details", sa.Text))
    op.create_index("served_recommendation", "served", ["recommendation_id"], unique=True)
    op.create_table(
        "list_events",
        sa.Column("seq", _NUMBER, primary_key=True),
        sa.Column("event_id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("event_type", sa.String, nullable=False),
        sa.Column("timestamp", sa.Double, nullable=False),
        sa.Column("recommendation_id", _ID),
        sa.Column("position", sa.Integer),
        sa.Column("value", sa.String),
        sa.UniqueConstraint("event_id", name="list_events_event_id"),
    )
    op.create_index("list_events_timestamp", "list_events", ["timestamp", "seq"])
    op.create_index("list_events_user", "list_events", ["user_id", "seq"])
    op.create_table(
        "removals",
        sa.Column("table_name", sa.String, primary_key=True),
        sa.Column("timestamp", sa.Double, nullable=False),
    )
    op.create_table(
        "experiments",
        sa.Column("experiment", _ID, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("updated_by", sa.Text),
    )
    op.create_table(
        "experiment_changes",
        sa.Column("version", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("experiment", _ID, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("who", sa.Text),
        sa.Column("timestamp", sa.Double, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
    )
    op.create_index("experiment_changes_experiment", "experiment_changes", ["experiment", "version"])
    op.create_table(
        "experiment_units",
        sa.Column("experiment", _ID, primary_key=True),
        sa.Column("user_id", _ID, primary_key=True),
        sa.Column("unit", _ID, nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
    )
    op.create_index("experiment_units_version", "experiment_units", ["version"])
    versions = op.create_table(
        "experiments_version", sa.Column("version", _NUMBER, primary_key=True, autoincrement=False)
    )
    op.bulk_insert(versions, [{"version": 0}])


def downgrade() -> None:
    """Drop them."""
    tables = ("experiments_version", "experiment_units", "experiment_changes", "experiments", "removals", "list_events")
    for table in tables:
        op.drop_table(table)
    op.drop_index("served_recommendation", "served")
    op.drop_column("served", "details")
    op.drop_column("served", "recommendation_id")
    op.drop_index("events_timestamp", "events")
    op.drop_column("events", "position")
    op.drop_column("events", "recommendation_id")
