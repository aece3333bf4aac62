"""What facts are checked against: numbers of a bundle's items, computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from recsys.bundle import Bundle, Catalogue
from recsys.core.queries import Queries
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
from recsys.explain.sensitive import SensitiveNames
from recsys.pipeline.features.popularity import PopularityFeatures
from recsys.sources.base import Source
from recsys.sources.registry import FALLBACK


@dataclass(frozen=True, eq=False)
class FactBase:
    """The numbers of N items on which facts rest.

    Attributes:
        bundle: whose items they are.
        sensitive_names: which categories no text names.
        prices: float64 [N], NaN where unknown or not positive.
        sensitive: bool [N], items with a sensitive category.
        category_sizes: number of items that bear each category.
    """

    bundle: Bundle
    sensitive_names: SensitiveNames
    prices: Float64Array
    sensitive: BoolArray
    category_sizes: Mapping[str, int]

    @classmethod
    def of(
        cls,
        bundle: Bundle,
        sensitive_names: SensitiveNames,
        prices: Float32Array,
        categories: Mapping[str, Int32Array],
    ) -> Self:
        """Of a bundle whose catalogue was read before.

        Args:
            bundle, sensitive_names: see above.
            prices: float32 [N], NaN where unknown.
            categories: rows of the items that bear each name.
        """
        sensitive = np.zeros(len(prices), np.bool_)
        for name, rows in categories.items():
            if sensitive_names.match(name):
                sensitive[rows] = True
        positive = np.where(prices > 0, prices, np.nan).astype(np.float64)
        sizes = {name: len(rows) for name, rows in categories.items()}
        return cls(bundle, sensitive_names, positive, sensitive, sizes)

    @property
    def n_items(self) -> int:
        """N."""
        return len(self.prices)

    @property
    def catalogue(self) -> Catalogue:
        """Titles, brands and categories."""
        return self.bundle.catalogue

    def source(self, name: str) -> Source:
        """The bundle's source of that name."""
        return self.bundle.source(name)

    @cached_property
    def popularity(self) -> Float32Array:
        """float32 [N], summed weight of each item's interactions, as the source that fills lists counts them."""
        popularity: Float32Array = self.source(FALLBACK).score(Queries.nobody())[0]
        return popularity

    @cached_property
    def popularity_ranks(self) -> Int64Array:
        """int64 [N], 1 plus the number of more popular items: equal ones share a rank."""
        no_more = np.searchsorted(np.sort(self.popularity), self.popularity, side="right")
        return np.asarray(self.n_items - no_more + 1, np.int64)

    def popularity_rank(self, item: int) -> int:
        """Of an item, see `popularity_ranks`."""
        return int(self.popularity_ranks[item])

    @cached_property
    def n_chosen(self) -> int:
        """Number of items that anybody chose: all others share the rank behind them."""
        return int(np.count_nonzero(self.popularity))

    @cached_property
    def trends(self) -> Float32Array | None:
        """float32 [N], the feature `trend` of the ranker, NaN for items that borrow it; None without a ranker."""
        ranker = self.bundle.ranker
        if ranker is None:
            return None
        for group in ranker.features.groups.values():
            if isinstance(group, PopularityFeatures):
                trends = group.trend.copy()
                trends[ranker.scorer.loans.borrowers] = np.nan
                return trends
        return None

    @cached_property
    def _rated(self) -> tuple[Int64Array, Float64Array]:
        """Number and sum of the ratings of each item."""
        histories = self.bundle.histories
        rated = ~np.isnan(histories.ratings)
        items = histories.items[rated]
        sums = np.bincount(items, histories.ratings[rated].astype(np.float64), self.n_items)
        return np.bincount(items, minlength=self.n_items).astype(np.int64), sums.astype(np.float64)

    def rating_count(self, item: int) -> int:
        """Number of an item's ratings in the histories of the bundle."""
        return int(self._rated[0][item])

    def mean_rating(self, item: int) -> float:
        """Mean of these ratings; NaN where there is none."""
        counts, sums = self._rated
        return float(sums[item] / counts[item]) if counts[item] else float("nan")

    @cached_property
    def usual_rating(self) -> float:
        """Mean of all ratings; NaN where there is none."""
        counts, sums = self._rated
        return float(sums.sum() / counts.sum()) if counts.any() else float("nan")

    def text_likeness(self, item: int, other: int) -> float | None:
        """Cosine of the text parts of two items' vectors; None where vectors have none, or one of both has no text."""
        two_tower = self.bundle.two_tower()
        if two_tower.match is None:
            return None
        texts = two_tower.item_embeddings[[item, other], -two_tower.match.dim :].astype(np.float64)
        lengths = np.linalg.norm(texts, axis=1)
        return float(texts[0] @ texts[1] / lengths.prod()) if lengths.all() else None
