"""Every column name of the prepared dataset, defined once."""

USER = "user"  # int32 row number in users.parquet; carries no meaning, never a feature
ITEM = "item"  # int32 row number in items.parquet; carries no meaning, never a feature
TIMESTAMP = "timestamp"  # int64, seconds since 1970
RATING = "rating"  # float32, null where the source has none
WEIGHT = "weight"  # float32, weight of the event type (1 for a review)
SPLIT = "split"  # "train" | "validation" | "test"
PRICE = "price"  # float32, null where unknown; in items.parquet and, for event logs, per interaction
QUANTITY = "quantity"  # float32, null where the source has none

USER_ID = "user_id"  # the source's id of a user
ITEM_ID = "item_id"  # the source's id of an item
TITLE = "title"
TEXT = "text"  # what the text encoder reads: title, brand, categories, description
BRAND = "brand"
CATEGORIES = "categories"  # list of strings, from general to specific
DESCRIPTION = "description"
IMAGE = "image"

EVENT_TYPE = "event_type"  # of an event log, mapped to WEIGHT by the config

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)

INTERACTIONS_FILE = "interactions.parquet"
USERS_FILE = "users.parquet"
ITEMS_FILE = "items.parquet"
MANIFEST_FILE = "manifest.json"

# Of the recommendation file written by evaluate.py
RANK, SCORE = "rank", "score"
