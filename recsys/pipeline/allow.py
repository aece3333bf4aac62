"""Allow: which items a list may hold. Every rule holds for what sources propose and for what fills a list up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np

from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import BoolArray, Int32Array
from recsys.sources.exact import is_seen

PURCHASES: Final = "purchases"
# Which items of the history a list leaves out: all, none, or what was bought.
ExcludeSeen = bool | Literal["purchases"]

_SELECTIVE_DEPTH = 1000


class Rule(ABC):
    """Says which items the list of a query may hold."""

    @abstractmethod
    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Whether each item may be in the list of its query, bool [B, C]; beside `NO_ITEM` any value.

        Args:
            queries: B queries.
            items: int32 [B, C], rows of the catalogue or `NO_ITEM`.
        """


@dataclass(frozen=True)
class Among(Rule):
    """The same items for every query, such as those of a brand.

    Attributes:
        mask: bool [N], whether each item of the catalogue is allowed.
    """

    mask: BoolArray

    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:  # noqa: ARG002
        """Look the items up."""
        allowed: BoolArray = self.mask[items]
        return allowed


class Unseen(Rule):
    """Items that are not in the query's history."""

    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Look the items up in the histories."""
        return ~is_seen(items, np.arange(len(items))[:, None], queries.histories)


class Unbought(Rule):
    """Items that the user has not bought, see `Queries.bought`; where nothing is known of that, unseen ones."""

    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Look the items up in what was bought."""
        bought = queries.histories if queries.bought is None else queries.bought
        return ~is_seen(items, np.arange(len(items))[:, None], bought)


@dataclass(frozen=True)
class Allowed:
    """The items that all rules allow.

    Attributes:
        exclude_seen: whether `Unseen` is among the rules. It is kept apart because sources leave seen items out by
            themselves, before they count how many they propose.
        rules: the others.
        repeats: whether items of the history that are allowed repeat a choice, which a ranker knows to be likely or
            not. What was only viewed is no choice yet: it is ranked as if it were not in the history.
        viewed: whether items of the history are candidates by themselves, without a source that proposes them.
    """

    exclude_seen: bool = True
    rules: tuple[Rule, ...] = ()
    repeats: bool = False
    viewed: bool = False

    @classmethod
    def of(cls, exclude_seen: ExcludeSeen, rules: Sequence[Rule]) -> Self:
        """The rules, and what becomes of items of the history."""
        if exclude_seen == PURCHASES:
            return cls(False, (Unbought(), *rules), viewed=True)
        return cls(bool(exclude_seen), tuple(rules), repeats=not exclude_seen)

    def depth(self, depth: int, n_items: int) -> int:
        """How many items to ask a source for instead of `depth`: more where rules may drop most of them."""
        return min(max(depth, _SELECTIVE_DEPTH), n_items) if self.rules else depth

    def keep(self, queries: Queries, proposed: Int32Array) -> Int32Array:
        """What a source proposed [B, C], with `NO_ITEM` for what `rules` forbid; seen items it left out by itself."""
        for rule in self.rules:
            kept = (proposed != NO_ITEM) & rule.allows(queries, proposed)
            proposed = np.where(kept, proposed, np.int32(NO_ITEM))
        return proposed

    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Whether all rules allow the items [B, C]."""
        allowed = np.ones(items.shape, np.bool_)
        for rule in (Unseen(), *self.rules) if self.exclude_seen else self.rules:
            allowed &= rule.allows(queries, items)
        return allowed
