"""The items of the synthetic shop."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from recsys.prepare.sample.words import BRANDS, BRANDS_PER_HOBBY, HOBBIES, STYLES, ProductType

DAYS = 1700  # that the shop is open
LATE_LAUNCHES = 0.05  # share of items that appear in the last fifth of the time


@dataclass(frozen=True)
class Item:
    """An item for sale."""

    asin: str
    hobby: str
    brand: str
    style: str
    edition: int  # counts the product lines of equal hobby, brand and style from 1
    kind: int  # position of the product type in HOBBIES[hobby]
    launch: int  # first day on sale

    @property
    def product(self) -> ProductType:
        return HOBBIES[self.hobby][self.kind]

    @property
    def title(self) -> str:
        series = f" Series {self.edition}" if self.edition > 1 else ""
        return f"{self.brand}{series} {self.style} {self.product.name}, {self.product.size}"


def make_items(rng: np.random.Generator, seed: int, count: int) -> list[Item]:
    """The items of a shop: product lines one after the other, so that every hobby, brand and style gets its share."""
    hobbies, styles = list(HOBBIES), list(STYLES)
    kinds = len(HOBBIES[hobbies[0]])
    items = []
    for number in range(count):
        line, kind = divmod(number, kinds)
        round_, hobby = divmod(line, len(hobbies))
        step, brand = divmod(round_, BRANDS_PER_HOBBY)
        edition, style = divmod(step, len(styles))
        items.append(
            Item(
                asin="B0" + shop_id("item", seed, number, 8),
                hobby=hobbies[hobby],
                brand=BRANDS[(hobby * 2 + brand) % len(BRANDS)],
                style=styles[(style + brand + hobby) % len(styles)],
                edition=edition + 1,
                kind=kind,
                launch=int(rng.integers(DAYS * 4 // 5, DAYS)) if rng.random() < LATE_LAUNCHES else 0,
            )
        )
    return items


def shop_id(kind: str, seed: int, number: int, length: int) -> str:
    """An id of `length` letters and digits, as Amazon's are, that tells nothing of the order of ids."""
    value = int.from_bytes(hashlib.sha256(f"{kind} {seed} {number}".encode()).digest()[:16])
    symbols = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "".join(symbols[value // 36**digit % 36] for digit in range(length))
