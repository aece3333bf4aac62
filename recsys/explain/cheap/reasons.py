"""The reason of each item of a list that is had for next to nothing: the source that gives most, and for which item.

The source sum is a sum over sources of weight times score (`recsys.pipeline.candidate_scorer`), and the scores of some
sources are sums over the history. The largest of these parts names the reason, the item of the history with the largest
share of it stands behind it. Nothing is run again, and no other part of the ranker's opinion is looked at: the full
explanation does that.

What counts as a part, and which facts it gives, follows `recsys.explain.facts.from_sources`:

- the whole score of an item-to-item source, where an item can be named with which users chose the listed one. A
  borrowed score is none: that other items were chosen together says nothing of this one;
- the text part of the two-tower, less that of an average item, since inner products have no zero of their own; where
  both texts are alike enough to say so;
- what a source from outside says of the history, if it tells similar items by behaviour or content.

What is left of the two-tower, factorisations and other sources that know users are a taste, for which no item of the
history stands. It is the reason where no part names an item and such a source proposed the listed one. Sensitive items
of a history are never named; the next one is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.core.half import halves
from recsys.core.item_slots import item_slots
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array, UInt16Array
from recsys.explain.cheap.reason_kernels import NOTHING, Offers, find_tastes, name_items, offer_lists, offer_text
from recsys.explain.fact import OF_BEHAVIOUR, Kind
from recsys.explain.facts.from_sources import LEAST_LIKENESS, kind_of_source, most_fitting, told_by
from recsys.pipeline.recommendations import Recommendations
from recsys.pipeline.recommender import Recommender
from recsys.sources.base import Source
from recsys.sources.exact import is_seen
from recsys.sources.hybrid import Hybrid
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.two_tower.source import TwoTowerSource

_UNCOUNTED: UInt16Array = np.zeros((0, 0), np.uint16)
_MEAN_OF = 4096  # rows of which the average item's text is made; rows are in no order


@dataclass(frozen=True)
class Reasons:
    """Why the items of B lists are there.

    Attributes:
        kinds: of the facts that the S sources give; None for one that says the same of everyone.
        sources: int64 [B, K], number of the source that gives most; -1 where none names an item of the history.
        positions: int64 [B, K], in the history, of the item with the largest share of that source's score; of an item
            that it holds several times the latest. -1 likewise.
        items: int32 [B, K], rows of these items; `NO_ITEM` likewise.
        counts: int64 [B, K], how many users stand behind both items, 1 of content; 0 of a transition that nobody took
            this way round: its fact is a co-purchase of one, as in `recsys.explain.facts.from_sources.told_by`. -1
            where no item is named.
        parts: float64 [B, K], the source's part of the source sum; 0 likewise.
        taste: bool [B, K], whether it is the reason instead.
    """

    kinds: tuple[Kind | None, ...]
    sources: Int64Array
    positions: Int64Array
    items: Int32Array
    counts: Int64Array
    parts: Float64Array
    taste: BoolArray


@dataclass(frozen=True)
class CheapReasons:
    """Finds the reasons of lists.

    Attributes:
        sources: S of them, whose weighted scores make the source sum.
        weights: of these, by name.
        hidden: bool [N], items of histories that are not to be named.
    """

    sources: tuple[Source, ...]
    weights: Mapping[str, float]
    hidden: BoolArray

    @classmethod
    def of_recommender(cls, recommender: Recommender, hidden: BoolArray | None = None) -> CheapReasons:
        """For the lists of the full pipeline; None: nothing is hidden."""
        if recommender.ranker is None:
            return cls.of_source(recommender.primary, hidden)
        scorer = recommender.ranker.scorer
        weights = {source.name: scorer.weights.get(source.name, 0.0) for source in scorer.sources}
        return cls._of([source for source in scorer.sources if weights[source.name] > 0], weights, hidden)

    @classmethod
    def of_source(cls, source: Source, hidden: BoolArray | None = None) -> CheapReasons:
        """For the lists of a source alone, of a hybrid by its members; None: nothing is hidden."""
        if isinstance(source, Hybrid):
            return cls._of(list(source.members.values()), source.weights, hidden)
        return cls._of([source], {source.name: 1.0}, hidden)

    @classmethod
    def _of(cls, sources: list[Source], weights: Mapping[str, float], hidden: BoolArray | None) -> CheapReasons:
        nothing: BoolArray = np.zeros(max((source.n_items for source in sources), default=0), np.bool_)
        return cls(tuple(sources), weights, nothing if hidden is None else hidden)

    @cached_property
    def kinds(self) -> tuple[Kind | None, ...]:
        """Of the facts that the sources give; None for one that says the same of everyone."""
        return tuple(kind_of_source(source) for source in self.sources)

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.hidden)

    @property
    def of_lists_alone(self) -> bool:
        """Whether reasons follow from the lists, and from items, weights and ratings of the histories.

        A source from outside may look at whatever a query tells, such as the time.
        """
        ours = ItemToItem, TwoTowerSource
        named = zip(self.sources, self.kinds, strict=True)
        return all(isinstance(source, ours) or kind in (None, Kind.TASTE) for source, kind in named)

    @property
    def personal(self) -> bool:
        """Whether any source knows users."""
        return any(self.kinds) or not self.sources

    def of(self, queries: Queries, lists: Recommendations) -> Reasons:
        """The reasons of what sources proposed for B queries; popular items that fill lists up have none."""
        items = lists.personal_items
        offers = _no_offers(items.shape, int(queries.histories.lengths.max(initial=0)))
        for number, source in enumerate(self.sources):
            if isinstance(source, ItemToItem):
                if source.support is None and self.kinds[number] in OF_BEHAVIOUR:
                    continue  # nothing may be said of it
                self._offer_lists(source, number, queries, items, offers)
            elif isinstance(source, TwoTowerSource):
                self._offer_text(source, number, queries, items, offers)
            elif self.kinds[number] not in (None, Kind.TASTE):
                self._offer_why(source, number, queries, items, offers)
        past, named = queries.histories, np.empty_like(items)
        self._tell_of_others(queries, items, offers)
        sources, positions, counts = offers.found
        name_items(past.indptr, past.items, positions, named)
        taste = self._taste(queries, lists, items, sources)
        return Reasons(self.kinds, sources, positions, named, counts, offers.parts, taste)

    def _offer_lists(
        self, source: ItemToItem, number: int, queries: Queries, items: Int32Array, offers: Offers
    ) -> None:
        past = queries.histories
        offer_lists(
            past.indptr,
            past.items,
            past.weights,
            items,
            self.hidden,
            source.neighbours,
            halves(source.scaled),
            _UNCOUNTED if source.support is None else source.support,
            0 if self.kinds[number] is Kind.NEXT_PURCHASE else 1,
            most_fitting(source.n_items),
            source.scale,
            source.decay,
            self.weights[source.name],
            number,
            item_slots.of(self.n_items),
            offers,
        )

    def _offer_text(
        self, source: TwoTowerSource, number: int, queries: Queries, items: Int32Array, offers: Offers
    ) -> None:
        past, match = queries.histories, source.match
        if match is None:
            return
        offer_text(
            past.indptr,
            past.items,
            items,
            self.hidden,
            halves(source.item_embeddings),
            self._usual_text[source.name],
            LEAST_LIKENESS,
            source.tower.max_history,
            match.scale,
            match.decay,
            self.weights[source.name],
            number,
            item_slots.of(self.n_items),
            offers,
        )

    def _offer_why(self, source: Source, number: int, queries: Queries, items: Int32Array, offers: Offers) -> None:
        """Offer what a source from outside says of its scores, row by row: few have one."""
        parts = offers.parts
        by_position, past = source.why(queries, items).by_position, queries.histories
        for row, column in np.argwhere(items != NO_ITEM).tolist():
            history = past.items[past.indptr[row] : past.indptr[row + 1]]
            of_item = {int(item): position for position, item in enumerate(history)}
            shares = {item: by_position[row, column, : len(history)][history == item].sum() for item in of_item}
            part = self.weights[source.name] * sum(shares.values())
            listed = int(items[row, column])
            said = {item: told_by(source, item, listed) for item in of_item if item != listed and not self.hidden[item]}
            counts = {item: told[1] for item, told in said.items() if told is not None}
            best = max(counts, key=lambda item: (shares[item], of_item[item]), default=NO_ITEM)
            if best != NO_ITEM and shares[best] > 0 and part > parts[row, column]:
                parts[row, column] = part
                offers.found[:, row, column] = number, of_item[best], counts[best]

    def _tell_of_others(self, queries: Queries, items: Int32Array, offers: Offers) -> None:
        """Of items that the user chose before, see `recsys.explain.facts.from_sources`."""
        sources, positions, counts = offers.found
        again = is_seen(items, np.arange(len(items))[:, None], queries.histories) & (sources >= 0)
        if again.any():
            again &= np.array([kind in OF_BEHAVIOUR for kind in self.kinds])[sources]
            alone = again & (counts <= 1)
            sources[alone] = positions[alone] = NOTHING
            offers.parts[alone] = 0
            counts[again] = 1

    @cached_property
    def _usual_text(self) -> dict[str, Float32Array]:
        """Text columns of the average item, of each two-tower."""
        means = {}
        for source in self.sources:
            if isinstance(source, TwoTowerSource) and source.match is not None:
                sample = source.item_embeddings[:: max(1, source.n_items // _MEAN_OF), -source.match.dim :]
                means[source.name] = sample.mean(axis=0, dtype=np.float32)
        return means

    def _taste(self, queries: Queries, lists: Recommendations, items: Int32Array, sources: Int64Array) -> BoolArray:
        """Bool [B, K], see `Reasons`. Of a list that one source made, or a hybrid, that source is who proposed."""
        taste = np.zeros(items.shape, np.bool_)
        names = {
            source.name for source, kind in zip(self.sources, self.kinds, strict=True) if _knows_taste(source, kind)
        }
        if names:
            proposing = np.array([row for row, name in enumerate(lists.sources) if name in names], np.int64)
            find_tastes(queries.histories.indptr, items, sources, lists.proposed, proposing, taste)
        return taste


def _knows_taste(source: Source, kind: Kind | None) -> bool:
    return kind is Kind.TASTE or isinstance(source, TwoTowerSource)


def _no_offers(shape: tuple[int, ...], longest: int) -> Offers:
    """For lists of that shape [B, K] and histories of at most so many interactions."""
    shares, behind = np.empty((shape[1], longest)), np.empty((shape[1], longest), np.uint16)
    return Offers(shares, behind, np.zeros(shape), np.full((3, *shape), NOTHING))
