"""What a group of features is, what it is fitted on, and what it computes its features from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.histories import Histories
from recsys.core.types import Float32Array
from recsys.pipeline.finalists import ScoredCandidates
from recsys.pipeline.ratings.predictor import RatingPredictor
from recsys.sources.lending import Loans
from recsys.sources.new_items import NewItems


@dataclass(frozen=True)
class CatalogueData:
    """What groups are fitted on: N items, and the interactions before the moment that the features describe.

    Attributes:
        histories: the training interactions.
        prices: float [N], NaN or not positive where unknown.
        brands: N names; None or empty where unknown.
        categories: names for each of the N items; their order says nothing. None or empty where unknown.
        loans: which items borrow what only interactions could tell.
    """

    histories: Histories
    prices: NDArray[np.floating]
    brands: Sequence[str | None]
    categories: Sequence[Sequence[str] | None]
    loans: Loans


@dataclass(frozen=True)
class FeatureParts:
    """The other parts of a pipeline that features read.

    Attributes:
        primary: name of the primary source, whose scores stand first among those of a candidate.
        scorers: names of the sources whose scores are features; they follow the primary one in this order.
        predictor: of ratings; None: there is no rating feature.
    """

    primary: str
    scorers: tuple[str, ...]
    predictor: RatingPredictor | None


class CategoryPlace(NamedTuple):
    """Where a name is found in a catalogue: a row, and how many other distinct names stand before it there."""

    row: int
    before: int


@dataclass(frozen=True)
class ChangedItems:
    """What is other in a catalogue than when groups were fitted: fields of some of its N items, and M new ones.

    Attributes:
        new: the new items, in the rows behind the N.
        prices: by row, of items that have another one, and of new ones; None or not positive where unknown.
        brands: likewise; None or empty where unknown.
        categories: likewise; empty where unknown.
        brand_rows: of each brand that any of the N items had, a row of one that had it.
        category_places: of each category that any of them had, a place of it.
    """

    new: NewItems
    prices: Mapping[int, float | None]
    brands: Mapping[int, str | None]
    categories: Mapping[int, Sequence[str]]
    brand_rows: Mapping[str, int]
    category_places: Mapping[str, CategoryPlace]

    def __bool__(self) -> bool:
        """Whether anything is other."""
        return bool(len(self.new) or self.prices or self.brands or self.categories)


@dataclass(frozen=True)
class FeatureInput:
    """What the features of the candidates of B queries are computed from.

    Attributes:
        histories: of the queries.
        vectors: float32 [B, D], their user vectors.
        candidates: int32 [B, C] items, with what the sources say of them.
        last_scores: float32 [R, B, C], what the scorers say of the candidates if each history is its last item alone.
    """

    histories: Histories
    vectors: Float32Array
    candidates: ScoredCandidates
    last_scores: Float32Array


class FeatureGroup(ABC):
    """Features that come from the same thing, such as prices.

    Nothing in them knows an item chosen later, and nothing depends on an item's row number.
    """

    @property
    @abstractmethod
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the features, by the heading under which reports show them, in the order of their columns."""

    @property
    @abstractmethod
    def n_items(self) -> int | None:
        """Size of the catalogue that it was fitted on; None for a group that learns nothing of items."""

    @classmethod
    @abstractmethod
    def fit(cls, data: CatalogueData, parts: FeatureParts) -> Self:
        """Learn what the features need of each item."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, parts: FeatureParts) -> Self:
        """Read what `save` wrote; arrays stay on disk and are mapped into memory."""

    @abstractmethod
    def changed(self, items: ChangedItems, parts: FeatureParts) -> Self:
        """The group in a changed catalogue, of other parts; it shares what did not change."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write what was learned into `folder`, which exists."""

    @abstractmethod
    def write(self, given: FeatureInput, features: Float32Array, first: int) -> None:
        """Write the features of all candidates but `NO_ITEM`.

        Args:
            given: of B queries with C candidates each.
            features: float32 [B, C, F], 0 where this group writes.
            first: the column of its first feature; the others follow.
        """


class FeatureGroupOfParts(FeatureGroup):
    """A group that learns nothing of its own: it is made of other parts of the pipeline."""

    @property
    def n_items(self) -> None:
        """None: nothing is learned."""

    @classmethod
    @abstractmethod
    def of(cls, parts: FeatureParts) -> Self:
        """The group for these parts."""

    @classmethod
    def fit(cls, data: CatalogueData, parts: FeatureParts) -> Self:  # noqa: ARG003
        """See `of`."""
        return cls.of(parts)

    def changed(self, items: ChangedItems, parts: FeatureParts) -> Self:  # noqa: ARG002
        """See `of`."""
        return self.of(parts)

    def save(self, folder: Path) -> None:
        """Write nothing."""

    @classmethod
    def load(cls, folder: Path, parts: FeatureParts) -> Self:  # noqa: ARG003
        """See `of`."""
        return cls.of(parts)
