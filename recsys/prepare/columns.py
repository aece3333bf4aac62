"""Every column name of the prepared dataset, defined once; `schema` says which file has which."""

USER = "user"  # int32 row number in users.parquet; carries no meaning, never a feature
ITEM = "item"  # int32 row number in items.parquet; carries no meaning, never a feature
TIMESTAMP = "timestamp"  # int64, seconds since 1970
RATING = "rating"  # float32, null where the raw data has none
WEIGHT = "weight"  # float32, weight of the event type (1 for a review)
SPLIT = "split"  # "train" | "validation" | "test"
PRICE = "price"  # float32, null where unknown; of items, and of interactions if the format has purchases
QUANTITY = "quantity"  # float32, null where the raw data has none
COUNT = "count"  # int32, events that an interaction stands for; only with data.repeats: count

USER_ID = "user_id"  # the raw data's id of a user
ITEM_ID = "item_id"  # the raw data's id of an item
TITLE = "title"
TEXT = "text"  # what the text encoder reads: title, brand, categories, description
BRAND = "brand"
CATEGORIES = "categories"  # list of strings, from general to specific
DESCRIPTION = "description"
IMAGE = "image"
CYCLE = "cycle"  # float32, days between purchases of an item; null: too few repeat; only if some do

# Not in the dataset, but in the tables it is made from.
EVENT_TYPE = "event_type"  # of an event log, mapped to WEIGHT by data.event_weights
EVENT_ID = "event_id"  # the raw data's id of an event, null where it has none
FIELD, VALUE = "field", "value"  # what rows with a time tell of an item or a user: one field and its value, as text
SEQ = "seq"  # int64, order of the inputs and of the lines in them, which decides ties in time

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)

INTERACTIONS_FILE = "interactions.parquet"
USERS_FILE = "users.parquet"
ITEMS_FILE = "items.parquet"
MANIFEST_FILE = "manifest.json"

# Of the file of recommendations that evaluation writes.
RANK, SCORE = "rank", "score"
