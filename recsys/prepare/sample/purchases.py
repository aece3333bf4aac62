"""What the users of the synthetic shop buy, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.core.types import BoolArray, Float64Array
from recsys.prepare.sample.shop import DAYS, Item
from recsys.prepare.sample.words import HOBBIES, STYLES

FOLLOW_UP = 0.5  # chance that a purchase follows up the one before
WHIM = 0.08  # chance that it is drawn by popularity alone
STYLE_MATCH, BRAND_MATCH = 1.5, 1.0  # log-odds that a preferred style, a preferred brand add
SAME_STYLE, SAME_BRAND = 2.5, 1.5  # log-odds that a follow-up has the style, the brand of the item it follows
SAME_DAY = 0.2  # share of consecutive purchases on one day, because files have no hours
MEAN_PAUSE_DAYS = 20


@dataclass(frozen=True)
class Purchase:
    """One user bought one item."""

    user: int
    item: int
    day: int


class _Shelves:
    """The items as arrays [n_items].

    Attributes:
        popularity: log-odds of each item.
        hobby: position of the item's hobby in `HOBBIES`.
        kind: position of its product type within the hobby.
        launch: first day on sale.
        is_style, is_brand: float [n_items, styles], [n_items, brands], 1 where the item has it.
        likeness: [n_items, n_items], log-odds that an item is bought after another one.
    """

    def __init__(self, shop: list[Item], popularity: Float64Array) -> None:
        hobbies, styles = list(HOBBIES), list(STYLES)
        brands = sorted({item.brand for item in shop})
        self.popularity = popularity
        self.hobby = np.array([hobbies.index(item.hobby) for item in shop])
        self.kind = np.array([item.kind for item in shop])
        self.launch = np.array([item.launch for item in shop])
        self.is_style: Float64Array = np.array([[item.style == style for style in styles] for item in shop], float)
        self.is_brand: Float64Array = np.array([[item.brand == brand for brand in brands] for item in shop], float)
        self.likeness = SAME_STYLE * (self.is_style @ self.is_style.T) + SAME_BRAND * (self.is_brand @ self.is_brand.T)

    def __len__(self) -> int:
        return len(self.popularity)


def simulate(
    rng: np.random.Generator, shop: list[Item], popularity: Float64Array, n_users: int, n_reviews: int
) -> tuple[list[Purchase], Float64Array]:
    """Purchases of every user, and how well each item matches each user's taste, float [n_users, n_items]."""
    shelves = _Shelves(shop, popularity)
    lengths = 5 + rng.multinomial(max(n_reviews - 5 * n_users, 0), rng.dirichlet(np.full(n_users, 0.7)))
    lengths = np.minimum(lengths, max(len(shop) // 3, 1))
    taste = np.zeros((n_users, len(shop)))
    purchases: list[Purchase] = []
    for user in range(n_users):
        hobby_weights = rng.dirichlet(np.full(len(HOBBIES), 0.15))
        taste[user] = _draw_taste(rng, shelves)
        purchases += _purchases_of(rng, shelves, user, lengths[user], taste[user], hobby_weights)
    return purchases, taste


def _draw_taste(rng: np.random.Generator, shelves: _Shelves) -> Float64Array:
    """Log-odds that a user's preferred styles and brands add to each item."""
    n_brands: int = shelves.is_brand.shape[1]
    liked_styles = (rng.permutation(len(STYLES)) < 2).astype(float)
    liked_brands = (rng.random(n_brands) < 0.3).astype(float)
    of_styles: Float64Array = STYLE_MATCH * (shelves.is_style @ liked_styles)
    of_brands: Float64Array = BRAND_MATCH * (shelves.is_brand @ liked_brands)
    return of_styles + of_brands


def _purchases_of(
    rng: np.random.Generator,
    shelves: _Shelves,
    user: int,
    count: int,
    taste: Float64Array,
    hobby_weights: Float64Array,
) -> list[Purchase]:
    not_bought = np.ones(len(shelves), bool)
    purchases: list[Purchase] = []
    day, last = float(rng.integers(0, DAYS - 30)), -1
    for _ in range(count):
        last = _next_item(rng, shelves, not_bought & (shelves.launch <= day), last, taste, hobby_weights)
        not_bought[last] = False
        purchases.append(Purchase(user, last, int(day)))
        day = min(day + (0 if rng.random() < SAME_DAY else rng.exponential(MEAN_PAUSE_DAYS)), DAYS - 1)
    return purchases


def _next_item(
    rng: np.random.Generator,
    shelves: _Shelves,
    on_sale: BoolArray,
    last: int,
    taste: Float64Array,
    hobby_weights: Float64Array,
) -> int:
    """Draw what a user buys after item `last` (-1: nothing yet) from the items in `on_sale`."""
    following = on_sale & (shelves.hobby == shelves.hobby[last]) & (shelves.kind == shelves.kind[last] + 1)
    if last >= 0 and following.any() and rng.random() < FOLLOW_UP:
        choice, logits = following, shelves.likeness[last]
    elif rng.random() < WHIM:
        choice, logits = on_sale, shelves.popularity
    else:
        logits = shelves.popularity + taste
        in_hobby = on_sale & (shelves.hobby == rng.choice(len(hobby_weights), p=hobby_weights))
        choice = in_hobby if in_hobby.any() else on_sale
    weights = np.where(choice, np.exp(logits), 0)
    return int(rng.choice(len(shelves), p=weights / weights.sum()))
