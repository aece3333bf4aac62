"""Users who look at the lists of an experiment, in a shop that runs."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.support.browsing.shops import Shop
from tests.support.waiting import eventually

USERS = 90


@dataclass
class Told:
    """What was told of the lists of a variant: how many users had one, items that they saw and clicked on."""

    users: int = 0
    seen: int = 0
    clicked: int = 0


def look_at_lists(shop: Shop, key: str) -> dict[str, Told]:
    """Users get a list each, see all of it and click on its first item or first two: what is told, by variant."""
    users = [user["user_id"] for user in shop.get(f"/users?limit={USERS}")["users"]]
    by_variant: defaultdict[str, Told] = defaultdict(Told)
    for number, user in enumerate(users):
        answer = shop.get(f"/recommendations/{quote(user, safe='')}")
        (assigned,) = answer["experiments"]
        assert (assigned["experiment"], assigned["delivered"]) == (key, True)
        seen, clicked = answer["items"], answer["items"][: 1 + number % 2]
        shop.post("/events", [event(user, item, "impression", answer) for item in seen])
        shop.post("/events", [event(user, item, "click", answer) for item in clicked])
        told = by_variant[assigned["variant"]]
        told.users, told.seen, told.clicked = told.users + 1, told.seen + len(seen), told.clicked + len(clicked)
    eventually(lambda: bool(shop.get(f"/experiments/{key}/results")["observed"]["lists"] == len(users)))
    return dict(by_variant)


def event(user: str, item: dict[str, Any], kind: str, answer: dict[str, Any]) -> dict[str, Any]:
    """What the user did with an item of a list."""
    of = {"recommendation_id": answer["recommendation_id"], "position": item["rank"]}
    return {"user_id": user, "item_id": item["item_id"], "event_type": kind, **of}
