"""A bundle is asked about users of a dataset that it was not made of: rows change, ids stay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsys.bundle import Bundle
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import BoolArray, Int32Array
from recsys.prepare.prepared import PreparedDataset


@dataclass(frozen=True)
class Translation:
    """From the rows of a dataset to those of a bundle, and back.

    Attributes:
        items: int32 [N], the bundle's row of each item of the dataset; `NO_ITEM` where it has none.
        users: int32 [U], of each user, -1 where it has none.
        back: int32 [M], the dataset's row of each item of the bundle. An item that the dataset does not have gets a row
            behind all of its items, so that it takes up a place of a list and is never what a user chose.
    """

    items: Int32Array
    users: Int32Array
    back: Int32Array

    @classmethod
    def between(cls, dataset: PreparedDataset, bundle: Bundle) -> Translation:
        """By the ids of both."""
        item_ids, user_ids = list(map(str, dataset.item_ids)), list(map(str, dataset.user_ids))
        catalogue = bundle.catalogue
        of_items, of_users = catalogue.item_rows(item_ids), catalogue.user_rows(user_ids)
        items = np.array([of_items.get(item_id, NO_ITEM) for item_id in item_ids], np.int32)
        users = np.array([of_users.get(user_id, NO_ITEM) for user_id in user_ids], np.int32)
        back = np.arange(dataset.n_items, dataset.n_items + catalogue.n_items, dtype=np.int32)
        known = np.flatnonzero(items != NO_ITEM)
        back[items[known]] = known
        return cls(items, users, back)

    @property
    def known_items(self) -> BoolArray:
        """Bool [N], items of the dataset that the bundle has."""
        known: BoolArray = self.items != NO_ITEM
        return known

    def ask(self, queries: Queries) -> Queries:
        """The same queries in the bundle's rows: items that it does not know are missing in their histories."""
        bought = None if queries.bought is None else self.histories(queries.bought)
        return replace(
            queries, histories=self.histories(queries.histories), users=self.users[queries.users], bought=bought
        )

    def histories(self, histories: Histories) -> Histories:
        """In the bundle's rows, without the items that it does not know."""
        kept = histories.where(self.known_items[histories.items])
        return replace(kept, items=self.items[kept.items])

    def answer(self, items: Int32Array) -> Int32Array:
        """The bundle's lists [B, k] in rows of the dataset, see `back`; `NO_ITEM` stays."""
        return np.where(items == NO_ITEM, np.int32(NO_ITEM), self.back[np.maximum(items, 0)])
