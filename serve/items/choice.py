"""Which items a list that is the same for everyone may hold: by what the request asks for, by stock, and by a user."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.core.types import BoolArray
from recsys.histories.reading import StoreState
from recsys.pipeline.allow import PURCHASES
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import Options
from serve.bundles.restrictions import Asked
from serve.histories.user_histories import UserHistories


@dataclass(frozen=True)
class Choice:
    """The part of a list that is wanted, and the items that the list may hold.

    Attributes:
        k: how many items.
        offset: how many stand before the first of them.
        items: bool [N], those that may be listed; None: all.
        unknown: ids that the request names and the catalogue does not hold.
        store: whether the events of the user were read whose items are left out; None: nobody's are.
    """

    k: int
    offset: int = 0
    items: BoolArray | None = None
    unknown: Sequence[str] = ()
    store: StoreState | None = None

    @classmethod
    def of(cls, loaded: LoadedBundle, histories: UserHistories, options: Options, user_id: str | None) -> Self:
        """What the options say.

        Args:
            loaded, histories: the bundle, and the users as it sees them.
            options: what is wanted.
            user_id: whose items are left out, as `options.exclude_seen` says; None: nobody's.
        """
        asked = Asked.of(loaded, options)
        masks = [one.mask for one in (*asked.restrictions, *loaded.bundle.in_stock)]
        store: StoreState | None = None
        if user_id is not None and options.exclude_seen:
            mask, store = _not_of(user_id, loaded, histories, purchases=options.exclude_seen == PURCHASES)
            masks.append(mask)
        items = np.logical_and.reduce(masks) if masks else None
        return cls(options.k, options.offset, items, asked.unknown, store)

    @property
    def end(self) -> int:
        """How many items there are up to the last one wanted."""
        return self.offset + self.k


def _not_of(
    user_id: str, loaded: LoadedBundle, histories: UserHistories, *, purchases: bool
) -> tuple[BoolArray, StoreState]:
    """Items that are not in the user's history, or that the user did not buy, and whether the store was read."""
    read = histories.of(loaded).of([user_id], time.time(), purchases=purchases)
    queries = read.queries
    own = queries.bought if purchases and queries.bought is not None else queries.histories
    mask = np.ones(loaded.bundle.n_items, np.bool_)
    mask[own.items] = False
    return mask, read.store
