"""How the index searches: partitions, and items whose scores are computed exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from recsys.sources.two_tower.settings import IndexConfig

RECALL_AT = 100
# Measured on clustered 64-dimensional embeddings at recall@100 of .99 and more: partitions grow about with
# 2 sqrt(n), and a smaller share of them needs to be searched. Between these sizes, interpolated on log scales.
_SIZES = (5_000, 65_000, 500_000, 2_000_000)
_LEAVES = (140, 500, 1500, 3000)
_LEAVES_TO_SEARCH = (80, 150, 75, 90)
_REORDER = (250, 300, 800, 500)
_SMALLEST_TREE = 1000  # asymmetric hashing learns 16 codes a block; fewer items than this gain nothing by it
_WIDENING = 1.5  # step by which the search widens until the recall is reached
_NARROWING = 0.8  # step by which it narrows while the recall stays
_CODES_AN_ITEM = 30  # items scored by their codes in the time that it takes to rescore one


@dataclass(frozen=True)
class IndexParameters:
    """How the index searches.

    Attributes:
        leaves: partitions of the tree; 0: no tree, every search is exact.
        leaves_to_search: partitions searched for a query.
        reorder: items that the quantised search gives, whose scores are then computed exactly.
    """

    leaves: int = 0
    leaves_to_search: int = 0
    reorder: int = 0

    @property
    def exact(self) -> bool:
        return self.leaves == 0

    def widened(self, n_items: int) -> IndexParameters:
        """The next wider search over the same partitions; equal to this one when there is none."""
        return replace(
            self,
            leaves_to_search=min(self.leaves, math.ceil(self.leaves_to_search * _WIDENING)),
            reorder=min(n_items, math.ceil(self.reorder * _WIDENING)),
        )

    def of_fewer_partitions(self) -> IndexParameters:
        """The next narrower search that looks into fewer partitions; equal to this one when there is none."""
        return replace(self, leaves_to_search=max(1, math.floor(self.leaves_to_search * _NARROWING)))

    def of_fewer_items(self) -> IndexParameters:
        """The next narrower search that rescores fewer items; equal to this one when there is none."""
        return replace(self, reorder=max(min(RECALL_AT, self.reorder), math.floor(self.reorder * _NARROWING)))

    def cost(self, n_items: int) -> float:
        """About what a search takes, as the time to rescore so many items."""
        return self.leaves_to_search / self.leaves * n_items / _CODES_AN_ITEM + self.reorder


def choose_parameters(n_items: int, config: IndexConfig) -> IndexParameters:
    """Parameters for a catalogue of `n_items`: exact search below `config.exact_below`, else tree + AH + reorder.

    What the config names is taken as it is, as far as the catalogue's size allows.
    """
    if n_items < max(config.exact_below, _SMALLEST_TREE):
        return IndexParameters()

    def interpolated(values: tuple[int, ...]) -> int:
        return round(float(np.exp(np.interp(np.log(n_items), np.log(_SIZES), np.log(values)))))

    leaves = min(config.leaves or interpolated(_LEAVES), n_items // 2)
    leaves_to_search = min(config.leaves_to_search or interpolated(_LEAVES_TO_SEARCH), leaves)
    return IndexParameters(leaves, leaves_to_search, min(config.reorder or interpolated(_REORDER), n_items))
