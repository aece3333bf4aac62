"""A synthetic shop: raw files in the exact Amazon 2018 format, from a seed.

Every item belongs to a product line (hobby, brand, style); a line has one item of each kind of product, in the order
in which people buy them. What is bought next follows from that:

- sequence: often the next kind of product of the hobby, mostly of the same line, style or brand as the last one;
- taste: else an item of one of the user's hobbies, drawn by popularity, preferred style and preferred brands;
- text: titles and descriptions name hobby, brand, style, kind and what goes with it;
- ratings: user bias + item bias + match with the user's taste + noise.

Some lines are dirty in the ways that real files are.

    recsys sample OUT_DIR
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from recsys.core.types import Float64Array
from recsys.prepare.sample_words import (
    BRANDS,
    BRANDS_PER_HOBBY,
    COMPLAINT,
    HOBBIES,
    NEUTRAL,
    PRAISE,
    STYLES,
    ProductType,
)

REVIEWS_FILE = "reviews_sample.json.gz"
METADATA_FILE = "meta_sample.json.gz"

FIRST_DAY = datetime(2014, 1, 1, tzinfo=UTC)
DAYS = 1700
FOLLOW_UP = 0.5  # chance that a purchase follows up the one before
WHIM = 0.08  # chance that it is drawn by popularity alone
STYLE_MATCH, BRAND_MATCH = 1.5, 1.0  # log-odds that a preferred style, a preferred brand add
SAME_STYLE, SAME_BRAND = 2.5, 1.5  # log-odds that a follow-up has the style, the brand of the item it follows
LATE_LAUNCHES = 0.05  # share of items that appear in the last fifth of the time

Record = dict[str, Any]


@dataclass(frozen=True)
class _Item:
    asin: str
    hobby: str
    brand: str
    style: str
    edition: int  # 1, then 2, 3 … where a shop has more lines than brands and styles
    kind: int  # position of the product type in HOBBIES[hobby]
    launch: int  # first day on sale

    @property
    def product(self) -> ProductType:
        return HOBBIES[self.hobby][self.kind]

    @property
    def title(self) -> str:
        series = f" Series {self.edition}" if self.edition > 1 else ""
        return f"{self.brand}{series} {self.style} {self.product.name}, {self.product.size}"


@dataclass(frozen=True)
class _Purchase:
    user: int
    item: int
    day: int


def write_sample(
    folder: Path | str, seed: int = 0, n_users: int = 2000, n_items: int = 1000, n_reviews: int = 20000
) -> tuple[Path, Path]:
    """Write `reviews_sample.json.gz` and `meta_sample.json.gz` into `folder`; equal arguments give equal bytes.

    Args:
        folder: made if missing.
        seed: of everything random.
        n_users: of the shop.
        n_items: of the shop; some have no review or no metadata, others have metadata alone.
        n_reviews: distinct (user, item) pairs; the file has about 1% more lines, repeated or damaged ones.

    Returns:
        The paths of the reviews and of the metadata.
    """
    rng = np.random.default_rng(seed)
    shop = _make_items(rng, seed, n_items)
    popularity = rng.normal(0, 0.9, n_items)
    purchases, taste = _simulate(rng, shop, popularity, n_users, n_reviews)
    reviews = _reviews(rng, seed, shop, purchases, taste, n_users)
    without_metadata = set(rng.choice(n_items, n_items // 100, replace=False).tolist())
    never_sold = _make_items(rng, seed + 1_000_003, n_items // 33)
    metadata = [_metadata(rng, shop, i) for i in range(n_items) if i not in without_metadata]
    metadata += [_metadata(rng, never_sold, i) for i in range(len(never_sold))]
    metadata.sort(key=lambda record: str(record["asin"]))

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / REVIEWS_FILE, folder / METADATA_FILE
    _write_gzip(paths[0], _with_dirty_reviews(rng, reviews))
    _write_gzip(paths[1], _with_dirty_metadata(rng, metadata))
    return paths


def _make_items(rng: np.random.Generator, seed: int, count: int) -> list[_Item]:
    hobbies, styles = list(HOBBIES), list(STYLES)
    kinds = len(HOBBIES[hobbies[0]])
    items = []
    for number in range(count):
        line, kind = divmod(number, kinds)
        round_, hobby = divmod(line, len(hobbies))
        step, brand = divmod(round_, BRANDS_PER_HOBBY)
        edition, style = divmod(step, len(styles))
        items.append(
            _Item(
                asin="B0" + _code("item", seed, number, 8),
                hobby=hobbies[hobby],
                brand=BRANDS[(hobby * 2 + brand) % len(BRANDS)],
                style=styles[(style + brand + hobby) % len(styles)],
                edition=edition + 1,
                kind=kind,
                launch=int(rng.integers(DAYS * 4 // 5, DAYS)) if rng.random() < LATE_LAUNCHES else 0,
            )
        )
    return items


def _simulate(
    rng: np.random.Generator, shop: list[_Item], popularity: Float64Array, n_users: int, n_reviews: int
) -> tuple[list[_Purchase], Float64Array]:
    """Purchases of every user, and how well each item matches each user's taste, float [n_users, n_items]."""
    hobbies, styles = list(HOBBIES), list(STYLES)
    hobby_of = np.array([hobbies.index(item.hobby) for item in shop])
    is_style = np.array([[item.style == style for style in styles] for item in shop], float)
    brand_names = sorted({item.brand for item in shop})
    is_brand = np.array([[item.brand == brand for brand in brand_names] for item in shop], float)
    launch = np.array([item.launch for item in shop])
    kind = np.array([item.kind for item in shop])
    likeness = SAME_STYLE * (is_style @ is_style.T) + SAME_BRAND * (is_brand @ is_brand.T)
    lengths = 5 + rng.multinomial(max(n_reviews - 5 * n_users, 0), rng.dirichlet(np.full(n_users, 0.7)))
    lengths = np.minimum(lengths, max(len(shop) // 3, 1))

    taste = np.zeros((n_users, len(shop)))
    purchases: list[_Purchase] = []
    for user in range(n_users):
        hobby_weights = rng.dirichlet(np.full(len(hobbies), 0.15))
        liked_styles = (rng.permutation(len(styles)) < 2).astype(float)
        liked_brands = (rng.random(len(brand_names)) < 0.3).astype(float)
        taste[user] = STYLE_MATCH * (is_style @ liked_styles) + BRAND_MATCH * (is_brand @ liked_brands)
        available = np.ones(len(shop), bool)
        day, last = float(rng.integers(0, DAYS - 30)), -1
        for _ in range(lengths[user]):
            on_sale = available & (launch <= day)
            following = on_sale & (hobby_of == hobby_of[last]) & (kind == kind[last] + 1)
            if last >= 0 and following.any() and rng.random() < FOLLOW_UP:
                on_sale, logits = following, likeness[last]
            elif rng.random() < WHIM:
                logits = popularity
            else:
                logits = popularity + taste[user]
                in_hobby = on_sale & (hobby_of == rng.choice(len(hobbies), p=hobby_weights))
                on_sale = in_hobby if in_hobby.any() else on_sale
            weights = np.where(on_sale, np.exp(logits), 0)
            item = int(rng.choice(len(shop), p=weights / weights.sum()))
            available[item] = False
            purchases.append(_Purchase(user, item, int(day)))
            last = item
            # A fifth of neighbouring purchases share a day: files know no hours.
            day = min(day + (0 if rng.random() < 0.2 else rng.exponential(20)), DAYS - 1)
    return purchases, taste


def _reviews(
    rng: np.random.Generator,
    seed: int,
    shop: list[_Item],
    purchases: list[_Purchase],
    taste: Float64Array,
    n_users: int,
) -> list[Record]:
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
            "reviewerID": "A" + _code("user", seed, purchase.user, 13),
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


def _metadata(rng: np.random.Generator, shop: list[_Item], number: int) -> Record:
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
    }


def _with_dirty_reviews(rng: np.random.Generator, reviews: list[Record]) -> list[bytes]:
    """The lines of the file: reviews, 1% repeated or revised ones, and about 0.3% bad lines at random places."""
    lines = [_line(review) for review in reviews]

    def some(share: float) -> list[Record]:
        return [reviews[i] for i in rng.choice(len(reviews), int(share * len(reviews)), replace=False)]

    extra = [_line(review) for review in some(0.006)]  # repeated as they are
    extra += [
        _line({**review, "overall": 3.0, "unixReviewTime": review["unixReviewTime"] + 86400}) for review in some(0.004)
    ]
    extra += [_line(review)[: int(rng.integers(10, 60))] for review in some(0.001)]  # cut off
    extra += [_line({**review, "overall": float(rng.choice([0.0, 7.0]))}) for review in some(0.0005)]
    extra += [_line({k: v for k, v in review.items() if k != "reviewerID"}) for review in some(0.0005)]
    extra += [_line({**review, "unixReviewTime": "yesterday"}) for review in some(0.0003)]
    extra += [_line(review).replace(b'"reviewText": "', b'"reviewText": "\xff\xfe') for review in some(0.0003)]
    return _insert(rng, lines, extra)


def _with_dirty_metadata(rng: np.random.Generator, metadata: list[Record]) -> list[bytes]:
    """The lines of the file: metadata, 2% repeated, and about 0.5% bad lines at random places."""

    def some(share: float) -> list[Record]:
        return [metadata[i] for i in rng.choice(len(metadata), int(share * len(metadata)), replace=False)]

    extra = [_line(record) for record in some(0.02)]
    extra += [_line(record)[:50] for record in some(0.003)]
    extra += [_line({k: v for k, v in record.items() if k != "asin"}) for record in some(0.002)]
    return _insert(rng, [_line(record) for record in metadata], extra)


def _insert(rng: np.random.Generator, lines: list[bytes], extra: list[bytes]) -> list[bytes]:
    for line in extra:
        lines.insert(int(rng.integers(len(lines) + 1)), line)
    return lines


def _line(record: Record) -> bytes:
    return json.dumps(record).encode()


def _code(kind: str, seed: int, number: int, length: int) -> str:
    """An id that looks like Amazon's: letters and digits, in no order."""
    value = int.from_bytes(hashlib.sha256(f"{kind} {seed} {number}".encode()).digest()[:16])
    symbols = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "".join(symbols[value // 36**place % 36] for place in range(length))


def _write_gzip(path: Path, lines: list[bytes]) -> None:
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as file:
        file.write(b"\n".join(lines) + b"\n")
