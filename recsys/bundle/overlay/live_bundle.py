"""The bundle that a server answers from while items change: N items of a bundle and M new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from recsys.bundle.attributes import Attributes
from recsys.bundle.catalogue import Catalogue
from recsys.bundle.overlay.catalogue import LiveCatalogue
from recsys.bundle.overlay.columns import changed_array, changed_column
from recsys.bundle.overlay.features import KnownNames
from recsys.bundle.overlay.live_items import LiveItems, in_no_list
from recsys.bundle.reader import Bundle
from recsys.core.histories import Histories
from recsys.core.item_changes import ItemChange
from recsys.core.types import BoolArray, Float32Array
from recsys.encoding import ItemEncoder
from recsys.pipeline.allow import AllBut, Among
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import FeatureParts
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.ratings.predictor import RatingPredictor
from recsys.sources.base import Source
from recsys.sources.hiding import extended
from recsys.sources.new_items import NewItems
from recsys.sources.two_tower.source import TwoTowerSource


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
        self._names: KnownNames = KnownNames(bundle) if before is None else before._names
        self._loaded = {}
        if before is not None and before.says_the_same(self):
            self._two_tower, self._loaded = before.two_tower(), before._loaded
            self.ranker, self.rating_predictor = before.ranker, before.rating_predictor

    def says_the_same(self, other: LiveBundle) -> bool:
        """Whether the other has the same new items, and its catalogue the same records: it may differ in attributes."""
        return self.live.records == other.live.records and self._new.equals(other._new)

    @property
    def n_items(self) -> int:
        return self.live.n_items

    @cached_property
    def catalogue(self) -> Catalogue:
        """Items and users by id and row, as the shop has them now; deleted items are found, too."""
        return LiveCatalogue(self.base.catalogue, self.live)

    @cached_property
    def attributes(self) -> Attributes:
        """Further columns of the catalogue, as the shop has them now; others than the bundle's are not there."""
        attributes = self.base.attributes
        return Attributes(
            attributes.types,
            {
                name: changed_column(kind, attributes.columns[name], self.live.naming(name), self.n_items)
                for name, kind in attributes.types.items()
            },
        )

    @cached_property
    def in_stock(self) -> tuple[Among, ...]:
        """What every list obeys: items that are not sold out, not deleted, and available."""
        sold_out = self.attributes.sold_out
        allowed: BoolArray = np.ones(self.n_items, np.bool_) if sold_out is None else ~sold_out
        gone = [row for row, change in self.live.changes.items() if in_no_list(change)]
        allowed[gone] = False
        return () if allowed.all() else (AllBut(allowed),)

    @property
    def histories(self) -> Histories:
        """Those of the bundle; nobody in them has had to do with a new item."""
        return self.base.histories

    @cached_property
    def cycles(self) -> Float32Array:
        """float32 [N + M], see `Bundle.cycles`; of new items the data do not tell."""
        return changed_array(self.base.cycles, {}, self.n_items)

    @property
    def item_encoder(self) -> ItemEncoder | None:
        """That of the bundle, whose items lend."""
        return self.base.item_encoder

    @cached_property
    def _two_tower(self) -> TwoTowerSource:
        two_tower = self.base.two_tower()
        return two_tower.with_new_items(self._new) if len(self._new) else two_tower

    @cached_property
    def rating_predictor(self) -> RatingPredictor | None:
        """Predicts ratings of new items from what their lenders lend."""
        predictor = self.base.rating_predictor
        return predictor.with_new_items(self._new) if predictor is not None and len(self._new) else predictor

    def _load(self, name: str) -> Source:
        """A source over all items; hybrids are made of such sources."""
        if name in self.manifest.hybrids and len(self._new):
            return super()._load(name)
        return extended(self.base.source(name), self._new)

    @cached_property
    def ranker(self) -> Ranker | None:
        """The bundle's, over all items: it reads what the shop says of them now. None in a bundle without one."""
        ranker, changed = self.base.ranker, self._names.changed(self.live, self._new)
        if ranker is None or not changed:
            return ranker
        of_base = ranker.scorer
        scorer = CandidateScorer(
            self._two_tower,
            {name: self.source(name) for name in of_base.scorers},
            of_base.loans.with_new_items(self._new),
            of_base.weights,
            {name: self.source(name) for name in of_base.members},
        )
        parts = FeatureParts(self._two_tower.name, tuple(scorer.scorers), self.rating_predictor)
        features = ranker.features.changed(changed, parts)
        return replace(ranker, scorer=scorer, features=features)

    def close(self) -> None:
        """Let writers remove the version of the bundle below. The parts loaded so far stay usable."""
        self.base.close()
