"""The orders of the synthetic shop: an event log in which what is used up is bought again.

Its users, items and first purchases are those of the reviews. Of some kinds of product a piece lasts for so many days;
whoever bought one buys the next when it is used up, more or less, until the user stops. In between items are looked at
again, and some are sent back.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recsys.core.events import SECONDS_PER_DAY
from recsys.prepare.sample.files import METADATA_FILE, read_lines, write_gzip
from recsys.prepare.sample.purchases import Purchase, simulate
from recsys.prepare.sample.records import FIRST_DAY
from recsys.prepare.sample.shop import DAYS, Item, make_items, shop_id

ORDERS_FILE = "orders_sample.csv.gz"

# Days for which a piece lasts, of the products that are used up.
LASTS = {
    "Paper Coffee Filters": 30,
    "Mat Cleaner Spray": 45,
    "Hardbound Sketchbook": 60,
    "Pigment Fineliner Pens": 75,
    "Phosphor Bronze Strings": 60,
    "Organic Potting Mix": 35,
    "Chain Lubricant": 50,
    "Merino Wool Yarn": 21,
}
KEEPS_ON = 0.8  # chance that the next piece is bought when one is used up
TWO_AT_ONCE = 0.2  # chance that a user buys two, which last twice as long
PACE, NOISE = 0.2, 0.25  # spread of users' speeds, and of the times between purchases of one user, on the log scale
LOOKED_AT_AGAIN, SENT_BACK = 0.3, 0.02  # shares of purchases
OPENS = 8 * 3600  # seconds of the day before the first order of a user


class _Event(NamedTuple):
    time: int
    user: int
    item: int
    kind: str
    quantity: int


def write_orders(
    folder: Path | str, seed: int = 0, n_users: int = 2000, n_items: int = 1000, n_reviews: int = 20000
) -> Path:
    """Write `orders_sample.csv.gz` beside the files of `write_sample`, of equal arguments; returns its path."""
    rng = np.random.default_rng(seed)
    shop = make_items(rng, seed, n_items)
    purchases, _ = simulate(rng, shop, rng.normal(0, 0.9, n_items), n_users, n_reviews)
    path = Path(folder) / ORDERS_FILE
    prices = _prices(Path(folder) / METADATA_FILE)
    # The log has randomness of its own, so that the reviews are the same with it and without.
    events = sorted(_events(np.random.default_rng([seed, 1]), shop, purchases, n_users))
    rows = [("user_id", "item_id", "event_type", "timestamp", "price", "quantity")]
    for event in events:
        asin = shop[event.item].asin
        price = prices.get(asin, "") if event.kind == "purchase" else ""
        quantity = str(event.quantity) if event.kind == "purchase" else ""
        user = "A" + shop_id("user", seed, event.user, 13)
        rows.append((user, asin, event.kind, str(event.time), price, quantity))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_gzip(path, text.getvalue().encode().splitlines())
    return path


def _events(rng: np.random.Generator, shop: list[Item], purchases: list[Purchase], n_users: int) -> Iterator[_Event]:
    """What happened, user by user."""
    pace = rng.lognormal(0, PACE, n_users)
    for number, purchase in enumerate(purchases):
        lasts = LASTS.get(shop[purchase.item].product.name, 0)
        # Purchases of one day keep their order: a minute apart.
        times = [purchase.day * SECONDS_PER_DAY + OPENS + 60 * (number % 600)]
        quantities = [_pieces(rng, lasts)]
        while lasts and rng.random() < KEEPS_ON:
            days = lasts * quantities[-1] * pace[purchase.user] * rng.lognormal(0, NOISE)
            times.append(times[-1] + int(days * SECONDS_PER_DAY))
            quantities.append(_pieces(rng, lasts))
        for time, quantity in zip(times, quantities, strict=True):
            if time < DAYS * SECONDS_PER_DAY:
                event = _Event(_since_1970(time), purchase.user, purchase.item, "purchase", quantity)
                yield event
                yield from _afterwards(rng, event, is_used_up=lasts > 0)


def _pieces(rng: np.random.Generator, lasts: int) -> int:
    return 1 + int(lasts > 0 and rng.random() < TWO_AT_ONCE)


def _afterwards(rng: np.random.Generator, event: _Event, *, is_used_up: bool) -> Iterator[_Event]:
    """What becomes of a purchase: it is looked at again, or sent back."""
    later = event.time + int(rng.integers(1, 15)) * SECONDS_PER_DAY
    if rng.random() < LOOKED_AT_AGAIN:
        yield event._replace(time=later, kind="view")
    elif not is_used_up and rng.random() < SENT_BACK:
        yield event._replace(time=later, kind="return")


def _since_1970(seconds: int) -> int:
    return int(FIRST_DAY.timestamp()) + seconds


def _prices(metadata: Path) -> dict[str, str]:
    """By item, the price that its record shows, where it is one price; damaged lines are passed over."""
    prices = {}
    for line in read_lines(metadata):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        price = str(record.get("price", ""))
        if price.startswith("$") and " - " not in price:
            prices[str(record.get("asin", ""))] = price[1:].replace(",", "")
    return prices
