"""A generated catalogue and histories of any size: items lie in clusters, and users choose within a few of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsys.bundle import ItemRecord
from recsys.core.histories import Histories
from recsys.core.types import Float16Array, Float32Array, Int32Array, Int64Array
from recsys.pipeline.features import CandidateFeatures, FeatureGroup, FeatureParts
from recsys.pipeline.features.brand import BrandFeatures
from recsys.pipeline.features.category import CategoryFeatures
from recsys.pipeline.features.group import FeatureGroupOfParts
from recsys.pipeline.features.names import NO_NAME
from recsys.pipeline.features.popularity import PopularityFeatures
from recsys.pipeline.features.price import PriceFeatures
from recsys.pipeline.features.registry import GROUPS
from recsys.prepare.sample.words import HOBBIES
from recsys.sources.lending import Loans
from recsys.sources.text_lenders import LENDERS

CLUSTER, COARSE = 400, 50  # items of a cluster; groups of clusters
BLOCK = 50_000  # items that are made together: their numbers take little memory, whatever the size of the catalogue
UNCHOSEN_SHARE = 0.003  # items without interactions, as many as a 5-core leaves
START, DAY = 1_500_000_000, 86_400


@dataclass(frozen=True)
class Items:
    """A catalogue of N items.

    Attributes:
        members: int64 item rows of each cluster, the most popular first.
        cluster: int64 [N].
        embeddings: float16 [N, D], learned part and text part.
        counts: int64 [N], how often each was chosen; 0 where nobody has yet.
        learned: width of the learned part.
    """

    members: list[Int64Array]
    cluster: Int64Array
    embeddings: Float16Array
    counts: Int64Array
    learned: int

    def __len__(self) -> int:
        return len(self.cluster)

    @classmethod
    def generate(cls, n_items: int, learned: int, text: int, random: np.random.Generator) -> Items:
        """Clusters around centres that lie around coarse ones; text of unit length; popularity by a power law."""
        members = np.array_split(random.permutation(n_items), max(1, n_items // CLUSTER))
        cluster, counts = np.empty(n_items, np.int64), np.empty(n_items, np.int64)
        for number, rows in enumerate(members):
            cluster[rows] = number
            counts[rows] = 5 + 200 / (1 + np.arange(len(rows))) ** 0.7
        counts[random.choice(n_items, int(UNCHOSEN_SHARE * n_items), replace=False)] = 0
        coarse = normal(random, COARSE, learned + text)
        centres = coarse[np.arange(len(members)) % COARSE] + 0.7 * normal(random, len(members), learned + text)
        embeddings = np.empty((n_items, learned + text), np.float16)
        for rows in blocks(n_items):
            block = centres[cluster[rows]]
            block += 0.7 * normal(random, *block.shape)
            lengths = 0.9 * random.lognormal(0, 0.2, (len(block), 1)).astype(np.float32)
            block[:, :learned] *= lengths / np.linalg.norm(block[:, :learned], axis=1, keepdims=True)
            block[:, learned:] /= np.linalg.norm(block[:, learned:], axis=1, keepdims=True)
            embeddings[rows] = block
        return cls(members, cluster, embeddings, counts, learned)


def make_histories(items: Items, n_users: int, random: np.random.Generator) -> Histories:
    """About 9 distinct items of each user, 5 or more, of three clusters, the popular ones more often; all rated."""
    lengths = 5 + random.lognormal(1.0, 1.0, n_users).astype(np.int64)
    users = np.repeat(np.arange(n_users), lengths)
    favourites = random.integers(len(items.members), size=(n_users, 3))
    chosen = favourites[users, random.integers(3, size=len(users))]
    sizes = np.array([len(rows) for rows in items.members])
    starts = np.cumsum(sizes) - sizes
    position = (sizes[chosen] * random.random(len(users)) ** 2).astype(np.int64)
    rows = np.concatenate(items.members)[starts[chosen] + position]
    pairs = np.unique((users * len(items) + rows)[items.counts[rows] > 0])
    users, rows = np.divmod(pairs, len(items))
    times = START + DAY * random.integers(0, 1000, len(pairs))
    order = np.lexsort((times, users))
    stars = random.choice([1.0, 2.0, 3.0, 4.0, 5.0], len(pairs), p=[0.05, 0.06, 0.11, 0.2, 0.58])
    return Histories.from_rows(n_users, users[order], rows[order], times[order], stars)


@dataclass(frozen=True)
class Attributes:
    """Attributes of each item beside its vectors."""

    log_price: Float32Array
    brand: Int32Array
    categories: Int32Array
    log_count: Float32Array
    trend: Float32Array
    loans: Loans

    def features(self, parts: FeatureParts) -> CandidateFeatures:
        """The features that read it, and those of the other parts of the pipeline."""
        groups: dict[str, FeatureGroup] = {
            name: group.of(parts) for name, group in GROUPS.items() if issubclass(group, FeatureGroupOfParts)
        }
        groups["popularity"] = PopularityFeatures(self.log_count, self.trend)
        groups["price"] = PriceFeatures(self.log_price)
        groups["brand"], groups["category"] = BrandFeatures(self.brand), CategoryFeatures(self.categories)
        return CandidateFeatures({name: groups[name] for name in GROUPS})


def make_attributes(items: Items, random: np.random.Generator) -> Attributes:
    """Price, brand and 3 to 6 categories by cluster, some unknown; loans within the cluster."""
    n_items = len(items)
    log_price = (random.normal(3, 0.6, len(items.members))[items.cluster] + random.normal(0, 0.3, n_items)).astype(
        np.float32
    )
    log_price[random.random(n_items) < 0.1] = np.nan
    brand = (1 + 8 * items.cluster + random.integers(8, size=n_items)).astype(np.int32)
    brand[random.random(n_items) < 0.1] = NO_NAME
    top = 2 + COARSE + len(items.members)
    deeper = [np.full(n_items, 1), 2 + items.cluster % COARSE, 2 + COARSE + items.cluster]
    deeper += [top + 2 * items.cluster + random.integers(2, size=n_items)]
    deeper += [top + (level + 1) * 2 * len(items.members) + items.cluster for level in (1, 2)]
    categories = np.stack(deeper, axis=1).astype(np.int32)
    categories[np.arange(6) >= random.choice([3, 4, 5, 6], (n_items, 1), p=[0.3, 0.5, 0.15, 0.05])] = NO_NAME
    borrowers = np.flatnonzero(items.counts == 0)
    lenders = np.array([_lenders(items, row) for row in borrowers.tolist()], np.int32).reshape(len(borrowers), -1)
    weights = np.full(lenders.shape, 1 / max(lenders.shape[1], 1), np.float32)
    loans = Loans(n_items, borrowers, lenders, weights)
    trend = random.normal(0, 0.3, n_items).astype(np.float32)
    log_count = np.log1p(items.counts).astype(np.float32)
    return Attributes(log_price, brand, categories, loans.lend(log_count), loans.lend(trend), loans)


def _lenders(items: Items, row: int) -> Int64Array:
    rows: Int64Array = items.members[items.cluster[row]]
    trained: Int64Array = rows[items.counts[rows] > 0]
    return trained[:LENDERS]


def item_records(items: Items, attributes: Attributes) -> Iterator[ItemRecord]:
    """The catalogue that the attributes describe."""
    products = [product for kinds in HOBBIES.values() for product in kinds]
    prices = np.round(np.exp(attributes.log_price.astype(np.float64)), 2)
    for rows in blocks(len(items)):
        columns = (column[rows].tolist() for column in (items.cluster, attributes.brand, attributes.categories, prices))
        for row, (cluster, number, names, price) in enumerate(zip(*columns, strict=True), rows.start):
            product, brand = products[cluster % len(products)], f"Brand {number}" if number else None
            yield ItemRecord(
                row,
                f"B{row:09d}",
                title=f"{brand or 'Classic'} {product.name}, {product.size}, Model {row}",
                brand=brand,
                categories=tuple(f"Category {name}" for name in names if name != NO_NAME),
                price=None if np.isnan(price) else price,
                image=f"https://images.example/{row}.jpg",
                description=f"{product.name} that {product.use}.",
            )


def blocks(n_items: int) -> Iterator[slice]:
    """Rows that are made together."""
    return (slice(start, min(start + BLOCK, n_items)) for start in range(0, n_items, BLOCK))


def normal(random: np.random.Generator, *shape: int) -> Float32Array:
    """Standard normal numbers in single precision."""
    return random.standard_normal(shape, np.float32)
