"""What leaves the pipeline: the lists of a batch of queries, with what answers say of their items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array

_NO_SCORE, _UNKNOWN = np.float32(-np.inf), np.float32(np.nan)


def names_of(rules: Sequence[str], chosen: Iterable[object]) -> list[str]:
    """Those of a policy's R rules that are chosen, in their order; `chosen` says so of each of them."""
    return [rule for rule, is_chosen in zip(rules, chosen, strict=True) if is_chosen]


@dataclass(frozen=True)
class Moves:
    """What the rules of a policy did to B lists.

    Attributes:
        rules: names of the policy's R rules.
        ranks_before: int64 [B, k], rank of each item, from 1, before anything was arranged; 0 for padding.
        moved_by: bool [B, k, R], which rules put each item where it is.
        shortened_by: bool [B, R], which rules are why a list is shorter than k.
        cut: bool [B], lists for which rules may have taken items of the model's: they forbid some, or left out some
            where not enough others were ranked.
        placing: see `recsys.pipeline.policy.Plan`.
        offset: how many items the lists had before the first of these.
    """

    rules: tuple[str, ...]
    ranks_before: Int64Array
    moved_by: BoolArray
    shortened_by: BoolArray
    cut: BoolArray
    placing: frozenset[str] = frozenset()
    offset: int = 0

    @property
    def placed(self) -> BoolArray:
        """Bool [B, k], items that would not be in the list had the shop not placed them there."""
        k = self.offset + self.ranks_before.shape[1]
        if not self.placing:
            return np.zeros(self.ranks_before.shape, np.bool_)
        placing = np.array([rule in self.placing for rule in self.rules])
        placed: BoolArray = (self.moved_by & placing).any(axis=2) & (self.ranks_before > k)
        return placed

    def select(self, rows: Int64Array) -> Moves:
        """Those of some of the lists."""
        return replace(
            self,
            ranks_before=self.ranks_before[rows],
            moved_by=self.moved_by[rows],
            shortened_by=self.shortened_by[rows],
            cut=self.cut[rows],
        )

    @classmethod
    def none(cls, rules: tuple[str, ...], items: Int32Array) -> Self:
        """Of lists [B, k] whose items no rule moved."""
        ranks = np.where(items == NO_ITEM, 0, np.arange(1, items.shape[1] + 1))
        moved_by, shortened_by = (np.zeros((*shape, len(rules)), np.bool_) for shape in (items.shape, items.shape[:1]))
        return cls(rules, ranks, moved_by, shortened_by, np.zeros(len(items), np.bool_))


@dataclass(frozen=True)
class Recommendations:
    """The lists of B queries: first what was ranked, best first, then popular items that fill up, then padding.

    Where a policy arranges them, its rules decide the order, and popular items may stand anywhere before the padding.

    Attributes:
        items: int32 [B, k], item rows; `NO_ITEM` where there are fewer than k.
        scores: float32 [B, k], final scores of proposed items, popularity of the others; -inf beside `NO_ITEM`.
        retrieval_scores: float32 [B, k], the primary source's score of each item, NaN where it was not asked and for
            items that fill up; -inf beside `NO_ITEM`.
        ratings: float32 [B, k], predicted ratings, NaN for items that fill up and beside `NO_ITEM`; None where none are
            predicted.
        proposed: bool [B, k, R], which of the sources proposed each item; none for items that fill up.
        sources: names of the R sources that propose.
        ranked_by: what gave the final scores: the ranker, a hybrid, or a source.
        popular: bool [B, k], which items fill up.
        seconds: time that stages took, in all: those that sources report, and `RANKING` for the rest.
        candidates: by source, how many items it proposed for a query, on average.
        moves: what a policy did to the lists; None without one.
    """

    items: Int32Array
    scores: Float32Array
    retrieval_scores: Float32Array
    ratings: Float32Array | None
    proposed: BoolArray
    sources: tuple[str, ...]
    ranked_by: str
    popular: BoolArray
    seconds: dict[str, float]
    candidates: Mapping[str, float]
    moves: Moves | None = None

    @property
    def personal(self) -> Int64Array:
        """int64 [B], how many items of each list were ranked for its user."""
        personal: Int64Array = ((self.items != NO_ITEM) & ~self.popular).sum(axis=1)
        return personal

    @property
    def fallback(self) -> BoolArray:
        """Bool [B], whether no source had an item, and the list is of popular items alone."""
        fallback: BoolArray = self.personal == 0
        return fallback

    @property
    def personal_items(self) -> Int32Array:
        """int32 [B, k], the ranked items alone; `NO_ITEM` in place of those that fill up."""
        return np.where(self.popular, np.int32(NO_ITEM), self.items)

    def columns(self, columns: Int64Array) -> Recommendations:
        """The lists made of those columns [B, K]; padding where a column is -1."""
        rows = np.arange(len(self.items))[:, None]
        lists = replace(
            self,
            items=self.items[rows, columns],
            scores=self.scores[rows, columns],
            retrieval_scores=self.retrieval_scores[rows, columns],
            ratings=None if self.ratings is None else self.ratings[rows, columns],
            proposed=self.proposed[rows, columns],
            popular=self.popular[rows, columns],
        )
        padding = columns < 0
        if padding.any():
            lists.items[padding] = NO_ITEM
            lists.scores[padding] = lists.retrieval_scores[padding] = _NO_SCORE
            lists.proposed[padding] = lists.popular[padding] = False
            if lists.ratings is not None:
                lists.ratings[padding] = _UNKNOWN
        return lists

    def rows(self, rows: Int64Array) -> Recommendations:
        """The lists of some of the queries, before a policy did anything to them."""
        return replace(
            self,
            items=self.items[rows],
            scores=self.scores[rows],
            retrieval_scores=self.retrieval_scores[rows],
            ratings=None if self.ratings is None else self.ratings[rows],
            proposed=self.proposed[rows],
            popular=self.popular[rows],
            moves=None,
        )

    def behind(self, offset: int, k: int) -> Recommendations:
        """The k items of the lists behind their first ones, as many as `offset` says."""
        end, moves = offset + k, self.moves
        if moves is not None:
            ranks, moved_by = moves.ranks_before[:, offset:end], moves.moved_by[:, offset:end]
            moves = replace(moves, ranks_before=ranks, moved_by=moved_by, offset=offset)
        columns = np.arange(offset, end)
        return replace(self.columns(np.broadcast_to(columns, (len(self.items), len(columns)))), moves=moves)

    def put(self, rows: Int64Array, others: Recommendations) -> None:
        """Write other lists of the same length, by the same rules, in the place of some."""
        self.items[rows], self.scores[rows] = others.items, others.scores
        self.retrieval_scores[rows], self.popular[rows] = others.retrieval_scores, others.popular
        self.proposed[rows] = others.proposed
        if self.ratings is not None and others.ratings is not None:
            self.ratings[rows] = others.ratings
        if self.moves is not None and others.moves is not None:
            self.moves.ranks_before[rows] = others.moves.ranks_before
            self.moves.moved_by[rows], self.moves.shortened_by[rows] = others.moves.moved_by, others.moves.shortened_by
            self.moves.cut[rows] |= others.moves.cut

    def widened(self, width: int) -> Recommendations:
        """The same lists with padding behind them, up to a width of their own or more."""
        columns = np.arange(max(width, self.items.shape[1]))
        columns[self.items.shape[1] :] = -1
        return self.columns(np.broadcast_to(columns, (len(self.items), len(columns))))


def joined(blocks: Sequence[Recommendations]) -> Recommendations:
    """The lists of several batches of queries, one below the other."""
    if len(blocks) == 1:
        return blocks[0]
    ratings = [block.ratings for block in blocks if block.ratings is not None]
    queries = sum(len(block.items) for block in blocks)
    return replace(
        blocks[0],
        items=np.concatenate([block.items for block in blocks]),
        scores=np.concatenate([block.scores for block in blocks]),
        retrieval_scores=np.concatenate([block.retrieval_scores for block in blocks]),
        ratings=np.concatenate(ratings) if ratings else None,
        proposed=np.concatenate([block.proposed for block in blocks]),
        popular=np.concatenate([block.popular for block in blocks]),
        seconds={stage: sum(block.seconds[stage] for block in blocks) for stage in blocks[0].seconds},
        candidates={
            name: sum(len(block.items) * block.candidates[name] for block in blocks) / queries
            for name in blocks[0].candidates
        },
        moves=_joined_moves(blocks),
    )


def _joined_moves(blocks: Sequence[Recommendations]) -> Moves | None:
    """The moves of all blocks; of those for which no rule of a policy acts there are none."""
    several = [block.moves for block in blocks if block.moves is not None]
    if not several:
        return None
    first = next((one for one in several if one.rules), several[0])
    rules = first.rules
    moves = [
        Moves.none(rules, block.items) if block.moves is None or block.moves.rules != rules else block.moves
        for block in blocks
    ]
    return Moves(
        rules,
        np.concatenate([one.ranks_before for one in moves]),
        np.concatenate([one.moved_by for one in moves]),
        np.concatenate([one.shortened_by for one in moves]),
        np.concatenate([one.cut for one in moves]),
        first.placing,
    )
