"""The held-out queries: users, their histories and the relevant items; and the slices of a report.

Everything is fitted on train. The queries of the test split carry the user's train and validation
interactions as history, those of the validation split train alone. The moment of a query is the first
held-out timestamp of its user.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recsys.bundle.event_weights import purchases_in
from recsys.core.errors import DataError
from recsys.core.queries import Queries
from recsys.core.types import BoolArray, Int32Array, Int64Array
from recsys.measure.metrics import Relevant
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.sources.exact import is_seen

HISTORY_SPLITS = {c.VALIDATION: (c.TRAIN,), c.TEST: (c.TRAIN, c.VALIDATION)}
COLD, WARM = "cold", "warm"
HISTORY_LENGTHS = ((0, 0), (1, 2), (3, 5), (6, 10), (11, 20), (21, None))
BLOCK_SCORES = 8_000_000  # users x items of a block, as far as that leaves `LEAST_USERS`
LEAST_USERS, MOST_USERS = 512, 1024  # of a block: an exact search reads every item once for each block


@dataclass(frozen=True)
class HeldOut:
    """The U users with at least one interaction in a split, as queries with their relevant items.

    Attributes:
        split: "validation" or "test".
        queries: of all U users.
        relevant: the distinct items each user chose in the split.
        ratings: [R] entries of the split that carry a rating: columns query (0..U-1), item, rating.
        repeats: whether items of the histories may be chosen again, so that lists hold them too.
    """

    split: str
    queries: Queries
    relevant: Relevant
    ratings: pd.DataFrame
    repeats: bool = False

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def users(self) -> Int32Array:
        """int32 [U], user rows."""
        return self.queries.users

    @classmethod
    def of(cls, dataset: PreparedDataset, split: str) -> HeldOut:
        """The queries of `split`, "validation" or "test".

        Raises:
            DataError: the split holds no interactions.
        """
        held = dataset.of_splits([split])
        if held.empty:
            raise DataError(
                f"at least one interaction in the {split} split of {dataset.path}",
                "none",
                "check data.split in the config and prepare again",
            )
        users, starts, query = np.unique(held[c.USER].to_numpy(), return_index=True, return_inverse=True)
        held = held.assign(query=query)
        distinct = held.drop_duplicates(["query", c.ITEM])
        rated = held[held[c.RATING].notna()]
        histories = dataset.histories(HISTORY_SPLITS[split]).select(users)
        moments = held[c.TIMESTAMP].to_numpy(np.int64)[starts]
        bought = purchases_in(histories, dataset.manifest.get("config", {}))
        return cls(
            split,
            Queries(histories, users.astype(np.int32), moments, bought),
            Relevant(
                np.searchsorted(distinct["query"], np.arange(len(users) + 1)).astype(np.int64),
                distinct[c.ITEM].to_numpy(np.int32),
            ),
            rated[["query", c.ITEM, c.RATING]].reset_index(drop=True),
            dataset.predicts_repeats,
        )

    def select(self, rows: NDArray[np.integer]) -> HeldOut:
        """The given queries, in increasing order of `rows`."""
        rows = np.unique(rows)
        positions = pd.Series(np.arange(len(rows)), index=rows)
        ratings = self.ratings[self.ratings["query"].isin(rows)]
        ratings = ratings.assign(query=ratings["query"].map(positions)).reset_index(drop=True)
        return replace(self, queries=self.queries.select(rows), relevant=self.relevant.select(rows), ratings=ratings)

    @property
    def wanted(self) -> Relevant:
        """The relevant items that lists may hold: unseen ones, unless repeats are predicted."""
        if self.repeats:
            return self.relevant
        return self.relevant.keep(~is_seen(self.relevant.items, self.relevant.owners, self.queries.histories))

    def sample(self, count: int, seed: int) -> HeldOut:
        """At most `count` queries, drawn without replacement: file order is not random."""
        if len(self) <= count:
            return self
        return self.select(np.random.default_rng(seed).choice(len(self), count, replace=False))

    def blocks(self, n_items: int) -> Iterator[tuple[slice, HeldOut]]:
        """Consecutive parts whose lists, from a catalogue of `n_items`, fit in a bounded memory."""
        size = block_users(n_items)
        for start in range(0, len(self), size):
            rows = slice(start, min(start + size, len(self)))
            yield rows, self.select(np.arange(rows.start, rows.stop))


@dataclass(frozen=True)
class ItemSlice:
    """A part of the catalogue by how often its items occur in train: `mask` is bool [n_items]."""

    label: str
    mask: BoolArray


def item_slices(train_counts: NDArray[np.integer]) -> list[ItemSlice]:
    """Cold items (never in train), then thirds of the other items by train count, least popular first.

    Items of one count stay together, so that thirds are of unequal size where many counts tie, and
    empty ones are left out.
    """
    warm = np.sort(train_counts[train_counts > 0])
    edges = [0, *(int(warm[-(-len(warm) * part // 3) - 1]) for part in (1, 2, 3) if len(warm))]
    slices = [ItemSlice(COLD, train_counts == 0)]
    for low, high in itertools.pairwise(edges):
        if high > low:
            label = f"{low + 1}-{high}" if high > low + 1 else str(high)
            slices.append(ItemSlice(label, (train_counts > low) & (train_counts <= high)))
    return [part for part in slices if part.mask.any()]


def history_slices(lengths: NDArray[np.integer]) -> list[tuple[str, BoolArray]]:
    """Queries by the length of their history: (label, bool [U]), empty slices left out."""
    slices = []
    for low, high in HISTORY_LENGTHS:
        mask = (lengths >= low) & (lengths <= (np.inf if high is None else high))
        label = f"{low}+" if high is None else str(low) if low == high else f"{low}-{high}"
        if mask.any():
            slices.append((label, mask))
    return slices


def train_counts(dataset: PreparedDataset) -> Int64Array:
    """int64 [n_items], interactions of each item in train; where events are counted, events."""
    train = dataset.of_splits([c.TRAIN])
    counts = train[c.COUNT].to_numpy() if dataset.repeats == "count" else None
    return np.bincount(train[c.ITEM], counts, dataset.n_items).astype(np.int64)


def block_users(n_items: int) -> int:
    """Users to score at a time."""
    return min(max(BLOCK_SCORES // max(n_items, 1), LEAST_USERS), MOST_USERS)


def main_cutoff(cutoffs: Sequence[int]) -> int:
    """The cutoff that headlines, slices and warnings use: 10, or else the smallest."""
    return 10 if 10 in cutoffs else min(cutoffs)
