"""Events with users and views, the catalogue that search reads, and the log of what was served."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")

_VIEWS = (
    # The weighted user-item matrix. The weights are recsys.core.events.EVENT_WEIGHTS.
    """
    CREATE VIEW user_item_weights AS
    SELECT user_id, item_id,
           SUM(CASE event_type WHEN 'view' THEN 1.0 WHEN 'click' THEN 2.0 WHEN 'add_to_cart' THEN 3.0
                               WHEN 'purchase' THEN 5.0 WHEN 'rating' THEN 5.0 ELSE 0.0 END) AS weight,
           COUNT(*) AS events,
           MAX(timestamp) AS last_timestamp
    FROM events GROUP BY user_id, item_id
    """,
    # What was sold; amount is null where the price is unknown.
    """
    CREATE VIEW purchases AS
    SELECT event_id, user_id, item_id, timestamp, price, COALESCE(quantity, 1.0) AS quantity,
           price * COALESCE(quantity, 1.0) AS amount
    FROM events WHERE event_type = 'purchase'
    """,
)

# SQLite's full-text index refers to the rows of `items`; triggers keep it in step.
_SQLITE_SEARCH = (
    # A query's words are beginnings of words; of the short ones, which many words begin with, there is an index too.
    """
    CREATE VIRTUAL TABLE items_words USING fts5(
        words, content='items', content_rowid='seq', tokenize='unicode61', prefix='1 2 3'
    )
    """,
    """
    CREATE TRIGGER items_words_insert AFTER INSERT ON items BEGIN
        INSERT INTO items_words (rowid, words) VALUES (new.seq, new.words);
    END
    """,
    """
    CREATE TRIGGER items_words_delete AFTER DELETE ON items BEGIN
        INSERT INTO items_words (items_words, rowid, words) VALUES ('delete', old.seq, old.words);
    END
    """,
)
# The words are cut in Python, alike for both databases: no parser of PostgreSQL's is asked.
_POSTGRESQL_SEARCH = ("CREATE INDEX items_words ON items USING gin (array_to_tsvector(string_to_array(words, ' ')))",)


def upgrade() -> None:
    """Create all tables, views and indexes."""
    op.create_table(
        "events",
        sa.Column("seq", _NUMBER, primary_key=True),
        sa.Column("event_id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("event_type", sa.String, nullable=False),
        sa.Column("timestamp", sa.Double, nullable=False),
        sa.Column("rating", sa.Double),
        sa.Column("price", sa.Double),
        sa.Column("quantity", sa.Double),
        sa.UniqueConstraint("event_id", name="events_event_id"),
    )
    op.create_index("events_user", "events", ["user_id", "timestamp", "seq"])
    op.create_table(
        "users",
        sa.Column("user_id", _ID, primary_key=True),
        sa.Column("event_count", _NUMBER, nullable=False),
        sa.Column("first_timestamp", sa.Double, nullable=False),
        sa.Column("last_timestamp", sa.Double, nullable=False),
    )
    op.create_table(
        "catalogues",
        sa.Column("catalogue", _NUMBER, primary_key=True),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("item_count", _NUMBER, nullable=False),
        sa.Column("complete", sa.Integer, nullable=False),
    )
    op.create_table(
        "items",
        sa.Column("seq", _NUMBER, primary_key=True),
        sa.Column("catalogue", _NUMBER, nullable=False),
        sa.Column("position", _NUMBER, nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("brand", sa.Text),
        sa.Column("categories", sa.Text, nullable=False),
        sa.Column("price", sa.Double),
        sa.Column("image", sa.Text),
        sa.Column("words", sa.Text, nullable=False),
        sa.UniqueConstraint("catalogue", "item_id", name="items_item_id"),
    )
    op.create_index("items_position", "items", ["catalogue", "position"])
    op.create_table(
        "item_categories",
        sa.Column("catalogue", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("category", _ID, primary_key=True),
        sa.Column("position", _NUMBER, primary_key=True, autoincrement=False),
    )
    op.create_table(
        "served",
        sa.Column("seq", _NUMBER, primary_key=True),
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("user_id", sa.Text),
        sa.Column("timestamp", sa.Double, nullable=False),
        sa.Column("bundle_version", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("item_ids", sa.Text, nullable=False),
        sa.Column("scores", sa.Text, nullable=False),
    )
    op.create_index("served_timestamp", "served", ["timestamp", "seq"])
    search = _SQLITE_SEARCH if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL_SEARCH
    for statement in (*_VIEWS, *search):
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    for view in ("user_item_weights", "purchases"):
        op.execute(f"DROP VIEW {view}")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE items_words")
    for table in ("served", "item_categories", "items", "catalogues", "users", "events"):
        op.drop_table(table)
