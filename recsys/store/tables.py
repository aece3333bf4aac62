"""The schema, as the newest migration leaves it; a test holds the two together.

    users ◄─ kept up to date with ─ events ─► views user_item_weights, purchases
    catalogues ─ the latest complete one ─► items ─► item_keys
    events, list_events ─ name the list that they follow ─► served
    removals ─ how far back reach ─ events, list_events, served
    blurbs
    rules_version ─ counts ─► rule_changes ─ the latest of each ─► rules
    experiments_version ─ counts ─► experiment_changes ─ the latest of each ─► experiments, experiment_units
    live_items_version ─ counts the changes of ─► live_items ─ change ─► items
    text_vectors
    user_attributes
    persons_version ─ counts the changes of ─► tombstones, aliases ─ say whose ─► events, served

Ids are compared by code point ("C" collation), so both databases list them in the same order.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
SCHEMA_VERSION = "0007"  # of the newest migration

# SQLite numbers rows by itself only in a column of type INTEGER, which holds 64 bits there.
Number = BigInteger().with_variant(Integer(), "sqlite")
Id = String().with_variant(String(collation="C"), "postgresql")

EVENTS = Table(
    "events",
    metadata,
    Column("seq", Number, primary_key=True),  # order of arrival; decides ties in time
    Column("event_id", Id, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("item_id", Id, nullable=False),
    Column("event_type", String, nullable=False),
    Column("timestamp", Double, nullable=False),  # seconds since 1970
    Column("rating", Double),
    Column("price", Double),
    Column("quantity", Double),
    Column("recommendation_id", Id),  # of the list that led to it; NULL: nobody said
    Column("position", Integer),  # of the item in that list, from 1
    UniqueConstraint("event_id", name="events_event_id"),
    Index("events_user", "user_id", "timestamp", "seq"),
    Index("events_timestamp", "timestamp", "seq"),
)

# What is told of lists and says nothing of anybody's taste: a table of its own, from which no history is read.
LIST_EVENTS = Table(
    "list_events",
    metadata,
    Column("seq", Number, primary_key=True),  # order of arrival
    Column("event_id", Id, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("item_id", Id, nullable=False),
    Column("event_type", String, nullable=False),
    Column("timestamp", Double, nullable=False),  # seconds since 1970
    Column("recommendation_id", Id),
    Column("position", Integer),
    Column("value", String),  # what a feedback says
    UniqueConstraint("event_id", name="list_events_event_id"),
    Index("list_events_timestamp", "timestamp", "seq"),
    Index("list_events_user", "user_id", "seq"),
)

USERS = Table(
    "users",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("event_count", Number, nullable=False),
    Column("first_timestamp", Double, nullable=False),
    Column("last_timestamp", Double, nullable=False),
)

CATALOGUES = Table(
    "catalogues",
    metadata,
    Column("catalogue", Number, primary_key=True),
    Column("version", String, nullable=False),
    Column("item_count", Number, nullable=False),
    Column("complete", Integer, nullable=False),  # 0 while it is being filled; search reads the latest complete one
)

ITEMS = Table(
    "items",
    metadata,
    Column("seq", Number, primary_key=True),  # the full-text index of SQLite refers to it
    Column("catalogue", Number, nullable=False),
    Column("position", Number, nullable=False),
    Column("item_id", Id, nullable=False),
    Column("title", Text),
    Column("brand", Text),
    Column("categories", Text, nullable=False),  # JSON list
    Column("price", Double),
    Column("image", Text),
    Column("words", Text, nullable=False),  # what search finds the item by, separated by single spaces
    Column("title_key", Id),  # what the item is sorted by where it is sorted by title
    UniqueConstraint("catalogue", "item_id", name="items_item_id"),
    Index("items_position", "catalogue", "position"),
)

# What items are listed by, in the order of lists. A table of its own, which is filled in its order: an index of `items`
# would be filled at random places, and writes many times as much.
ITEM_KEYS = Table(
    "item_keys",
    metadata,
    Column("catalogue", Number, primary_key=True, autoincrement=False),
    Column("kind", String, primary_key=True),  # category, brand, price, title; no price, no title
    Column("key", Id, primary_key=True),  # see recsys.store.item_keys
    Column("position", Number, primary_key=True, autoincrement=False),  # of the item
    sqlite_with_rowid=False,
)

SERVED = Table(
    "served",
    metadata,
    Column("seq", Number, primary_key=True),
    Column("request_id", String, nullable=False),
    Column("user_id", Text),
    Column("timestamp", Double, nullable=False),
    Column("bundle_version", String, nullable=False),
    Column("model", String, nullable=False),
    Column("item_ids", Text, nullable=False),  # JSON list, in the order shown
    Column("scores", Text, nullable=False),  # JSON list
    Column("recommendation_id", Id),  # NULL in rows of before schema 0007
    Column("details", Text),  # JSON object, see recsys.store.records.ListDetails
    Index("served_timestamp", "timestamp", "seq"),
    Index("served_user", "user_id", "seq"),
    Index("served_recommendation", "recommendation_id", unique=True),
)

# Of each table from which rows go once they have been kept for long enough: the latest time of one that went.
REMOVALS = Table(
    "removals",
    metadata,
    Column("table_name", String, primary_key=True),
    Column("timestamp", Double, nullable=False),  # seconds since 1970
)

BLURBS = Table(
    "blurbs",
    metadata,
    Column("seq", Number, primary_key=True),  # order of arrival
    Column("item_id", Id, nullable=False),
    Column("bundle_version", String, nullable=False),
    Column("prompt_version", String, nullable=False),
    Column("language", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("timestamp", Double, nullable=False),  # seconds since 1970, when it was written
    UniqueConstraint("item_id", "bundle_version", "prompt_version", "language", name="blurbs_key"),
)

# Of one row: how many changes of rules there have been. Who changes rules locks it first, so they come one by one.
RULES_VERSION = Table("rules_version", metadata, Column("version", Number, primary_key=True, autoincrement=False))

RULES = Table(
    "rules",
    metadata,
    Column("rule_id", Id, primary_key=True),
    Column("body", Text, nullable=False),  # JSON; the store does not know what it means
    Column("version", Number, nullable=False),  # of the change that made it what it is
    Column("updated_at", Double, nullable=False),  # seconds since 1970
    Column("updated_by", Text),
)

RULE_CHANGES = Table(
    "rule_changes",
    metadata,
    Column("version", Number, primary_key=True, autoincrement=False),  # of all rules, from this change on
    Column("rule_id", Id, nullable=False),
    Column("action", String, nullable=False),  # created, replaced or deleted
    Column("who", Text),
    Column("timestamp", Double, nullable=False),  # seconds since 1970
    Column("before", Text),  # bodies
    Column("after", Text),
    Index("rule_changes_rule", "rule_id", "version"),
)

# Of one row: how many changes of experiments and their units there have been; as of `RULES_VERSION`.
EXPERIMENTS_VERSION = Table(
    "experiments_version", metadata, Column("version", Number, primary_key=True, autoincrement=False)
)

EXPERIMENTS = Table(
    "experiments",
    metadata,
    Column("experiment", Id, primary_key=True),  # its key
    Column("body", Text, nullable=False),  # JSON; the store does not know what it means
    Column("version", Number, nullable=False),  # of the change that made it what it is
    Column("updated_at", Double, nullable=False),  # seconds since 1970
    Column("updated_by", Text),
)

EXPERIMENT_CHANGES = Table(
    "experiment_changes",
    metadata,
    Column("version", Number, primary_key=True, autoincrement=False),
    Column("experiment", Id, nullable=False),
    Column("action", String, nullable=False),  # created, replaced or deleted
    Column("who", Text),
    Column("timestamp", Double, nullable=False),  # seconds since 1970
    Column("before", Text),  # bodies
    Column("after", Text),
    Index("experiment_changes_experiment", "experiment", "version"),
)

# Users whom an experiment assigns by another id: by the anonymous one that it assigned before they were known.
EXPERIMENT_UNITS = Table(
    "experiment_units",
    metadata,
    Column("experiment", Id, primary_key=True),
    Column("user_id", Id, primary_key=True),
    Column("unit", Id, nullable=False),
    Column("version", Number, nullable=False),  # of the change that made it what it is
    Index("experiment_units_version", "version"),
)

# Of one row: how many changes of items there have been; as of `RULES_VERSION`.
LIVE_ITEMS_VERSION = Table(
    "live_items_version", metadata, Column("version", Number, primary_key=True, autoincrement=False)
)

LIVE_ITEMS = Table(
    "live_items",
    metadata,
    Column("item_id", Id, primary_key=True),
    Column("fields", Text, nullable=False),  # JSON object
    Column("deleted", Integer, nullable=False),  # 1: the shop has taken it away
    Column("version", Number, nullable=False),  # of the change that made it what it is
    Column("first_version", Number, nullable=False),  # of its first change
    Column("since", Double, nullable=False),  # seconds since 1970, when that was
    Column("updated_at", Double, nullable=False),
    Column("updated_by", Text),
    UniqueConstraint("version", name="live_items_version_of"),
)

TEXT_VECTORS = Table(
    "text_vectors",
    metadata,
    Column("seq", Number, primary_key=True),  # order of arrival
    Column("encoder", String, nullable=False),
    Column("text_key", String, nullable=False),
    Column("vector", LargeBinary),  # little-endian float32; NULL while somebody computes it
    Column("timestamp", Double, nullable=False),  # seconds since 1970, when it was kept, or somebody began
    UniqueConstraint("encoder", "text_key", name="text_vectors_key"),
)

USER_ATTRIBUTES = Table(
    "user_attributes",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("attributes", Text, nullable=False),  # JSON object; empty without consent
    Column("consent", Integer, nullable=False),  # 1: the user agrees to their being kept
    Column("updated_at", Double, nullable=False),  # seconds since 1970
    Column("updated_by", Text),
)

TOMBSTONES = Table(
    "tombstones",
    metadata,
    Column("user_hash", String, primary_key=True),  # SHA-256 of the id
    Column("timestamp", Double, nullable=False),  # what the user did until then is to be forgotten
    Column("version", Number, nullable=False),  # of the change that made it what it is
    Index("tombstones_version", "version"),
)

ALIASES = Table(
    "aliases",
    metadata,
    Column("alias_id", Id, primary_key=True),
    Column("since", Double, primary_key=True),
    Column("until", Double, nullable=False),  # what the alias did after `since` and up to it is the user's
    Column("user_id", Id, nullable=False),
    Column("version", Number, nullable=False),
    Index("aliases_user", "user_id"),
    Index("aliases_version", "version"),
)

# Of one row: how many changes of tombstones and aliases there have been; as of `RULES_VERSION`.
PERSONS_VERSION = Table("persons_version", metadata, Column("version", Number, primary_key=True, autoincrement=False))
