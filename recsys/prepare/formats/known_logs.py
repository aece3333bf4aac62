"""Event logs that many have, told by the names of their columns: all that are required together, never by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from recsys.core.events import PURCHASE, RATING
from recsys.prepare import columns as c
from recsys.prepare.mapping_settings import GROUP, IGNORE


@dataclass(frozen=True)
class KnownLog:
    """A kind of event log.

    Attributes:
        name: whose it is, in words.
        columns: our names -> its names, or paths.
        required: those of its names by which it is known, whatever their case.
        event_type: of every row, where it has no column of types.
        event_types: its types -> ours, for those that no setting knows.
        rating_range: the scale of its ratings, where it is another than the default of `data.rating_range`.
    """

    name: str
    columns: Mapping[str, str]
    required: frozenset[str]
    event_type: str | None = None
    event_types: Mapping[str, str] = field(default_factory=dict)
    rating_range: tuple[float, float] | None = None

    def fits(self, find: Callable[[str], str | None]) -> bool:
        """Whether a file has all required names; `find` gives the name in the file, None where there is none."""
        return all(find(name) is not None for name in self.required)


_GORSE_TYPES = {"read": "view", "cart": "add_to_cart", "buy": PURCHASE}
KNOWN_LOGS = (
    KnownLog(
        "RetailRocket's events",
        {c.USER_ID: "visitorid", c.ITEM_ID: "itemid", c.EVENT_TYPE: "event", c.TIMESTAMP: "timestamp"},
        frozenset({"timestamp", "visitorid", "event", "itemid"}),
        event_types={"addtocart": "add_to_cart", "transaction": PURCHASE},
    ),
    KnownLog(
        "REES46's events",
        {c.USER_ID: "user_id", c.ITEM_ID: "product_id", c.EVENT_TYPE: "event_type", c.TIMESTAMP: "event_time"},
        frozenset({"event_time", "event_type", "product_id", "category_code", "price", "user_id"}),
        event_types={"cart": "add_to_cart"},
    ),
    KnownLog(
        "H&M's transactions",
        {c.USER_ID: "customer_id", c.ITEM_ID: "article_id", c.TIMESTAMP: "t_dat", c.PRICE: "price"},
        frozenset({"t_dat", "customer_id", "article_id"}),
        event_type=PURCHASE,
    ),
    KnownLog(
        "UCI's Online Retail",
        {c.USER_ID: "CustomerID", c.ITEM_ID: "StockCode", c.TIMESTAMP: "InvoiceDate"}
        | {c.PRICE: "UnitPrice", c.QUANTITY: "Quantity"},
        frozenset({"InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"}),
        event_type=PURCHASE,
    ),
    KnownLog(
        "UCI's Online Retail II",
        {c.USER_ID: "Customer ID", c.ITEM_ID: "StockCode", c.TIMESTAMP: "InvoiceDate"}
        | {c.PRICE: "Price", c.QUANTITY: "Quantity"},
        frozenset({"Invoice", "StockCode", "Quantity", "InvoiceDate", "Price", "Customer ID"}),
        event_type=PURCHASE,
    ),
    KnownLog(
        "Shopify's orders",
        {c.USER_ID: "Email", c.ITEM_ID: "Lineitem sku", c.TIMESTAMP: "Created at"}
        | {c.PRICE: "Lineitem price", c.QUANTITY: "Lineitem quantity", GROUP: "Name"},
        frozenset({"Name", "Email", "Created at", "Lineitem quantity", "Lineitem price", "Lineitem sku"}),
        event_type=PURCHASE,
    ),
    KnownLog(
        "Google Analytics 4's events",
        {c.USER_ID: "user_pseudo_id", c.ITEM_ID: "items[].item_id", c.EVENT_TYPE: "event_name"}
        | {c.TIMESTAMP: "event_timestamp", c.PRICE: "items[].price", c.QUANTITY: "items[].quantity"},
        frozenset({"event_timestamp", "event_name", "user_pseudo_id", "items"}),
        event_types={"view_item": "view", "select_item": "click", "refund": "refund"}
        | dict.fromkeys(("view_item_list", "view_promotion", "view_cart", "begin_checkout"), IGNORE)
        | dict.fromkeys(("select_promotion", "add_shipping_info", "add_payment_info", "add_to_wishlist"), IGNORE),
    ),
    KnownLog(
        "Gorse's feedback",
        {c.USER_ID: "UserId", c.ITEM_ID: "ItemId", c.EVENT_TYPE: "FeedbackType", c.TIMESTAMP: "Timestamp"},
        frozenset({"FeedbackType", "UserId", "ItemId", "Timestamp"}),
        event_types=_GORSE_TYPES,
    ),
    KnownLog(
        "Gorse's feedback",
        {c.USER_ID: "user_id", c.ITEM_ID: "item_id", c.EVENT_TYPE: "feedback_type", c.TIMESTAMP: "time_stamp"},
        frozenset({"feedback_type", "user_id", "item_id", "time_stamp"}),
        event_types=_GORSE_TYPES,
    ),
    KnownLog(
        "MovieLens' ratings",
        {c.USER_ID: "userId", c.ITEM_ID: "movieId", c.RATING: "rating", c.TIMESTAMP: "timestamp"},
        frozenset({"userId", "movieId", "rating", "timestamp"}),
        event_type=RATING,
        rating_range=(0.5, 5.0),
    ),
    KnownLog(
        "Amazon's ratings of 2023",
        {c.USER_ID: "user_id", c.ITEM_ID: "parent_asin", c.RATING: "rating", c.TIMESTAMP: "timestamp"},
        frozenset({"user_id", "parent_asin", "rating", "timestamp"}),
        event_type=RATING,
    ),
)
