"""Logs in JSON lines: Google Analytics 4, Gorse, Metarank."""

from __future__ import annotations

from typing import Any

from tests.support.platforms.platform import HOUR, ITEMS, START, USERS, Platform, item, lines, seconds, user, when

_GA4_TYPES = ("purchase", "add_to_cart", "view_item_list", *["view_item"] * 7)


def _ga4(k: int) -> dict[str, Any]:
    """An event; a purchase has two items, a list of four that were shown is none of ours."""
    kind = _GA4_TYPES[k % 10]
    numbers = {"purchase": 2, "view_item_list": 4}.get(kind, 1)
    return {
        "event_date": when(k, "%Y%m%d"),
        "event_timestamp": str(seconds(k) * 10**6 + k),
        "event_name": kind,
        "event_params": [{"key": "ga_session_id", "value": {"int_value": str(k)}}],
        "user_pseudo_id": f"{1234567890 + user(k)}.{1600000000 + user(k)}",
        "items": [
            {
                "item_id": f"{500 + (item(k) + n) % ITEMS}",
                "item_name": f"Mug {(item(k) + n) % ITEMS}",
                "item_brand": "Holm",
                "item_category": "Kitchen",
                "price": (item(k) + n) % ITEMS + 0.5,
                "quantity": 1,
            }
            for n in range(numbers)
        ],
    }


# What every shop's log is full of: events without items.
_PAGES = [
    {
        "event_date": when(k, "%Y%m%d"),
        "event_timestamp": str(seconds(k) * 10**6),
        "event_name": "page_view",
        "event_params": [],
        "user_pseudo_id": f"{1234567890 + user(k)}.{1600000000 + user(k)}",
        "items": [],
    }
    for k in range(20)
]
GA4 = Platform(
    name="ga4",
    files={"events_20200913.json": lines([*map(_ga4, range(60)), *_PAGES])},
    types={"view": 42, "add_to_cart": 6, "purchase": 12},
    dropped={"ignored_event_type": 24, "no_entries": 20},
    users=USERS,
    items=ITEMS,
    facts={"503": {"title": "Mug 3", "brand": "Holm", "categories": ["Kitchen"], "price": 3.5}},
)

_FEEDBACK = [
    {
        "FeedbackType": ("star", "read", "read", "buy")[k % 4],
        "UserId": f"u{user(k)}",
        "ItemId": f"i{item(k)}",
        "Timestamp": when(k, "%Y-%m-%dT%H:%M:%SZ"),
        "Comment": "",
    }
    for k in range(60)
]
# Gorse keeps a time of the year 1 where it was given none.
_FEEDBACK[59]["Timestamp"] = "0001-01-01T00:00:00Z"
GORSE = Platform(
    name="gorse",
    files={
        "feedback.jsonl": lines(_FEEDBACK),
        "items.jsonl": lines(
            {
                "ItemId": f"i{n}",
                "IsHidden": False,
                "Categories": ["kitchen", "mugs"],
                "Timestamp": when(n, "%Y-%m-%dT%H:%M:%SZ"),
                "Labels": {"colour": "blue"},
                "Comment": f"Mug {n}",
            }
            for n in range(ITEMS)
        ),
    },
    types={"view": 30, "click": 15, "purchase": 14},
    dropped={"time_too_early": 1},
    users=USERS,
    items=ITEMS,
    facts={"i3": {"title": "Mug 3", "categories": ["kitchen", "mugs"]}},
    uninspected=("metadata_columns", "event_types"),
)

# What the first command of the config takes out of the events.
METARANK = Platform(
    name="metarank",
    files={
        "interactions.jsonl": lines(
            {
                "event": "interaction",
                "id": f"event-{k}",
                "ranking": f"ranking-{k // 2}",
                "timestamp": str((START + HOUR * k) * 1000),
                "user": f"user{user(k)}",
                "session": f"session{k // 3}",
                "type": ("purchase", "like", "click", "click", "click")[k % 5],
                "item": f"item{item(k)}",
                "fields": [{"name": "count", "value": 1}],
            }
            for k in range(60)
        ),
        "items.jsonl": lines({"item_id": f"item{n}", "title": f"Socks {n}", "price": n + 0.5} for n in range(ITEMS)),
    },
    types={"click": 48, "purchase": 12},
    users=USERS,
    items=ITEMS,
    facts={"item3": {"title": "Socks 3", "price": 3.5}},
    uninspected=("event_id",),
)
