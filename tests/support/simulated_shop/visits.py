"""Shoppers who visit: they ask a server for a list, look at it from the top, and tell what they see, click and buy."""

from __future__ import annotations

import time
import urllib.error
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

import numpy as np

from tests.support.server_processes import Response, get, post
from tests.support.simulated_shop.counts import Counts, ListCount
from tests.support.simulated_shop.shop import SimulatedShop
from tests.support.waiting import START_TIMEOUT_S

K = 10
LOOKS_ON = 0.85  # chance that a shopper who has seen an item looks at the next one
IN_CART, BOUGHT = 0.4, 0.5  # of what was clicked; of what is in the cart
ORGANIC = 2  # things that a visitor does without a list


@dataclass
class Visits:
    """The visits of all shoppers to one server, which may be killed and started again meanwhile.

    Whatever is not acknowledged is sent again, under the same ids, until it is.

    Attributes:
        shop: whose shoppers these are.
        url: gives the address of the server as it is now.
        counts: what they did.
        k: items of a list.
        query: more of each request, such as a scenario.
        now: the time of the server's machine, in seconds since 1970.
    """

    shop: SimulatedShop
    url: Callable[[], str]
    counts: Counts = field(default_factory=Counts)
    k: int = K
    query: str = ""
    now: Callable[[], float] = time.time

    def visit(self, user: int, day: int, number: int = 0) -> None:
        """One visit on a day of the loop: some browsing without a list, then a list; `number` tells visits apart."""
        rng = np.random.default_rng([self.shop.seed, 5, user, day + 10_000, number])
        self._browse(user, day, number)
        user_id = self.shop.user_id(user)
        answer = self._until(200, lambda url: get(f"{url}/recommendations/{user_id}?k={self.k}{self.query}")).json()
        name, moment = answer["recommendation_id"], self.now()
        listed = [item["item_id"] for item in answer["items"]]
        variants = {given["experiment"]: given["variant"] for given in answer.get("experiments", [])}
        count = self.counts.lists[name] = ListCount(user_id, day, variants, answer["bundle"]["version"], len(listed))
        events = self._looked_at(user, day, listed, rng)
        for place, event in enumerate(events):
            moment += 1.0
            event |= {
                "event_id": f"{name}-{place}",
                "user_id": user_id,
                "timestamp": moment,
                "recommendation_id": name,
            }
        self.tell(events)
        for event in events:
            count.take(event)

    def tell(self, events: Sequence[dict[str, Any]]) -> None:
        """Send events until they are acknowledged, and count them."""
        if not events:
            return
        self._until(200, lambda url: post(f"{url}/events", list(events)))
        for event in events:
            self.counts.told[event["event_type"], "recommendation_id" in event] += 1
            self.counts.event_ids.add(event["event_id"])

    def _browse(self, user: int, day: int, number: int) -> None:
        actions = self.shop.browsing(user, day, ORGANIC)
        self.tell(
            [
                {
                    "event_id": f"organic-{user}-{day}-{number}-{place}",
                    "user_id": action.user_id,
                    "item_id": action.item_id,
                    "event_type": action.event_type,
                    "timestamp": action.timestamp,
                    "price": action.price,
                }
                for place, action in enumerate(actions)
            ]
        )

    def _looked_at(self, user: int, day: int, listed: Sequence[str], rng: np.random.Generator) -> list[dict[str, Any]]:
        """What a shopper does with a list: an event for each thing, without ids and times."""
        chances = self.shop.chances(user, day)
        events: list[dict[str, Any]] = []
        for position, item_id in enumerate(listed, start=1):
            row = self.shop.rows[item_id]
            of_item = {"item_id": item_id, "position": position}
            events.append({**of_item, "event_type": "impression"})
            # Drawn by item, not by place: shoppers like an item no better in another list.
            clicks, carts, buys = np.random.default_rng(
                [self.shop.seed, 6, user, day + 10_000, zlib.crc32(item_id.encode())]
            ).random(3)
            if clicks < chances[row]:
                events.append({**of_item, "event_type": "click"})
                if carts < IN_CART:
                    events.append({**of_item, "event_type": "add_to_cart"})
                    if buys < BOUGHT:
                        paid = {"price": float(self.shop.prices[row]), "quantity": 1.0}
                        events.append({**of_item, "event_type": "purchase", **paid})
            if rng.random() > LOOKS_ON:
                break
        return events

    def _until(self, status: int, ask: Callable[[str], Response]) -> Response:
        """Ask until the answer has this status; a server that is gone, or starts, is asked again.

        Raises:
            AssertionError: the server refuses what is asked, or is gone for too long.
        """
        give_up = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                response = ask(self.url())
            except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
                trouble: object = error
            else:
                if response.status == status:
                    return response
                trouble = f"{response.status} {response.body[:500]!r}"
                assert response.status in (429, 500, 502, 503), trouble
            assert time.monotonic() < give_up, trouble
            time.sleep(0.05)
