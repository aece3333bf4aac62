"""Reviews and item metadata of the synthetic shop, in the fields of the Amazon 2018 format."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from recsys.core.types import Float64Array
from recsys.prepare.sample.purchases import Purchase
from recsys.prepare.sample.shop import Item, shop_id
from recsys.prepare.sample.words import COMPLAINT, HOBBIES, NEUTRAL, PRAISE, SELLERS, STYLES

FIRST_DAY = datetime(2014, 1, 1, tzinfo=UTC)

Record = dict[str, Any]


def review_records(
    rng: np.random.Generator,
    seed: int,
    shop: list[Item],
    purchases: list[Purchase],
    taste: Float64Array,
    n_users: int,
) -> list[Record]:
    """A review of each purchase, with stars by the user, the item and how well the item matches the user's taste."""
    user_bias = rng.normal(0, 0.45, n_users)
    item_bias = rng.normal(0, 0.35, len(shop))
    records = []
    for purchase in purchases:
        item, day = shop[purchase.item], FIRST_DAY + timedelta(days=purchase.day)
        match = (taste[purchase.user, purchase.item] - 1.5) * 0.35
        score = 4.1 + user_bias[purchase.user] + item_bias[purchase.item] + match + rng.normal(0, 0.6)
        stars = float(np.clip(round(score), 1, 5))
        opinion = str(rng.choice(PRAISE if stars >= 4 else NEUTRAL if stars == 3 else COMPLAINT))
        mood, looks, color = STYLES[item.style]
        record = {
            "overall": stars,
            "vote": str(rng.integers(2, 40)),
            "verified": bool(rng.random() < 0.9),
            "reviewTime": f"{day:%m} {day.day}, {day.year}",
            "reviewerID": "A" + shop_id("user", seed, purchase.user, 13),
            "asin": item.asin,
            "style": {"Color:": f" {color}"},
            "reviewerName": f"{'ABCDEFGHJKLMNPRSTW'[purchase.user % 18]}. Customer",
            "reviewText": f"{opinion}. {item.product.use.capitalize()}. Very {mood}: {looks}.",
            "summary": opinion,
            "unixReviewTime": int(day.timestamp()),
        }
        for key, share in (("vote", 0.15), ("style", 0.6)):  # most real lines lack these
            if rng.random() >= share:
                del record[key]
        records.append(record)
    # Real files are grouped by item.
    return sorted(records, key=lambda record: (record["asin"], record["unixReviewTime"], record["reviewerID"]))


def metadata_record(rng: np.random.Generator, shop: list[Item], number: int) -> Record:
    """The metadata of one item of the shop."""
    item = shop[number]
    mood, looks, color = STYLES[item.style]
    kinds = HOBBIES[item.hobby]
    companion = kinds[(item.kind + 1) % len(kinds)].name
    price = item.product.price * float(rng.lognormal(0, 0.25))
    low, high = f"${price:,.2f}", f"${price * 1.3:,.2f}"
    prices = [low, f"{low} - {high}", "", ".a-box-inner{background-color:#fff}"]  # the last: scraped by mistake
    title = item.title.replace("&", "&amp;") if rng.random() < 0.7 else item.title
    if rng.random() < 0.02:
        title = f'<span class="a-size-medium">{title}</span>'
    return {
        "category": ["Hobby Shop", f"{item.hobby} Supplies", item.product.name],
        "tech1": "",
        "description": [
            f"{item.brand} {item.product.name} in {color.lower()}: {looks}. {item.product.use.capitalize()}.",
            f"A {mood} piece for {item.hobby.lower()}.<br />Goes well with the {item.brand} {item.style} {companion}.",
        ],
        "fit": "",
        "title": title,
        "also_buy": [],
        "image": [],
        "tech2": "",
        "brand": item.brand,
        "feature": [f"{item.style} finish", item.product.size],
        "rank": f"{rng.integers(1, 200_000):,} in {item.hobby} (",
        "also_view": [],
        "details": {"ASIN: ": item.asin},
        "main_cat": item.hobby,
        "similar_item": "",
        "date": "",
        "price": str(rng.choice(prices, p=[0.85, 0.06, 0.08, 0.01])),
        "asin": item.asin,
        **_offer(item),
    }


def _offer(item: Item) -> Record:
    """Who sells the item, how many pieces are left, and whether it is organic: what a shop's own rules may read.

    All follows from the id, so that what else is random is as it would be without it.
    """
    rng = np.random.default_rng(list(item.asin.encode()))
    stock: list[int | str] = [int(rng.integers(1, 60)), 0, ""]
    return {
        "seller": str(rng.choice(list(SELLERS), p=list(SELLERS.values()))),
        "stock": stock[rng.choice(len(stock), p=[0.9, 0.06, 0.04])],  # some sold out, of others nobody knows
        "organic": bool(rng.random() < 0.2),
    }
