"""What several sources score, computed once, so that trying weights of a hybrid costs milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.core.queries import NO_ITEM, Candidates
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
from recsys.measure.metrics import Relevant, membership, ranking_metrics
from recsys.measure.protocol import HeldOut
from recsys.sources.base import Source
from recsys.sources.exact import top_k_sparse
from recsys.sources.leads import Leads

DEPTH = 100
BLOCK_USERS = 512  # whose leads are held at a time: some 12 kB of each for a member
LEAST_TYPICAL = 1e-5  # contributions of real sources are hundreds of times as high


@dataclass(frozen=True)
class CandidateScores:
    """Contributions of M sources to the items that a list may hold and one of them ranks among its first `DEPTH`.

    A weighted sum of sources is ranked among these C candidates of a user instead of the catalogue. Users none of
    whose candidates is relevant are left out: their figures are 0 whatever the weights.

    Attributes:
        names: of the M sources.
        contributions: float32 [M, U, C], see `Leads`; 0 beside padding.
        items: int32 [U, C], `NO_ITEM` pads on the right.
        relevant: what is wanted of the U users, see `HeldOut.wanted`.
        rows: int32 [U], user rows.
        wanting: int32, user rows of all who want an item, those left out included.
        scales: float64 [M], median over users of a source's highest contribution to such an item.
    """

    names: tuple[str, ...]
    contributions: Float32Array
    items: Int32Array
    relevant: Relevant
    rows: Int32Array
    wanting: Int32Array
    scales: Float64Array

    @property
    def users(self) -> int:
        """Number of users with a wanted item, those left out included."""
        return len(self.wanting)

    @classmethod
    def of(cls, members: Mapping[str, Source], held: HeldOut) -> CandidateScores:
        """Score all of `held` with each member, in blocks of users.

        Args:
            members: at least one, all over the same catalogue.
            held: users and what they chose.
        """
        relevant = held.wanted
        parts: list[tuple[Float32Array, Int32Array]] = []
        kept: list[Int64Array] = []
        best: list[Float32Array] = []
        for part, block in held.queries.blocks(BLOCK_USERS):
            leads = Leads.of(list(members.values()), block)
            first = leads.best(DEPTH, exclude_seen=not held.repeats)
            best.append(highest_of(first))
            items = _union([candidates.items for candidates in first])
            wanted = relevant.select(np.arange(part.start, part.stop))
            rows = np.flatnonzero(membership(items, wanted).any(axis=1))
            parts.append((leads.of_items(items)[:, rows], items[rows]))
            kept.append(part.start + rows)
        width, users = max((items.shape[1] for _, items in parts), default=0), np.concatenate(kept)
        return cls(
            tuple(members),
            np.concatenate([_widen(scores, width, 0) for scores, _ in parts], axis=1),
            np.concatenate([_widen(items, width, NO_ITEM) for _, items in parts]),
            relevant.select(users),
            held.users[users],
            held.users[relevant.counts > 0],
            typical(np.concatenate(best, axis=1)),
        )

    def only(self, names: Sequence[str]) -> CandidateScores:
        """The same candidates with the contributions of some of the sources, in the order of `names`."""
        rows = [self.names.index(name) for name in names]
        return replace(self, names=tuple(names), contributions=self.contributions[rows], scales=self.scales[rows])

    def of_users(self, chosen: BoolArray) -> CandidateScores:
        """The same of those users whom `chosen` holds of all user rows; scales stay those of all."""
        kept = np.flatnonzero(chosen[self.rows])
        return replace(
            self,
            contributions=self.contributions[:, kept],
            items=self.items[kept],
            relevant=self.relevant.select(kept),
            rows=self.rows[kept],
            wanting=self.wanting[chosen[self.wanting]],
        )

    def figures(self, weights: NDArray[np.floating], cutoff: int) -> dict[str, float]:
        """Mean NDCG and recall at `cutoff` of the weighted sum, by name such as "ndcg@10".

        Args:
            weights: float [M], of the contributions.
            cutoff: length of the lists.
        """
        used = np.flatnonzero(weights)
        total = np.zeros(self.items.shape, np.float32)
        for member in used:
            total += np.float32(weights[member]) * self.contributions[member]
        best = _highest(total, cutoff)
        ranked = np.where(best == NO_ITEM, NO_ITEM, np.take_along_axis(self.items, np.maximum(best, 0), axis=1))
        figures = ranking_metrics(ranked, self.relevant, [cutoff])
        return {
            name: float(figures[name].sum(dtype=np.float64)) / max(self.users, 1)
            for name in (f"ndcg@{cutoff}", f"recall@{cutoff}")
        }


def highest_of(first: Sequence[Candidates]) -> Float32Array:
    """The highest contribution of each member float32 [M, B], of what `Leads.best` gave; 0 where there is none."""
    return np.maximum(np.stack([candidates.scores[:, 0] for candidates in first]), 0)


def typical(best: NDArray[np.floating]) -> Float64Array:
    """Each source's median over the users whom it has something for, 1 if there are none: [M] of [M, U].

    What lies below `LEAST_TYPICAL` is as good as nothing, and a weight of its inverse would make a roar of it.
    """
    medians = [np.median(row[row > 0]) if (row > 0).any() else 1.0 for row in best]
    return np.maximum(np.array(medians, np.float64), LEAST_TYPICAL)


def _highest(contributions: Float32Array, k: int) -> Int32Array:
    """Columns of the k highest positive contributions of each row [B, C]: int32 [B, k], padded with `NO_ITEM`."""
    rows, columns = np.nonzero(contributions)
    return top_k_sparse(rows, columns, contributions[rows, columns], len(contributions), k).items


def _union(lists: Sequence[Int32Array]) -> Int32Array:
    """Every item of a row in any of the lists [B, K] once: [B, longest], `NO_ITEM` pads on the right."""
    items = np.sort(np.concatenate(lists, axis=1), axis=1)
    repeated = items[:, 1:] == items[:, :-1]
    items[:, 1:][repeated] = NO_ITEM
    items = -np.sort(-items, axis=1)
    return items[:, : int((items != NO_ITEM).sum(axis=1).max(initial=0))]


def _widen(values: NDArray[np.generic], width: int, fill: float) -> NDArray[np.generic]:
    """`values` [..., C] padded on the right to [..., width]."""
    room = [(0, 0)] * (values.ndim - 1) + [(0, width - values.shape[-1])]
    return np.pad(values, room, constant_values=fill)
