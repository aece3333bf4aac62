"""What a generated shop says of its items: texts tell the cluster and, by the brand and the title, the series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.shops.world import DEPARTMENT, World
from recsys.core.types import Float64Array, Int64Array
from recsys.prepare.sample.words import HOBBIES, STYLES, ProductType

SHOP = "Everything"  # the category of all items
PRICES = np.array([8.0, 20.0, 50.0, 125.0])  # of each price level
UNKNOWN = {"title": 0.01, "brand": 0.1, "categories": 0.03, "price": 0.15, "description": 0.2}  # shares of the items
_GIFT = ProductType("Gift Set", "3 Pieces", 40, "makes a present for a friend")
_FLAVOURS = (
    "Nordic", "Alpine", "Coastal", "Desert", "Urban", "Tropical", "Highland", "Prairie", "Baltic", "Andean", "Lunar",
    "Solar", "Amber", "Crimson", "Ivory", "Emerald", "Indigo", "Saffron", "Silver", "Copper", "Garden", "Harbour",
    "Meadow", "River", "Canyon", "Glacier", "Orchard", "Lagoon", "Summit", "Tundra", "Velvet", "Linen", "Marble",
    "Bamboo", "Cedar", "Granite", "Thistle", "Clover", "Falcon", "Otter",
)  # fmt: skip
_HEADS = (
    "Bel",
    "Cor",
    "Dar",
    "Fen",
    "Gal",
    "Hol",
    "Jar",
    "Kel",
    "Lor",
    "Mar",
    "Nor",
    "Pel",
    "Quin",
    "Ros",
    "Sel",
    "Tor",
)
_MIDDLES = ("a", "e", "i", "o", "u", "ade", "ene", "imo", "ora", "uni", "ista", "olen", "avi", "eri", "obu", "ura")
_TAILS = (
    "ba",
    "co",
    "dine",
    "fax",
    "gren",
    "ham",
    "kin",
    "lund",
    "mont",
    "nell",
    "pton",
    "rex",
    "son",
    "ton",
    "vale",
    "x",
)


class Item(NamedTuple):
    """One item of the catalogue; empty or None: the shop does not say."""

    title: str
    brand: str
    categories: list[str]
    price: float | None
    description: str


def prices(world: World) -> Float64Array:
    """[N], what the items cost, whether the catalogue says so or not."""
    random = np.random.default_rng([world.parameters.seed, 2])
    return np.round(PRICES[world.price_level] * random.lognormal(0, 0.15, world.parameters.items), 2)


def item_codes(world: World) -> Int64Array:
    """[N], nine digits that name the items of a shop and say nothing of them."""
    return _scattered(np.arange(world.parameters.items, dtype=np.int64), world.parameters.seed)


def rows_of_codes(world: World, codes: Int64Array) -> Int64Array:
    """The items that such codes name."""
    every = item_codes(world)
    order = np.argsort(every)
    rows: Int64Array = order[np.searchsorted(every[order], codes)]
    return rows


def _scattered(rows: Int64Array, seed: int) -> Int64Array:
    """Distinct numbers below 10^9: a product with an odd number that 5 does not divide has an inverse there."""
    return (rows * 387_420_489 + 1_000_003 * (seed + 1)) % 1_000_000_000


def items(world: World) -> Iterator[Item]:
    """What the catalogue says of each item, in the order of the world."""
    random = np.random.default_rng([world.parameters.seed, 3])
    n, cost = world.parameters.items, prices(world)
    known = {name: random.random(n) >= share for name, share in UNKNOWN.items()}
    styles = list(STYLES)
    style = random.integers(len(styles), size=n)
    columns = (world.cluster.tolist(), world.series.tolist(), world.volume.tolist(), cost.tolist(), style.tolist())
    for row, (cluster, series, volume, price, number) in enumerate(zip(*columns, strict=True)):
        categories, product = _kind(cluster)
        mood, looks, _ = STYLES[styles[number]]
        name, brand = _name(3 * series + 1), _name(series // 2 * 3)
        yield Item(
            f"{brand} {name} {categories[-1]}, {styles[number]}, No. {volume}" if known["title"][row] else "",
            brand if known["brand"][row] else "",
            categories if known["categories"][row] else [],
            price if known["price"][row] else None,
            f"{name} {product.name}, {product.size}: {product.use}. Very {mood}, {looks}. {categories[1]} at its best."
            if known["description"][row]
            else "",
        )


def _kind(cluster: int) -> tuple[list[str], ProductType]:
    """Categories from general to special, and the kind of product, of a cluster."""
    department, place = divmod(cluster, DEPARTMENT)
    hobbies = list(HOBBIES)
    hobby = hobbies[department % len(hobbies)]
    flavour = _FLAVOURS[department // len(hobbies) % len(_FLAVOURS)]
    products = HOBBIES[hobby]
    product = products[place] if place < len(products) else _GIFT
    return [SHOP, f"{flavour} {hobby}", f"{flavour} {hobby} {product.name}"], product


def _name(number: int) -> str:
    """A name that nearly no other number has."""
    mixed = number * 2_654_435_761 % (1 << 32)
    parts = (
        _HEADS[mixed >> 28],
        _MIDDLES[mixed >> 24 & 15],
        _TAILS[mixed >> 20 & 15],
        _HEADS[mixed >> 16 & 15].lower(),
    )
    return "".join(parts)
