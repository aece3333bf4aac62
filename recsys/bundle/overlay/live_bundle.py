"""The bundle that a server answers from while items change: N items of a bundle and M new ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from recsys.bundle.overlay.live_items import LiveItems, in_no_list
from recsys.bundle.reader import Bundle
from recsys.core.item_changes import ItemChange
from recsys.core.types import BoolArray
from recsys.pipeline.allow import AllBut, Among
from recsys.sources.new_items import NewItems


class LiveBundle(Bundle):
    """A bundle seen with live items: whatever reads a `Bundle` works on the N + M items of this one.

    Items that the bundle holds keep their rows, new ones have the rows from N on. A row never changes its item: a new
    item that is deleted keeps its row, and is in no list. Arrays of the bundle are shared, and what did not change is
    shared with the overlay before; one is made in milliseconds beside the one that answers, and replaces it. Without
    changes nobody makes one.

    What a change says takes effect at once in catalogue, filters, attributes, rules, features of price, brand and
    category, and in what is in no list: deleted, `available: false`, `stock` of 0 or less. A vector stays that of its
    training until the next bundle, whatever a change says of the text.

    Attributes:
        base: the bundle below, open. `close` closes it; whoever replaces one overlay by another over the same
            bundle closes none.
        live: the changes, by row.
    """

    def __init__(
        self, bundle: Bundle, changes: Sequence[ItemChange], new: NewItems, before: LiveBundle | None = None
    ) -> None:
        """Put changes over a bundle.

        Args:
            bundle: open, itself no overlay.
            changes: the state of every live item, each once; those that the bundle does not hold (`new_among`) in the
                order of their rows, which is that of their first changes.
            new: vectors and lenders of these, M of them in the same order; deleted ones among them.
            before: an overlay of earlier changes over the same bundle, whose unchanged parts are shared.

        Raises:
            ValueError: `new` are not as many as the new items, an item is there twice, or has another row than before.
        """
        self.path, self.manifest = bundle.path, bundle.manifest
        self.base = bundle
        self.live: LiveItems = LiveItems.of(bundle.catalogue, changes, None if before is None else before.live)
        if len(new) != self.live.n_new:
            raise ValueError(f"{self.live.n_new} new items, got {len(new)}")
        self._new = new

    @property
    def n_items(self) -> int:
        return self.live.n_items

    @cached_property
    def in_stock(self) -> tuple[Among, ...]:
        """What every list obeys: items that are not sold out, not deleted, and available."""
        allowed: BoolArray = np.ones(self.n_items, np.bool_)
        for stock in self.base.in_stock:
            allowed[: len(stock.mask)] &= stock.mask
        for row, change in self.live.changes.items():
            kept_out = in_no_list(change)
            if kept_out is not None:
                allowed[row] = not kept_out
        return () if allowed.all() else (AllBut(allowed),)

    def close(self) -> None:
        """Let writers remove the version of the bundle below. The parts loaded so far stay usable."""
        self.base.close()
