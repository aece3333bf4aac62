"""The prepared dataset: a folder of four files, written by `prepare`, read by `prepared.PreparedDataset`.

    interactions.parquet  one row an interaction, sorted by user, then time, then file order: user, item, timestamp,
                          rating, weight and split; price and quantity too if the format has purchases, count with
                          data.repeats: count
    users.parquet         one row a user, sorted by user: the id that the raw files give the user; then a column for
                          each of data.user_attributes, null where a user has none
    items.parquet         one row an item, sorted by item: its id and its cleaned metadata, empty where there is none;
                          then a column for each of data.attributes, null where an item has none; available (false:
                          in no list) if a store says so of some; cycle too if enough users bought the same again
    manifest.json         schema version, inputs with their hashes, what was dropped and why, counts, the split, the
                          SHA-256 of the other files and the settings; written last, so that its folder is complete

`columns` names the columns and says what each means. Users and items are numbered from 0 by a hash of their ids. Equal
input and settings give equal bytes. In memory, a user's interactions are a row of `recsys.core.histories.Histories`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pyarrow as pa

from recsys.core.attributes import AttributeType, UserAttributeType
from recsys.prepare import columns as c

SCHEMA_VERSION = 2
READ_VERSIONS = (1, SCHEMA_VERSION)
"""Datasets of version 1 have no attributes of users, and are else the same."""

Repeats = Literal["latest", "count", "all"]
ItemsKept = Literal["interacted", "all"]

INTERACTIONS_SCHEMA = pa.schema(
    [
        (c.USER, pa.int32()),
        (c.ITEM, pa.int32()),
        (c.TIMESTAMP, pa.int64()),
        (c.RATING, pa.float32()),
        (c.WEIGHT, pa.float32()),
        (c.SPLIT, pa.string()),
    ]
)
PURCHASE_FIELDS = [pa.field(c.PRICE, pa.float32()), pa.field(c.QUANTITY, pa.float32())]
COUNT_FIELD = pa.field(c.COUNT, pa.int32())
USERS_SCHEMA = pa.schema([(c.USER, pa.int32()), (c.USER_ID, pa.string())])
METADATA_SCHEMA = pa.schema(
    [
        (c.ITEM_ID, pa.string()),
        (c.TITLE, pa.string()),
        (c.TEXT, pa.string()),
        (c.BRAND, pa.string()),
        (c.CATEGORIES, pa.list_(pa.string())),
        (c.PRICE, pa.float32()),
        (c.DESCRIPTION, pa.string()),
        (c.IMAGE, pa.string()),
    ]
)
CYCLE_FIELD = pa.field(c.CYCLE, pa.float32())
ATTRIBUTE_TYPES: dict[AttributeType, pa.DataType] = {
    "number": pa.float64(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "texts": pa.list_(pa.string()),
}
ITEMS_SCHEMA = pa.schema([pa.field(c.ITEM, pa.int32()), *METADATA_SCHEMA])


def user_attribute_fields(types: Mapping[str, UserAttributeType]) -> list[pa.Field]:
    """The columns of attributes of users, behind those that every users.parquet has; dates are seconds since 1970."""
    return [pa.field(name, pa.int64() if kind == "date" else ATTRIBUTE_TYPES[kind]) for name, kind in types.items()]


def attribute_fields(types: Mapping[str, AttributeType]) -> list[pa.Field]:
    """The columns of attributes, behind those that every items.parquet has."""
    return [pa.field(name, ATTRIBUTE_TYPES[kind]) for name, kind in types.items()]
