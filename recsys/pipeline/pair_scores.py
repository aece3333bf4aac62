"""Scores of several retrievers for the same candidates, item-to-item lists read together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.core.histories import Histories
from recsys.core.types import Float32Array, Int32Array
from recsys.sources.base import PairScorer
from recsys.sources.item_to_item import ItemToItem, Spreads, write_last
from recsys.sources.lending import Loans


class PairScores:
    """What R retrievers say of candidates; those that nobody has chosen yet borrow where they have no score.

    Attributes:
        lists: the item-to-item retrievers among them.
    """

    def __init__(self, scorers: Sequence[PairScorer], loans: Loans) -> None:
        self.lists = [scorer for scorer in scorers if isinstance(scorer, ItemToItem)]
        self._rows = np.array([row for row, scorer in enumerate(scorers) if isinstance(scorer, ItemToItem)], np.int64)
        self._others = [(row, scorer) for row, scorer in enumerate(scorers) if not isinstance(scorer, ItemToItem)]
        self._loans = loans

    def write(self, histories: Histories, items: Int32Array, scores: Float32Array, spreads: Spreads | None) -> None:
        """Write scores [R, B, C], 0 where there is none.

        Args:
            histories: of B queries.
            items: int32 [B, C], candidates, padded with `NO_ITEM`.
            scores: see above.
            spreads: of these histories, where they are known already; of some of `lists` are of no use.
        """
        wanted = self._loans.with_lenders(items)
        found = self._room(wanted, items, scores)
        if self.lists:
            if spreads is None or not spreads.knows(self.lists):
                spreads = Spreads.of(self.lists, histories)
            spreads.write(self.lists, self._rows, wanted, found)
        self._finish(histories, wanted, items, found, scores)

    def write_last(self, histories: Histories, items: Int32Array, scores: Float32Array) -> None:
        """As `write`, the scores that each history's last item alone gives."""
        wanted = self._loans.with_lenders(items)
        found = self._room(wanted, items, scores)
        if self.lists:
            write_last(self.lists, histories, self._rows, wanted, found)
        self._finish(histories.last(1) if self._others else histories, wanted, items, found, scores)

    def _room(self, wanted: Int32Array, items: Int32Array, scores: Float32Array) -> Float32Array:
        """Where the scores of all that is wanted go: `scores` itself if that is the items alone."""
        return scores if wanted is items else np.empty((len(scores), *wanted.shape), np.float32)

    def _finish(
        self, histories: Histories, wanted: Int32Array, items: Int32Array, found: Float32Array, scores: Float32Array
    ) -> None:
        """Write the scores of all other retrievers, then let items borrow."""
        for row, scorer in self._others:
            found[row] = scorer.pair_scorer(histories)(wanted)
        if found is not scores:
            self._loans.fill(found, items, scores)
