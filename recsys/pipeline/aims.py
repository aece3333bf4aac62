"""What is aimed at: what a request, the shop's policy and a batch of queries mean for the lists together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Int32Array
from recsys.pipeline.allow import Allowed, Among, ExcludeSeen, Only, Restriction
from recsys.pipeline.arrange import Arrangement
from recsys.pipeline.policy import Plan, Policy, UserVectors

_MOST_VIEWED = 32  # latest items of a history that are ranked by themselves where it is no reason to leave them out


@dataclass(frozen=True)
class Aims:
    """What is aimed at for a batch of queries.

    Attributes:
        k: length of the lists.
        depth: ranked items that are looked at to make them.
        allowed: what they may hold.
        plan: what a policy wants; None: nothing.
        invited: int32 [B, W], allowed items that are ranked without a source that proposes them; None: none.
        for_strangers: int32 [B, V], the same of queries without a history, for which nothing is ranked: they stand
            behind the popular items that an arrangement sees. None: none.
        named: int32 [B, W], allowed items that the request names, see `Only`: they are ranked likewise, but an item of
            the history among them repeats a choice. Empty rows for strangers. None: the request names none.
        first: int32 [B, G], items that the lists begin with, as they were shown before, padded with `NO_ITEM`; None:
            none were. An arrangement goes on behind them.
    """

    k: int
    depth: int
    allowed: Allowed
    plan: Plan | None
    invited: Int32Array | None
    for_strangers: Int32Array | None = None
    named: Int32Array | None = None
    first: Int32Array | None = None

    @property
    def least(self) -> int:
        """How many candidates are to be ranked at least: k, or all that the request names."""
        return self.k if self.named is None else max(self.k, self.named.shape[1])

    @property
    def unproposed(self) -> Int32Array | None:
        """int32 [B, ...], all that is ranked whether or not a source proposes it; None: nothing."""
        parts = [part for part in (self.invited, self.named) if part is not None]
        return np.concatenate(parts, axis=1) if parts else None

    @property
    def arrangement(self) -> Arrangement | None:
        """What chooses among the ranked items; None: the first k make the list."""
        return None if self.plan is None else self.plan.arrangement


@dataclass(frozen=True)
class Wanted:
    """What is wanted of lists, whoever they are for; see `Recommender.recommend`."""

    exclude_seen: ExcludeSeen
    restrictions: tuple[Restriction, ...]
    policy: Policy | None

    @property
    def _filters(self) -> tuple[Among, ...]:
        """What the request asks for alone, for every query alike."""
        return tuple(one for one in self.restrictions if isinstance(one, Among) and one.selective)

    def aims(self, queries: Queries, k: int, vectors: UserVectors | None = None) -> Aims:
        """What that means for a batch; `vectors`: see `Policy.plan`."""
        plan = None if self.policy is None else self.policy.plan(queries, k, vectors, self._filters)
        if plan is None:
            allowed = Allowed.of(self.exclude_seen, self.restrictions)
            viewed = _viewed(queries, allowed) if allowed.viewed else None
            return Aims(k, k, allowed, None, viewed, named=self._named(queries, allowed))
        again = plan.again if plan.again.shape[1] else None
        allowed = Allowed.of(self.exclude_seen, (*self.restrictions, *plan.restrictions), again)
        depth = k if plan.arrangement is None else max(k, plan.arrangement.depth)
        strangers, named = _for_strangers(queries, allowed, plan), self._named(queries, allowed)
        return Aims(k, depth, allowed, plan, _invited(queries, allowed, plan), strangers, named)

    def _named(self, queries: Queries, allowed: Allowed) -> Int32Array | None:
        """Of the items that the request names, those int32 [B, W] that each query may have; none for strangers."""
        only = next((one for one in self.restrictions if isinstance(one, Only)), None)
        if only is None:
            return None
        items = np.tile(only.rows, (len(queries), 1))
        listed = (queries.histories.lengths > 0)[:, None] & allowed.allows(queries, items)
        return np.where(listed, items, np.int32(NO_ITEM))


def _viewed(queries: Queries, allowed: Allowed) -> Int32Array:
    """The latest items of each history that are allowed: int32 [B, L], padded with `NO_ITEM`."""
    latest = queries.histories.last(_MOST_VIEWED)
    return allowed.keep(queries, latest.padded(latest.items, NO_ITEM).astype(np.int32))


def _invited(queries: Queries, allowed: Allowed, plan: Plan) -> Int32Array | None:
    """Items int32 [B, W] of the history or of rules that are ranked by themselves; nothing is ranked for strangers."""
    parts = [plan.again, plan.invited, *([_viewed(queries, allowed)] if allowed.viewed else [])]
    items = np.concatenate(parts, axis=1)
    if not items.shape[1]:
        return None
    listed = (items != NO_ITEM) & (queries.histories.lengths > 0)[:, None] & allowed.allows(queries, items)
    return np.where(listed, items, np.int32(NO_ITEM))


def _for_strangers(queries: Queries, allowed: Allowed, plan: Plan) -> Int32Array | None:
    """Of what rules invite, the allowed items int32 [B, V] of strangers."""
    strangers = queries.histories.lengths == 0
    if not plan.invited.shape[1] or not strangers.any():
        return None
    listed = (plan.invited != NO_ITEM) & strangers[:, None] & allowed.allows(queries, plan.invited)
    return np.where(listed, plan.invited, np.int32(NO_ITEM))
