"""Allow: which items a list may hold. Every restriction holds for what sources propose and for what fills a list up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Final, Literal, Self

import numpy as np

from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import BoolArray, Int32Array
from recsys.sources.exact import is_among, is_seen

PURCHASES: Final = "purchases"
# Which items of the history a list leaves out: all, none, or what was bought.
ExcludeSeen = bool | Literal["purchases"]

_SELECTIVE_DEPTH = 1000


class Restriction(ABC):
    """Says which items the list of a query may hold.

    Attributes:
        selective: whether it may drop most of what is proposed. Sources are asked for more at once then; of the others
            it is seen for each query what they drop.
    """

    selective: ClassVar[bool] = True

    @abstractmethod
    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Whether each item may be in the list of its query, bool [B, C]; beside `NO_ITEM` any value.

        Args:
            queries: B queries.
            items: int32 [B, C], rows of the catalogue or `NO_ITEM`.
        """

    def select(self, rows: Sequence[int]) -> Restriction:  # noqa: ARG002
        """The restriction of some of the queries, for one that was made for a batch."""
        return self


@dataclass(frozen=True)
class Among(Restriction):
    """The same items for every query, such as those of a brand.

    Attributes:
        mask: bool [N], whether each item of the catalogue is allowed.
    """

    mask: BoolArray

    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:  # noqa: ARG002
        """Look the items up."""
        allowed: BoolArray = self.mask[items]
        return allowed


class AllBut(Among):
    """All items but some, whatever a request asks for, such as those that are sold out."""

    selective = False


@dataclass(frozen=True)
class Only(Among):
    """Some items alone, each of which is ranked, whether or not a source proposes it.

    Attributes:
        rows: int32 [W], those items, each once.
    """

    rows: Int32Array

    @classmethod
    def of(cls, rows: Sequence[int], n_items: int) -> Self:
        """The items of these rows of a catalogue of N."""
        mask = np.zeros(n_items, np.bool_)
        mask[list(rows)] = True
        return cls(mask, np.flatnonzero(mask).astype(np.int32))


class Unseen(Restriction):
    """Items that are not in the query's history."""

    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Look the items up in the histories."""
        return ~is_seen(items, np.arange(len(items))[:, None], queries.histories)


class Unbought(Restriction):
    """Items that the user has not bought, see `Queries.bought`; where nothing is known of that, unseen ones."""

    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Look the items up in what was bought."""
        bought = queries.histories if queries.bought is None else queries.bought
        return ~is_seen(items, np.arange(len(items))[:, None], bought)


@dataclass(frozen=True)
class Unless(Restriction):
    """What another restriction allows, and some items of each query.

    Attributes:
        restriction: the other.
        items: int32 [B, P], padded with `NO_ITEM`.
    """

    restriction: Restriction
    items: Int32Array

    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Ask the other, and look the items up."""
        return self.restriction.allows(queries, items) | is_among(items, self.items)

    def select(self, rows: Sequence[int]) -> Restriction:
        """Both parts of it."""
        return Unless(self.restriction.select(rows), self.items[rows])


@dataclass(frozen=True)
class Allowed:
    """The items that all restrictions allow.

    Attributes:
        exclude_seen: whether `Unseen` is among the restrictions. It is kept apart because sources leave seen items
            out by themselves, before they count how many they propose.
        restrictions: the others.
        repeats: whether items of the history that are allowed repeat a choice, which a ranker knows to be likely or
            not. What was only viewed is no choice yet: it is ranked as if it were not in the history.
        viewed: whether items of the history are candidates by themselves, without a source that proposes them.
        again: int32 [B, P], items of the histories that are allowed although seen ones are not, see `Plan`.
    """

    exclude_seen: bool = True
    restrictions: tuple[Restriction, ...] = ()
    repeats: bool = False
    viewed: bool = False
    again: Int32Array | None = None

    @classmethod
    def of(
        cls, exclude_seen: ExcludeSeen, restrictions: Sequence[Restriction], again: Int32Array | None = None
    ) -> Self:
        """The restrictions, and what becomes of items of the history."""
        if exclude_seen == PURCHASES:
            unbought: Restriction = Unbought() if again is None else Unless(Unbought(), again)
            return cls(False, (unbought, *restrictions), viewed=True, again=again)
        return cls(bool(exclude_seen), tuple(restrictions), repeats=not exclude_seen, again=again)

    def select(self, rows: Sequence[int]) -> Allowed:
        """The same of some of the queries."""
        restrictions = tuple(one.select(rows) for one in self.restrictions)
        return replace(self, restrictions=restrictions, again=None if self.again is None else self.again[rows])

    def depth(self, depth: int, n_items: int, *, dropped: bool = False) -> int:
        """How many items to ask a source for instead of `depth`: more where restrictions may drop most of them.

        Args:
            depth, n_items: see above; N, items of the catalogue.
            dropped: whether they did drop most of as many as that.
        """
        selective = dropped or any(restriction.selective for restriction in self.restrictions)
        return min(max(depth, _SELECTIVE_DEPTH), n_items) if selective else depth

    def keep(self, queries: Queries, proposed: Int32Array) -> Int32Array:
        """What a source proposed [B, C], `NO_ITEM` for what `restrictions` forbid; seen items it left out by itself."""
        for restriction in self.restrictions:
            kept = (proposed != NO_ITEM) & restriction.allows(queries, proposed)
            proposed = np.where(kept, proposed, np.int32(NO_ITEM))
        return proposed

    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Whether all restrictions allow the items [B, C]."""
        allowed = np.ones(items.shape, np.bool_)
        for restriction in self._all:
            allowed &= restriction.allows(queries, items)
        return allowed

    @cached_property
    def mask(self) -> BoolArray | None:
        """Bool [N], the items that all restrictions allow which are the same for every query; None: there are none."""
        masks = [one.mask for one in self.restrictions if isinstance(one, Among)]
        return np.logical_and.reduce(masks) if masks else None

    @property
    def _all(self) -> tuple[Restriction, ...]:
        if not self.exclude_seen:
            return self.restrictions
        unseen: Restriction = Unseen() if self.again is None else Unless(Unseen(), self.again)
        return (unseen, *self.restrictions)
